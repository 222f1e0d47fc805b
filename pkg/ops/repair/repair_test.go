package repair_test

import (
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/repair"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
)

func TestRebuild_Verdicts(t *testing.T) {
	for name, test := range map[string]struct {
		before func(w *world)
		want   repair.Verdict
	}{
		"consistent":     {func(w *world) { w.acceptAndApply(w.received(event(payout.Failed, 0))) }, repair.Equal},
		"unreadable":     {func(w *world) { w.acceptAndApply(w.received(event(payout.Failed, 0))); w.store.CorruptRecord(payoutID) }, repair.Differs},
		"payout deleted": {func(w *world) { w.acceptAndApply(w.received(event(payout.Failed, 0))); w.store.DeleteRecord(payoutID) }, repair.Differs},
		"receipt deleted": {func(w *world) {
			w.acceptAndApply(w.received(event(payout.Failed, 0)))
			w.store.DeleteReceipt(w.received(event(payout.Failed, 0)).Key)
		}, repair.NoReceipts},
		"a receipt is unreadable": {func(w *world) {
			w.acceptAndApply(w.received(event(payout.Failed, 0)))
			w.store.CorruptReceipt(w.received(event(payout.Failed, 0)).Key)
		}, repair.Unreadable},
		"unknown": {func(*world) {}, repair.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.before(w)
			writes := 0
			repairs := w.repairs(func(call string) inboxtest.Fault {
				if call == "Rewrite" {
					writes++
				}
				return inboxtest.None
			})
			plan, err := repairs.Rebuild(t.Context(), payoutID, alice)
			if err != nil || plan.Verdict != test.want || (writes == 1) != (test.want == repair.Differs) {
				t.Errorf("%s, %v, %d writes, want %s", plan.Verdict, err, writes, test.want)
			}
			if again, err := repairs.Plan(t.Context(), payoutID); test.want == repair.Differs && (err != nil || again.Verdict != repair.Equal) {
				t.Errorf("afterwards: %s, %v", again.Verdict, err)
			}
		})
	}
}

// Another operator dismisses the callback after it was listed.
func TestRelease_DismissedMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.acceptAndApply(w.held())
	repairs := w.repairs(nil)
	if _, err := repairs.Dismiss(t.Context(), w.held(), alice); err != nil {
		t.Fatal(err)
	}
	outcome, err := repairs.Release(t.Context(), w.held(), w.received(event(payout.Succeeded, 0)), alice)
	if err != nil || outcome != repair.Moved || len(w.store.Receipts()) != 1 {
		t.Errorf("%s, %v, %d receipts, want moved, and one receipt", outcome, err, len(w.store.Receipts()))
	}
}

func TestRelease_StillHeldOrMissing(t *testing.T) {
	w := newWorld(t)
	w.acceptAndApply(w.held())
	repairs := w.repairs(nil)
	if outcome, err := repairs.Release(t.Context(), w.held(), w.held(), alice); err != nil || outcome != repair.StillHeld {
		t.Errorf("%s, %v", outcome, err)
	}
	if got := w.state(w.held().Key); got != inbox.Held {
		t.Errorf("the receipt is %s, want held", got)
	}
	absent := inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "cregis", Type: payout.TypePayout, Account: "7", Subject: []byte("other")}, nil, "", noon)
	if outcome, err := repairs.Release(t.Context(), absent, w.received(event(payout.Failed, 0)), alice); err != nil || outcome != repair.Missing {
		t.Errorf("missing receipt: %s, %v", outcome, err)
	}
	if outcome, err := repairs.Dismiss(t.Context(), absent, alice); err != nil || outcome != repair.Missing {
		t.Errorf("missing receipt: %s, %v", outcome, err)
	}
}

// If the table is down, nothing is sent, and the callback stays held. If the queue
// is down, the sweeper sends the receipt.
func TestRelease_TableOrQueueDown(t *testing.T) {
	for call, want := range map[string]inbox.State{"store.Create": inbox.Held, "queue.Send": inbox.Released} {
		w := newWorld(t)
		w.acceptAndApply(w.held())
		repairs := w.repairs(func(name string) inboxtest.Fault {
			if name == call {
				return inboxtest.Fails
			}
			return inboxtest.None
		})
		_, err := repairs.Release(t.Context(), w.held(), w.received(event(payout.Succeeded, 0)), alice)
		live, _ := w.queue.Depth()
		if got := w.state(w.held().Key); got != want || (err == nil) != (want == inbox.Released) || live != 0 {
			t.Errorf("%s fails: %v, the receipt is %s, %d messages", call, err, got, live)
		}
		w.settle()
	}
}

// I7: a released or dismissed callback that is sent again is acknowledged as a
// duplicate, and changes nothing.
func TestRelease_CallbackSentAgain(t *testing.T) {
	for _, name := range []string{"release", "dismiss"} {
		w := newWorld(t)
		w.acceptAndApply(w.held())
		repairs := w.repairs(nil)
		if err := operations()[name].run(w, repairs); err != nil {
			t.Fatal(err)
		}
		w.consume()
		before := w.state(w.held().Key)
		again := w.held()
		again.AcceptedAt = again.AcceptedAt.Add(time.Hour)
		accepted, err := repairs.Inbox.Accept(t.Context(), again)
		if err != nil || accepted.Acceptance != inbox.AcceptedDuplicate || w.state(w.held().Key) != before {
			t.Errorf("%s, then sent again: %q, %v, and the receipt is %s", name, accepted.Acceptance, err, w.state(w.held().Key))
		}
		if outcome, err := repairs.Inbox.Apply(t.Context(), w.held()); err != nil || outcome != inbox.ApplyDuplicate {
			t.Errorf("%s, then delivered by the queue: %s, %v", name, outcome, err)
		}
		if live, _ := w.queue.Depth(); live != 0 {
			t.Errorf("%s: %d messages", name, live)
		}
		w.settle()
	}
}
