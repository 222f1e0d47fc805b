package repair

import (
	"context"
	"errors"
	"fmt"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Verdict says what a payout needs.
type Verdict string

// The verdicts of Plan.
const (
	Equal      Verdict = "equal"       // it is the fold of its receipts already
	Differs    Verdict = "differs"     // it is to be written anew
	NoReceipts Verdict = "no-receipts" // it exists, and nothing that is applied tells of it
	Unreadable Verdict = "unreadable"  // a receipt cannot be read: the fold would lack what it told
	Unknown    Verdict = "unknown"     // there is neither a payout nor an applied receipt
)

// Plan is what Rebuild would do to a payout.
type Plan struct {
	Verdict Verdict
	Read    inbox.StoredPayout // the payout as it stands
	Fold    inbox.Fold         // and as its receipts say it should
	// Differences between the two; none where the payout cannot be read.
	Differences []payout.Difference
}

// Plan reads a payout, then its receipts: if nothing was applied in between,
// the payout still stands as it was read, and Rebuild may write.
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
	if read.Exists && read.Damage == nil {
		plan.Differences = read.Record.Differences(fold.Record)
	}
	switch {
	case len(fold.Damaged) > 0:
		plan.Verdict = Unreadable
	case fold.Record.Version == 0 && !read.Exists:
		plan.Verdict = Unknown
	case fold.Record.Version == 0:
		plan.Verdict = NoReceipts
	case read.Exists && read.Damage == nil && len(plan.Differences) == 0:
		plan.Verdict = Equal
	}
	return plan, nil
}

// maxTries bounds how often Rebuild meets a payout that moved under it.
const maxTries = 10

// errMoving means that a payout changed each time that it was to be written.
var errMoving = errors.New("the payout changed meanwhile, each time")

// Rebuild writes a payout as the fold of its applied receipts, if it is not that
// already, and returns what it did that on. It writes only where the payout
// stands as it was read before its receipts were, and reads again where it does
// not: run twice, or by two people, it writes once.
//
// A version says how many facts there are and not which: a consumer that read
// the payout before may still write what it made of the damaged one, where the
// version is the same again or, with receipts gone, comes to be. Stop the
// consumer first, or run it once more: a second time it finds that.
func (r *Repairs) Rebuild(ctx context.Context, id payout.ID, changedBy inbox.ChangedBy) (Plan, error) {
	for range maxTries {
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
