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
// Apply reads the payout first: a read costs an eighth of the write units of a
// transaction that fails because the payout exists (docs/adr/0016). The read may be
// stale; then the condition fails and returns the current payout.
func (in *Inbox) Apply(ctx context.Context, receipt Receipt) (ApplyResult, error) {
	if receipt.State == Held {
		return in.hold(ctx, receipt)
	}
	result, _, err := in.apply(ctx, receipt, false)
	return result, err
}

// ApplyNew is Apply for a receipt that is not in the queue, and probably not in the
// store. If the receipt is an expectation that adds nothing to the record, it is a
// duplicate and nothing is written. It also returns the record, with the receipt merged.
func (in *Inbox) ApplyNew(ctx context.Context, receipt Receipt) (ApplyResult, payout.Record, error) {
	return in.apply(ctx, receipt, true)
}

func (in *Inbox) apply(ctx context.Context, receipt Receipt, isNew bool) (ApplyResult, payout.Record, error) {
	current, err := in.Store.Payout(ctx, receipt.id())
	if err != nil {
		return "", payout.Record{}, fmt.Errorf("read payout %s: %w", receipt.id(), err)
	}
	change := Change{Create: isNew}
	for range maxAttempts {
		next, outcome := receipt.mergeInto(current.Record)
		if isNew && receipt.addsNothing(current.Record, next) {
			return ApplyDuplicate, current.Record, nil
		}
		now := in.Now()
		change.Receipt = receipt.applied(outcome, now)
		change.Record, change.ExpectedVersion = next, current.Record.Version
		change.Schedule = nextSchedule(current, next, receipt.Source(), in.Queries[receipt.Provider()], now)
		failed, err := in.Store.Apply(ctx, change)
		switch {
		case err != nil:
			return "", payout.Record{}, fmt.Errorf("apply receipt %s: %w", receipt.Key.Receipt, err)
		case failed == nil:
			return ApplyResult(outcome), next, nil
		}
		if failed.RecordFailed {
			current = failed.Payout
		}
		if failed.ReceiptFailed && failed.ReceiptState == Applied {
			return ApplyDuplicate, current.Record, nil
		}
		if failed.ReceiptFailed {
			// Absent: the store was down in Accept, or somebody deleted the receipt.
			// Received: another writer created it during this transaction.
			change.Create = failed.ReceiptState == ""
		}
	}
	return "", payout.Record{}, fmt.Errorf("apply receipt %s: the payout changed during each of %d attempts", receipt.Key.Receipt, maxAttempts)
}

// addsNothing reports whether the receipt is an expectation that an expected payout has
// already: the same, or with a later deadline.
func (r Receipt) addsNothing(before, after payout.Record) bool {
	if r.Source() != payout.SourceExpectation || !before.IsExpected() {
		return false
	}
	after.Version = before.Version
	return len(after.Differences(before)) == 0
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
