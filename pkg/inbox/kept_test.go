package inbox_test

import (
	"context"
	"errors"
	"testing"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/memory"
)

// I7: two held callbacks of one account are two, however little is known of them.
func TestTwoHeldCallbacksAreTwoReceipts(t *testing.T) {
	w := newWorld(t)
	for _, subject := range []string{"one", "another"} {
		held := inbox.HeldCallback{Provider: "cregis", Type: payout.TypePayout, Account: "1", Subject: []byte(subject), Reason: "unknown-status"}
		if got := w.accept(inbox.NewHeldReceipt(held, []byte("{}"), "0a1b2c3d", w.now)).Acceptance; got != inbox.AcceptedNew {
			t.Errorf("%s: got %q, want new", subject, got)
		}
	}
	if got := len(w.store.Receipts()); got != 2 {
		t.Errorf("%d are stored, want both", got)
	}
}

// I7: what only the queue had is stored with all that a person may ask for.
func TestWhatOnlyTheQueueHadIsStoredWithItsBodyAndKeyID(t *testing.T) {
	w := newWorld(t)
	w.storeDown = true
	w.accept(w.receipt(payout.Succeeded))
	w.accept(w.held())
	w.storeDown = false
	w.consume()
	stored := w.store.Receipts()
	if len(stored) != 2 {
		t.Fatalf("%d are stored, want both", len(stored))
	}
	for _, receipt := range stored {
		if string(receipt.Body) != "{}" || receipt.KeyID != "0a1b2c3d" || !receipt.AcceptedAt.Equal(w.now) {
			t.Errorf("%s: body %q, key %q, accepted at %s", receipt.State, receipt.Body, receipt.KeyID, receipt.AcceptedAt)
		}
	}
}

// I1: the letter is the only copy until its receipt is stored.
func TestADeadLetterThatCannotBeStoredIsNotDeleted(t *testing.T) {
	w := newWorld(t)
	w.queue.DeadLetter(inbox.DeadLetter{Receipt: w.receipt(payout.Succeeded)})
	w.box.Store = unwritable{w.store}
	if result, err := w.box.Sweep(t.Context(), 100); !errors.Is(err, errDown) || result.Recovered != 0 {
		t.Errorf("got %+v, %v, want nothing adopted, and why", result, err)
	}
	if _, dead := w.queue.Depth(); dead != 1 {
		t.Errorf("%d dead letters are left, want the one", dead)
	}
}

// unwritable can be read.
type unwritable struct{ *memory.Store }

func (unwritable) Create(context.Context, inbox.Receipt) (inbox.Existing, error) {
	return inbox.Existing{}, errDown
}
