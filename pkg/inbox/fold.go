package inbox

import (
	"errors"
	"iter"
	"slices"

	"payout-callbacks/pkg/payout"
)

// Fold is the result of merging the applied receipts of one payout.
type Fold struct {
	Record  payout.Record // of version 0 if no receipt is applied
	Damaged []Key         // receipts that cannot be read and are not in the record
}

// FoldReceipts merges the applied receipts of one payout, except the one that
// without may name. It holds one receipt in memory at a time, and stops at the
// first error that is not ErrDamagedReceipt.
func FoldReceipts(receipts iter.Seq2[Receipt, error], without ...Key) (Fold, error) {
	var fold Fold
	for receipt, err := range receipts {
		switch {
		case errors.Is(err, ErrDamagedReceipt):
			fold.Damaged = append(fold.Damaged, receipt.Key)
		case err != nil:
			return fold, err
		case receipt.State == Applied && !slices.Contains(without, receipt.Key):
			fold.Record, _ = receipt.mergeInto(fold.Record)
		}
	}
	return fold, nil
}
