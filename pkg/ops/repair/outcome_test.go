package repair_test

import (
	"context"
	"testing"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/repair"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
)

// A release that stopped before it sent the message sends it when it is run again,
// before the sweeper does.
func TestRelease_RunAgainSendsMessage(t *testing.T) {
	w := newWorld(t)
	parsed := w.received(event(payout.Succeeded, 1))
	w.acceptAndApply(w.held())
	stopped := w.repairs(func(call string) inboxtest.Fault {
		if call == "queue.Send" {
			return inboxtest.StopsBefore
		}
		return inboxtest.None
	})
	_, _ = stopped.Release(t.Context(), w.held(), parsed, alice)
	if waiting := len(w.queue.Messages()); waiting != 0 {
		t.Fatalf("%d messages after the release stopped, want none", waiting)
	}
	again := w.repairs(nil)
	outcome, err := again.Release(t.Context(), w.held(), parsed, alice)
	if waiting := len(w.queue.Messages()); err != nil || outcome != repair.Released || waiting != 1 {
		t.Errorf("%s, %v, %d messages, want released and one message", outcome, err, waiting)
	}
}

// A callback that was released as one event is not released as another event, which
// another version of the code may parse from its body.
func TestRelease_AlreadyReleasedAsAnotherEvent(t *testing.T) {
	w := newWorld(t)
	w.acceptAndApply(w.held())
	repairs := w.repairs(nil)
	if outcome, err := repairs.Release(t.Context(), w.held(), w.received(event(payout.Succeeded, 1)), alice); err != nil || outcome != repair.Released {
		t.Fatal(outcome, err)
	}
	other := w.received(event(payout.Failed, 1))
	outcome, err := repairs.Release(t.Context(), w.held(), other, alice)
	if err != nil || outcome != repair.Moved || w.state(other.Key) != "" {
		t.Errorf("%s, %v, and the other event's receipt is %q; want moved, and no receipt", outcome, err, w.state(other.Key))
	}
}

// The second of two operators who dismiss a callback gets moved. The first one gets
// dismissed again, because the response may have been lost.
func TestDismiss_Twice(t *testing.T) {
	for name, test := range map[string]struct {
		second inbox.ChangedBy
		want   repair.Outcome
	}{
		"other operator": {inbox.NewChangedBy("bob", "why", noon), repair.Moved},
		"same change":    {alice, repair.Dismissed},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.acceptAndApply(w.held())
			repairs := w.repairs(nil)
			if outcome, err := repairs.Dismiss(t.Context(), w.held(), alice); err != nil || outcome != repair.Dismissed {
				t.Fatal(outcome, err)
			}
			if outcome, err := repairs.Dismiss(t.Context(), w.held(), test.second); err != nil || outcome != test.want {
				t.Errorf("%s, %v, want %s", outcome, err, test.want)
			}
			if stored, _, _ := w.store.Receipt(t.Context(), w.held().Key); stored.ChangedBy != alice {
				t.Errorf("changed by %+v, want %+v", stored.ChangedBy, alice)
			}
		})
	}
}

// movingStore refuses to rewrite a payout a number of times, as if it changed.
type movingStore struct {
	repair.Store

	refusals int
}

func (s *movingStore) Rewrite(ctx context.Context, record payout.Record, read inbox.StoredPayout, changedBy inbox.ChangedBy) (bool, error) {
	if s.refusals--; s.refusals >= 0 {
		return false, nil
	}
	return s.Store.Rewrite(ctx, record, read, changedBy)
}

func TestRebuild_MaxAttempts(t *testing.T) {
	for refusals, written := range map[int]bool{0: true, 9: true, 10: false} {
		w := newWorld(t)
		w.acceptAndApply(w.received(event(payout.Succeeded, 1)))
		w.store.DeleteRecord(payoutID)
		repairs := w.repairs(nil)
		repairs.Store = &movingStore{repairs.Store, refusals}
		plan, err := repairs.Rebuild(t.Context(), payoutID, alice)
		if (err == nil) != written || written && plan.Verdict != repair.Differs || len(w.store.Records()) == 1 != written {
			t.Errorf("%d refusals: %s, %v, want written: %v", refusals, plan.Verdict, err, written)
		}
	}
}
