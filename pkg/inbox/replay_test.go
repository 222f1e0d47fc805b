package inbox_test

import (
	"context"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/memory"
)

func TestAccept_OfAReplay_SendsOnlyWhatHasWaitedForAMinute(t *testing.T) {
	for waited, want := range map[time.Duration]int{
		time.Millisecond: 0, time.Second: 0, time.Minute - time.Millisecond: 0, time.Minute: 1, time.Hour: 1, -time.Hour: 0,
	} {
		w := newWorld(t)
		w.accept(w.receipt(payout.Succeeded))
		w.queue.DropAll()
		w.now = w.now.Add(waited)
		if got := w.accept(w.receipt(payout.Succeeded)).Acceptance; got != inbox.AcceptedDuplicate {
			t.Errorf("after %s: got %q, want duplicate", waited, got)
		}
		if live, _ := w.queue.Depth(); live != want {
			t.Errorf("after %s: %d messages, want %d", waited, live, want)
		}
	}
}

func TestAccept_OfManyReplays_LeavesOneMessage(t *testing.T) {
	w := newWorld(t)
	for range 1000 {
		w.accept(w.receipt(payout.Succeeded))
		w.now = w.now.Add(59 * time.Millisecond)
	}
	if live, _ := w.queue.Depth(); live != 1 {
		t.Errorf("%d messages, want 1", live)
	}
}

// A lost message of a callback that is delivered again within the minute waits
// for the sweeper.
func TestAccept_OfAReplayWithinAMinute_LeavesALostMessageToTheSweeper(t *testing.T) {
	w := newWorld(t)
	w.accept(w.receipt(payout.Succeeded))
	w.queue.DropAll()
	w.now = w.now.Add(30 * time.Second)
	w.accept(w.receipt(payout.Succeeded))
	w.now = w.now.Add(inbox.FirstDue)
	w.sweep()
	w.consume()
	w.wantStatus(payout.Succeeded)
	w.check(true)
}

// A put that is done although its answer is lost is tried again by the store, and
// refused: the receipt that it meets is its own.
func TestAccept_OfAPutThatWasDoneWithoutAnAnswer_IsNew(t *testing.T) {
	for name, receipt := range map[string]func(*world) inbox.Receipt{
		"an event": func(w *world) inbox.Receipt { return w.receipt(payout.Succeeded) },
		"held":     func(w *world) inbox.Receipt { return w.held() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.box.Store = retryingStore{w.store}
			if got := w.accept(receipt(w)); got.Acceptance != inbox.AcceptedNew || got.Fault != nil {
				t.Errorf("got %+v, want new", got)
			}
			w.consume()
			w.check(true)
			w.now = w.now.Add(time.Millisecond)
			if got := w.accept(receipt(w)).Acceptance; got != inbox.AcceptedDuplicate {
				t.Errorf("again: got %q, want duplicate", got)
			}
		})
	}
}

// retryingStore loses the answer to its first attempt of each put.
type retryingStore struct{ *memory.Store }

func (s retryingStore) Create(ctx context.Context, receipt inbox.Receipt) (inbox.Existing, error) {
	if _, err := s.Store.Create(ctx, receipt); err != nil {
		return inbox.Existing{}, err
	}
	return s.Store.Create(ctx, receipt)
}
