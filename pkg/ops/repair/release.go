package repair

import (
	"context"
	"fmt"

	"payout-callbacks/pkg/inbox"
)

// Outcome is the outcome of Release or Dismiss for one held callback.
type Outcome string

// The outcomes of Release and Dismiss.
const (
	Released  Outcome = "released"   // its event has a receipt
	Dismissed Outcome = "dismissed"  // kept, and no longer listed as held
	StillHeld Outcome = "still-held" // this version does not understand it either
	Moved     Outcome = "moved"      // another operator released or dismissed it; nothing was done
	Missing   Outcome = "not-there"  // no such receipt exists
)

// Repairs changes records for an operator. All fields are required. It is safe for
// concurrent use.
type Repairs struct {
	Store Store
	Inbox *inbox.Inbox
}

// Release stores and sends the receipt of a held callback's event, and then marks
// the held receipt as released. Parsed is the result of callback.Reparse for held;
// if it is held, too, Release writes nothing.
//
// A crash in between leaves the held receipt held and its event's receipt stored:
// Release, called again, finds that receipt and marks the held one. If another
// operator dismisses the callback in between, it becomes released, because its
// event is applied. Of a callback that is already released, Release makes sure
// that its event's receipt exists.
func (r *Repairs) Release(ctx context.Context, held, parsed inbox.Receipt, changedBy inbox.ChangedBy) (Outcome, error) {
	if parsed.WasHeld() {
		return StillHeld, nil
	}
	receipt, ok, err := r.Store.Receipt(ctx, held.Key)
	switch {
	case err != nil:
		return "", fmt.Errorf("read held receipt: %w", err)
	case !ok:
		return Missing, nil
	}
	if ok, err := r.mayRelease(ctx, receipt, held, parsed); err != nil || !ok {
		return Moved, err
	}
	if err := r.record(ctx, parsed); err != nil {
		return "", err
	}
	if receipt.State == inbox.Released {
		return Released, nil
	}
	held.State, held.ReleasedAs, held.ChangedBy = inbox.Released, parsed.Key, changedBy
	return r.close(ctx, held, Released)
}

// record stores the event's receipt, then sends it. Unlike Accept, it does not
// fall back to the queue if the table is down: the held receipt is in that table.
func (r *Repairs) record(ctx context.Context, parsed inbox.Receipt) error {
	existing, err := r.Inbox.Store.Create(ctx, parsed)
	if err != nil {
		return fmt.Errorf("put receipt of released event: %w", err)
	}
	if existing.State == "" || existing.State == inbox.Received {
		_ = r.Inbox.Queue.Send(ctx, parsed) // if it fails, the sweeper sends the receipt
	}
	return nil
}

// mayRelease reports whether the stored receipt still has the state, held or
// dismissed, in which the operator saw it, or is released as the same event.
func (r *Repairs) mayRelease(ctx context.Context, stored, held, parsed inbox.Receipt) (bool, error) {
	switch {
	case stored.State == inbox.Released:
		return stored.ReleasedAs == parsed.Key, nil
	case stored.State == held.State:
		return true, nil
	case stored.State != inbox.Dismissed:
		return false, nil
	}
	// Another operator dismissed it. That stands, unless an interrupted release
	// has already stored the event's receipt.
	_, ok, err := r.Store.Receipt(ctx, parsed.Key)
	if err != nil {
		return false, fmt.Errorf("read receipt of released event: %w", err)
	}
	return ok, nil
}

// Dismiss marks a held callback as one that states nothing about a payout. It is
// kept, and may still be released.
func (r *Repairs) Dismiss(ctx context.Context, held inbox.Receipt, changedBy inbox.ChangedBy) (Outcome, error) {
	if held.State != inbox.Held {
		return Moved, nil
	}
	held.State, held.ChangedBy = inbox.Dismissed, changedBy
	return r.close(ctx, held, Dismissed)
}

func (r *Repairs) close(ctx context.Context, closed inbox.Receipt, outcome Outcome) (Outcome, error) {
	before, err := r.Store.Close(ctx, closed)
	switch {
	case err != nil:
		return "", fmt.Errorf("mark held receipt %s: %w", closed.State, err)
	case before == "":
		return Missing, nil
	case CanClose(before, closed.State):
		return outcome, nil
	}
	// The same actor and reason: an earlier attempt of this call wrote it, and its
	// response was lost.
	receipt, _, err := r.Store.Receipt(ctx, closed.Key)
	if err != nil {
		return "", fmt.Errorf("read held receipt: %w", err)
	}
	if receipt.State == closed.State && receipt.ChangedBy == closed.ChangedBy && receipt.ReleasedAs == closed.ReleasedAs {
		return outcome, nil
	}
	return Moved, nil
}

// CanClose reports whether an operator may move a receipt from one state to another.
func CanClose(from, to inbox.State) bool {
	return from == inbox.Held || from == inbox.Dismissed && to == inbox.Released
}
