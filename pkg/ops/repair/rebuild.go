package repair

import (
	"context"
	"errors"
	"fmt"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Verdict is the result of comparing a payout with its receipts.
type Verdict string

// The verdicts of a Plan.
const (
	Equal      Verdict = "equal"       // the payout equals the fold of its receipts
	Differs    Verdict = "differs"     // the payout must be written
	NoReceipts Verdict = "no-receipts" // the payout exists, without an applied receipt
	Unreadable Verdict = "unreadable"  // a receipt is unreadable, and its event would be missing from the fold
	Unknown    Verdict = "unknown"     // neither the payout nor an applied receipt exists
)

// Plan is what Rebuild does to a payout.
type Plan struct {
	Verdict Verdict
	Read    inbox.StoredPayout // the payout as it is stored
	Fold    inbox.Fold         // the fold of its receipts
	// Differences between the two; none if the payout is unreadable.
	Differences []payout.Difference
}

// Plan compares a payout with its receipts. It reads the payout first: Rebuild may
// then write on condition that no event was applied since.
func (r *Repairs) Plan(ctx context.Context, id payout.ID) (Plan, error) {
	read, err := r.Store.StoredPayout(ctx, id)
	if err != nil {
		return Plan{}, fmt.Errorf("read payout: %w", err)
	}
	fold, err := inbox.FoldReceipts(r.Store.ReceiptsOf(ctx, id))
	if err != nil {
		return Plan{}, fmt.Errorf("read receipts: %w", err)
	}
	plan := Plan{Verdict: Differs, Read: read, Fold: fold}
	isReadable := read.Exists && read.Damage == nil
	if isReadable {
		plan.Differences = read.Record.Differences(fold.Record)
	}
	switch {
	case len(fold.Damaged) > 0:
		plan.Verdict = Unreadable
	case fold.Record.Version == 0 && !read.Exists:
		plan.Verdict = Unknown
	case fold.Record.Version == 0:
		plan.Verdict = NoReceipts
	case isReadable && len(plan.Differences) == 0 && read.ScheduleProblem() == "":
		plan.Verdict = Equal
	}
	return plan, nil
}

// maxAttempts is how often Rebuild tries to write a payout that changes meanwhile.
const maxAttempts = 10

var errMoving = errors.New("the payout changed during each attempt")

// Rebuild writes a payout as the fold of its applied receipts, if it differs, and
// returns the plan that it followed. If the payout changed after it was read,
// Rebuild reads it and its receipts again. Repeated or concurrent calls write once.
//
// The condition is the version, which counts events and does not identify them. A
// consumer that read the corrupt payout before Rebuild may therefore still write
// its result, if the version is the same afterwards. Pause the consumer first, or
// run Rebuild again, which detects that.
func (r *Repairs) Rebuild(ctx context.Context, id payout.ID, changedBy inbox.ChangedBy) (Plan, error) {
	for range maxAttempts {
		plan, err := r.Plan(ctx, id)
		if err != nil || plan.Verdict != Differs {
			return plan, err
		}
		written, err := r.Store.Rewrite(ctx, plan.Fold.Record, plan.Read, changedBy)
		if err != nil {
			return plan, fmt.Errorf("write payout: %w", err)
		}
		if written {
			return plan, nil
		}
	}
	return Plan{}, errMoving
}
