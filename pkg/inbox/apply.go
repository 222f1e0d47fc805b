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

// maxTries bounds how often Apply meets a record that moved under it. Each try
// that loses means that another one won, and the queue delivers again.
const maxTries = 10

// Apply merges a receipt into its payout and marks it applied, in one
// transaction, so that the effect happens once however often it is called. A
// receipt that the store never got is created in that same transaction. An
// error means that the receipt is to be delivered again.
//
// On the common path, a payout's first event, it is one write and no read: the
// transaction assumes the payout to be new, and where it is not, the refusal
// brings the record as it stands.
func (in *Inbox) Apply(ctx context.Context, receipt Receipt) (ApplyResult, error) {
	if receipt.State == Held {
		return in.hold(ctx, receipt)
	}
	base := payout.Record{ID: receipt.id()}
	change := Change{}
	for range maxTries {
		next, outcome := receipt.mergeInto(base)
		change.Receipt = receipt.applied(outcome, in.Now())
		change.Record, change.ExpectedVersion = next, base.Version
		refusal, err := in.Store.Apply(ctx, change)
		switch {
		case err != nil:
			return "", fmt.Errorf("apply receipt %s: %w", receipt.Key.Receipt, err)
		case refusal == nil:
			return ApplyResult(outcome), nil
		case refusal.ReceiptFailed && refusal.ReceiptState == Applied:
			return ApplyDuplicate, nil
		}
		if refusal.ReceiptFailed {
			// Absent: the store was down at the ingress, or somebody deleted it.
			// Received: it came into being while we were creating it.
			change.Create = refusal.ReceiptState == ""
		}
		if refusal.RecordFailed {
			base = refusal.Record
		}
	}
	return "", fmt.Errorf("apply receipt %s: the payout changed %d times meanwhile", receipt.Key.Receipt, maxTries)
}

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
