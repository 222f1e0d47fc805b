package inbox_test

import (
	"context"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/memory"
)

func TestAccept_ReplayByAge(t *testing.T) {
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

func TestAccept_ManyReplays(t *testing.T) {
	w := newWorld(t)
	for range 1000 {
		w.accept(w.receipt(payout.Succeeded))
		w.now = w.now.Add(59 * time.Millisecond)
	}
	if live, _ := w.queue.Depth(); live != 1 {
		t.Errorf("%d messages, want 1", live)
	}
}

// A replay within a minute does not replace a lost message; the sweep does.
func TestAccept_ReplayOfLostMessage(t *testing.T) {
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

// A put that was done and lost its response is retried by the store. The retry finds
// the receipt of the first attempt.
func TestAccept_PutRetried(t *testing.T) {
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

// retryingStore loses the response to the first attempt of each put.
type retryingStore struct{ *memory.Store }

func (s retryingStore) Create(ctx context.Context, receipt inbox.Receipt) (inbox.Existing, error) {
	if _, err := s.Store.Create(ctx, receipt); err != nil {
		return inbox.Existing{}, err
	}
	return s.Store.Create(ctx, receipt)
}
