package repair

import (
	"context"
	"fmt"

	"payout-callbacks/pkg/inbox"
)

// Outcome says what became of one held callback.
type Outcome string

// The outcomes of Release and Dismiss.
const (
	Released  Outcome = "released"   // its event is a receipt of its own, and on its way
	Dismissed Outcome = "dismissed"  // it is out of the way, and kept
	StillHeld Outcome = "still-held" // today's code does not understand it either
	Moved     Outcome = "moved"      // somebody else took it up meanwhile; nothing was done
	Missing   Outcome = "not-there"  // there is no such receipt
)

// Repairs changes records by hand. All fields are required. It is safe for
// concurrent use.
type Repairs struct {
	Store Store
	Inbox *inbox.Inbox
}

// Release makes what a held callback is read as today a receipt of its own, and
// then marks the held one. Parsed is what callback.Reparse made of held: where
// that is held as well, nothing is written.
//
// A crash in between leaves the held receipt held and its event's receipt on
// its way: run again, it meets that receipt and marks the held one. Where a
// second person dismisses the callback in that moment, released stands: the
// event was told, and is applied. Of one that was released before, the event's
// receipt is made sure of.
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
	if may, err := r.mayRelease(ctx, receipt, held, parsed); err != nil || !may {
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

// record puts the event's receipt, then sends it. This is Accept without its way
// round a table that is down: the held receipt is in that table, and waits.
func (r *Repairs) record(ctx context.Context, parsed inbox.Receipt) error {
	existing, err := r.Inbox.Store.Create(ctx, parsed)
	if err != nil {
		return fmt.Errorf("put receipt of released event: %w", err)
	}
	if existing.State == "" || existing.State == inbox.Received {
		_ = r.Inbox.Queue.Send(ctx, parsed) // where that fails, the sweeper sends it
	}
	return nil
}

// mayRelease reports whether a receipt may be released that was held, or
// dismissed, when somebody decided to, and is found so now.
func (r *Repairs) mayRelease(ctx context.Context, receipt, held, parsed inbox.Receipt) (bool, error) {
	switch {
	case receipt.State == inbox.Released:
		return receipt.ReleasedAs == parsed.Key, nil
	case receipt.State == held.State:
		return true, nil
	case receipt.State != inbox.Dismissed:
		return false, nil
	}
	// Dismissed meanwhile: that stands, unless a release had come so far that
	// the event is told.
	_, ok, err := r.Store.Receipt(ctx, parsed.Key)
	if err != nil {
		return false, fmt.Errorf("read receipt of released event: %w", err)
	}
	return ok, nil
}

// Dismiss marks a held callback as one that tells nothing about a payout. It is
// kept, and can still be released.
func (r *Repairs) Dismiss(ctx context.Context, held inbox.Receipt, changedBy inbox.ChangedBy) (Outcome, error) {
	if held.State != inbox.Held {
		return Moved, nil
	}
	held.State, held.ChangedBy = inbox.Dismissed, changedBy
	return r.close(ctx, held, Dismissed)
}

func (r *Repairs) close(ctx context.Context, closed inbox.Receipt, done Outcome) (Outcome, error) {
	met, err := r.Store.Close(ctx, closed)
	switch {
	case err != nil:
		return "", fmt.Errorf("mark held receipt %s: %w", closed.State, err)
	case met == "":
		return Missing, nil
	case CanClose(met, closed.State):
		return done, nil
	}
	// The same hand: our own write, of which we were not told that it was done.
	receipt, _, err := r.Store.Receipt(ctx, closed.Key)
	if err != nil {
		return "", fmt.Errorf("read held receipt: %w", err)
	}
	if receipt.State == closed.State && receipt.ChangedBy == closed.ChangedBy && receipt.ReleasedAs == closed.ReleasedAs {
		return done, nil
	}
	return Moved, nil
}

// CanClose reports whether a receipt may go from one state to another by hand.
func CanClose(from, to inbox.State) bool {
	return from == inbox.Held || from == inbox.Dismissed && to == inbox.Released
}
