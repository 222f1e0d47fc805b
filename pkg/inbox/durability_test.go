package inbox_test

import (
	"context"
	"errors"
	"testing"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/memory"
)

// I7: two held callbacks of one account are two receipts, however little is known of
// them.
func TestAccept_TwoHeldCallbacks(t *testing.T) {
	w := newWorld(t)
	for _, subject := range []string{"first", "second"} {
		held := inbox.HeldCallback{Provider: "cregis", Type: payout.TypePayout, Account: "1", Subject: []byte(subject), Reason: "unknown-status"}
		if got := w.accept(inbox.NewHeldReceipt(held, []byte("{}"), "0a1b2c3d", w.now)).Acceptance; got != inbox.AcceptedNew {
			t.Errorf("%s: got %q, want new", subject, got)
		}
	}
	if got := len(w.store.Receipts()); got != 2 {
		t.Errorf("%d receipts stored, want both", got)
	}
}

// I7: a receipt that was in the queue only is stored with body, key id and time.
func TestApply_QueueOnlyReceipt(t *testing.T) {
	w := newWorld(t)
	w.storeDown = true
	w.accept(w.receipt(payout.Succeeded))
	w.accept(w.held())
	w.storeDown = false
	w.consume()
	stored := w.store.Receipts()
	if len(stored) != 2 {
		t.Fatalf("%d receipts stored, want both", len(stored))
	}
	for _, receipt := range stored {
		if string(receipt.Body) != "{}" || receipt.KeyID != "0a1b2c3d" || !receipt.AcceptedAt.Equal(w.now) {
			t.Errorf("%s: body %q, key %q, accepted at %s", receipt.State, receipt.Body, receipt.KeyID, receipt.AcceptedAt)
		}
	}
}

// I1: the dead-letter message is the only copy until its receipt is stored.
func TestSweep_DeadLetterNotStored(t *testing.T) {
	w := newWorld(t)
	w.queue.DeadLetter(inbox.DeadLetter{Receipt: w.receipt(payout.Succeeded)})
	w.box.Store = readOnlyStore{w.store}
	if result, err := w.box.Sweep(t.Context(), 100); !errors.Is(err, errDown) || result.Recovered != 0 {
		t.Errorf("got %+v, %v, want nothing recovered and an error", result, err)
	}
	if _, dead := w.queue.Depth(); dead != 1 {
		t.Errorf("%d dead letters left, want one", dead)
	}
}

// readOnlyStore fails to create receipts.
type readOnlyStore struct{ *memory.Store }

func (readOnlyStore) Create(context.Context, inbox.Receipt) (inbox.Existing, error) {
	return inbox.Existing{}, errDown
}
