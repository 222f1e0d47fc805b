package inbox_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/memory"
)

// numbered returns a receipt of payout number n.
func (w *world) numbered(n uint64, memo string) inbox.Receipt {
	return w.receipt(payout.Succeeded, func(e *payout.Event) {
		e.ID += payout.ID("-" + strings.Repeat("x", int(n%7)) + string(rune('a'+n%26)))
		e.BlockHeight, e.Memo = n, memo
	})
}

func refuseMemo(memo string, refusal error) func(inbox.Receipt) error {
	return func(r inbox.Receipt) error {
		if r.Event.Memo == memo {
			return refusal
		}
		return nil
	}
}

// I3: a receipt that the queue rejects is applied by the sweep.
func TestSweep_UnsendableReceipt(t *testing.T) {
	w := newWorld(t)
	receipt := w.receipt(payout.Succeeded)
	receipt.Body = []byte(strings.Repeat("x", 1<<20)) // longer than a message may be
	accepted := w.accept(receipt)
	if accepted.Acceptance != inbox.AcceptedStoreOnly || !errors.Is(accepted.Fault, inbox.ErrUnsendable) {
		t.Errorf("got %+v, want store-only and ErrUnsendable", accepted)
	}
	w.now = w.now.Add(inbox.FirstDue)
	if result := w.sweep(); result.Due != 1 || result.Resent != 0 || result.Unsendable != 1 {
		t.Errorf("got %+v, want one unsendable and none resent", result)
	}
	w.wantStatus(payout.Succeeded)
	w.check(true)
}

// I1: a receipt that the queue rejects is not accepted while the store is down.
func TestAccept_UnsendableReceiptStoreDown(t *testing.T) {
	w := newWorld(t)
	w.storeDown = true
	receipt := w.receipt(payout.Succeeded)
	receipt.Body = []byte(strings.Repeat("x", 1<<20))
	if accepted, err := w.box.Accept(t.Context(), receipt); !errors.Is(err, errDown) || !errors.Is(err, inbox.ErrUnsendable) {
		t.Errorf("got %+v, %v, want an error", accepted, err)
	}
}

// Receipts that fail, for any reason, do not delay others.
func TestSweep_ManyFailingReceipts(t *testing.T) {
	const bad, good = 600, 30
	for name, test := range map[string]struct {
		refusal    error
		broken     bool // the bad receipts cannot be applied either
		unsendable int
	}{
		"unsendable":                  {inbox.ErrUnsendable, false, bad},
		"unsendable and unapplicable": {inbox.ErrUnsendable, true, bad},
		"not sent for another reason": {errDown, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.refuse = refuseMemo("bad", test.refusal)
			store := &memory.Store{}
			for n := range uint64(bad + good) {
				memo := "bad"
				if n%21 == 20 {
					memo = "good"
				}
				if _, err := store.Create(t.Context(), w.numbered(n, memo)); err != nil {
					t.Fatal(err)
				}
			}
			w.box.Store = failingStore{store, func(r inbox.Receipt) bool { return test.broken && r.Event.Memo == "bad" }, nil}
			w.now = w.now.Add(inbox.FirstDue)
			result, err := w.box.Sweep(t.Context(), 1000)
			if result.Resent != good || result.Unsendable != test.unsendable {
				t.Errorf("got %+v, want %d resent and %d unsendable", result, good, test.unsendable)
			}
			failed := test.broken || test.unsendable == 0
			if (err != nil) != failed || err != nil && len(err.Error()) > 2<<10 {
				t.Errorf("error: %v, want a short error: %t", err, failed)
			}
			applied := 0
			for _, receipt := range store.Receipts() {
				if receipt.State == inbox.Applied {
					applied++
				}
			}
			if want := bad; !failed && applied != want || failed && applied != 0 {
				t.Errorf("%d applied", applied)
			}
		})
	}
}

// failingStore fails to apply some receipts and to claim others.
type failingStore struct {
	*memory.Store
	unapplicable func(inbox.Receipt) bool
	unclaimable  func(inbox.Key) bool
}

func (s failingStore) Apply(ctx context.Context, change inbox.Change) (*inbox.ConditionFailed, error) {
	if s.unapplicable(change.Receipt) {
		return nil, errDown
	}
	return s.Store.Apply(ctx, change)
}

func (s failingStore) Claim(ctx context.Context, due inbox.DueReceipt, next time.Time) (inbox.Receipt, bool, error) {
	if s.unclaimable != nil && s.unclaimable(due.Key) {
		return inbox.Receipt{}, false, errDown
	}
	return s.Store.Claim(ctx, due, next)
}

func TestSweep_UnclaimableReceipt(t *testing.T) {
	w := newWorld(t)
	w.sendDown = true
	first := w.numbered(0, "")
	w.accept(first)
	w.now = w.now.Add(time.Second)
	for n := range uint64(20) {
		w.accept(w.numbered(n+1, ""))
	}
	w.sendDown = false
	w.now = w.now.Add(inbox.FirstDue)
	never := func(inbox.Receipt) bool { return false }
	w.box.Store = failingStore{w.store, never, func(key inbox.Key) bool { return key == first.Key }}
	if result, err := w.box.Sweep(t.Context(), 100); result.Resent != 20 || !errors.Is(err, errDown) {
		t.Errorf("got %+v, %v, want 20 resent and an error", result, err)
	}
}

// A claim postpones a receipt by its age. While the queue is down, only one batch is
// claimed.
func TestSweep_QueueDown(t *testing.T) {
	w := newWorld(t)
	w.sendDown = true
	for n := range uint64(30) {
		w.accept(w.numbered(n, ""))
	}
	w.now = w.now.Add(inbox.FirstDue)
	if result, err := w.box.Sweep(t.Context(), 100); result.Resent != 0 || !errors.Is(err, errDown) {
		t.Errorf("got %+v, %v, want none resent and an error", result, err)
	}
	if due, err := w.store.Due(t.Context(), w.now, 100); err != nil || len(due) != 20 {
		t.Errorf("%d due, %v, want 20", len(due), err)
	}
}
