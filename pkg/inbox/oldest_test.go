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

// A receipt that is claimed waits all the same, and not only in the minute in
// which it is due.
func TestSweep_MeasuresAClaimedReceiptInEveryMinute(t *testing.T) {
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
	if r := w.sweep(); r.OldestAge != 0 || r.AgeUnknown {
		t.Errorf("after it was applied: %+v", r)
	}
}

func TestSweep_MeasuresTheOldestOfAllThatWait(t *testing.T) {
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
		result, err := w.box.Sweep(t.Context(), 7) // far fewer than wait
		if want := w.now.Sub(first); err != nil || result.OldestAge != want {
			t.Fatalf("%+v, %v, want an age of %s", result, err, want)
		}
	}
}

// What cannot be read is not zero, and keeps nothing from being sent.
func TestSweep_ThatCannotReadTheOldest_SendsAndKnowsNoAge(t *testing.T) {
	w := newWorld(t)
	w.accept(w.receipt(payout.Succeeded))
	w.queue.DropAll()
	w.now = w.now.Add(inbox.FirstDue)
	w.box.Store = ageless{w.store}
	if result, err := w.box.Sweep(t.Context(), 10); !errors.Is(err, errDown) || result.Resent != 1 || !result.AgeUnknown || result.OldestAge != 0 {
		t.Errorf("got %+v, %v, want it sent, and no age", result, err)
	}
}

type ageless struct{ *memory.Store }

func (ageless) OldestClaimed(context.Context) (time.Time, bool, error) {
	return time.Time{}, false, errDown
}
