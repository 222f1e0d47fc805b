package inbox

import (
	"errors"
	"iter"

	"payout-callbacks/pkg/payout"
)

// Fold is what the applied receipts of one payout come to.
type Fold struct {
	Record  payout.Record // of version 0 where none is applied
	Damaged []Key         // receipts that cannot be read; what they told is not in the record
}

// FoldOf folds the applied receipts of one payout, but for the one named in
// without. It holds one receipt at a time, and fails with the first error that
// is not ErrDamaged.
func FoldReceipts(items iter.Seq2[Receipt, error], without ...Key) (Fold, error) {
	var fold Fold
	for receipt, err := range items {
		switch {
		case errors.Is(err, ErrDamagedReceipt):
			fold.Damaged = append(fold.Damaged, receipt.Key)
		case err != nil:
			return fold, err
		case receipt.State == Applied && (len(without) == 0 || receipt.Key != without[0]):
			fold.Record, _ = receipt.mergeInto(fold.Record)
		}
	}
	return fold, nil
}
