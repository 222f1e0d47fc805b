package inbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/memory"
)

// A claimed receipt counts in every minute, not only in those in which it is due.
func TestSweep_OldestAgeOfClaimedReceipt(t *testing.T) {
	w := newWorld(t)
	w.accept(w.receipt(payout.Succeeded))
	accepted := w.now
	for w.now.Sub(accepted) < 5*time.Hour {
		w.now = w.now.Add(time.Minute)
		w.queue.DropAll()
		age := w.now.Sub(accepted)
		if result := w.sweep(); age >= inbox.FirstDue && result.OldestAge != age || result.AgeUnknown {
			t.Fatalf("after %s: %+v", age, result)
		}
	}
	w.now = w.now.Add(time.Hour)
	w.sweep()
	w.consume()
	if result := w.sweep(); result.OldestAge != 0 || result.AgeUnknown {
		t.Errorf("after it was applied: %+v", result)
	}
}

func TestSweep_OldestAgeOfMany(t *testing.T) {
	w := newWorld(t)
	w.sendDown = true
	first := w.now
	for n := range uint64(50) {
		w.accept(w.numbered(n, ""))
		w.now = w.now.Add(30 * time.Second)
	}
	w.sendDown = false
	for range 120 {
		w.now = w.now.Add(time.Minute)
		w.queue.DropAll()
		result, err := w.box.Sweep(t.Context(), 7) // far fewer than are due
		if want := w.now.Sub(first); err != nil || result.OldestAge != want {
			t.Fatalf("%+v, %v, want an age of %s", result, err, want)
		}
	}
}

// An age that cannot be read is reported as unknown, and receipts are resent.
func TestSweep_OldestAgeUnknown(t *testing.T) {
	w := newWorld(t)
	w.accept(w.receipt(payout.Succeeded))
	w.queue.DropAll()
	w.now = w.now.Add(inbox.FirstDue)
	w.box.Store = ageUnknownStore{w.store}
	if result, err := w.box.Sweep(t.Context(), 10); !errors.Is(err, errDown) || result.Resent != 1 || !result.AgeUnknown || result.OldestAge != 0 {
		t.Errorf("got %+v, %v, want it resent and the age unknown", result, err)
	}
}

type ageUnknownStore struct{ *memory.Store }

func (ageUnknownStore) OldestClaimed(context.Context) (time.Time, bool, error) {
	return time.Time{}, false, errDown
}
