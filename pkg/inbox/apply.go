package inbox

import (
	"context"
	"fmt"

	"payout-callbacks/pkg/payout"
)

// ApplyResult says what applying a receipt did.
type ApplyResult string

// The results of Apply. The first three are the outcomes of the merge, in the
// words of package payout.
const (
	ApplyChanged   = ApplyResult(payout.Changed)
	ApplyUnchanged = ApplyResult(payout.Unchanged)
	ApplyConflict  = ApplyResult(payout.Conflict)

	ApplyDuplicate ApplyResult = "duplicate" // the receipt was applied or held before; nothing was written
	ApplyHeld      ApplyResult = "held"      // the held receipt is in the store
)

// maxAttempts limits the transactions of one Apply. An attempt fails its condition
// only because another writer succeeded, and the queue delivers the message again.
const maxAttempts = 10

// Apply merges a receipt into its payout and marks it applied, in one transaction,
// so that it takes effect once however often it is delivered. A receipt that the
// store does not have is created in the same transaction. After an error, the
// receipt must be delivered again.
//
// The first event of a payout costs one write and no read: the transaction assumes
// that the payout is new, and if it is not, the failed condition returns the
// current record.
func (in *Inbox) Apply(ctx context.Context, receipt Receipt) (ApplyResult, error) {
	if receipt.State == Held {
		return in.hold(ctx, receipt)
	}
	current := payout.Record{ID: receipt.id()}
	change := Change{}
	for range maxAttempts {
		next, outcome := receipt.mergeInto(current)
		change.Receipt = receipt.applied(outcome, in.Now())
		change.Record, change.ExpectedVersion = next, current.Version
		failed, err := in.Store.Apply(ctx, change)
		switch {
		case err != nil:
			return "", fmt.Errorf("apply receipt %s: %w", receipt.Key.Receipt, err)
		case failed == nil:
			return ApplyResult(outcome), nil
		case failed.ReceiptFailed && failed.ReceiptState == Applied:
			return ApplyDuplicate, nil
		}
		if failed.ReceiptFailed {
			// Absent: the store was down in Accept, or somebody deleted the receipt.
			// Received: another writer created it during this transaction.
			change.Create = failed.ReceiptState == ""
		}
		if failed.RecordFailed {
			current = failed.Record
		}
	}
	return "", fmt.Errorf("apply receipt %s: the payout changed during each of %d attempts", receipt.Key.Receipt, maxAttempts)
}

// hold stores a held receipt, which changes no payout.
func (in *Inbox) hold(ctx context.Context, receipt Receipt) (ApplyResult, error) {
	existing, err := in.create(ctx, receipt)
	switch {
	case err != nil:
		return "", err
	case existing.State != "":
		return ApplyDuplicate, nil
	}
	return ApplyHeld, nil
}
