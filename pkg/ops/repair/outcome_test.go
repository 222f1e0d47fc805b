package repair_test

import (
	"context"
	"testing"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/repair"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
)

// A release that stopped before its message was sent sends it when it is run
// again: the sweeper is not waited for.
func TestRelease_RunAgainSendsTheEventThatWaits(t *testing.T) {
	w := newWorld(t)
	parsed := w.received(event(payout.Succeeded, 1))
	w.tell(w.held())
	stopped, _ := w.person(func(call string) inboxtest.Fault {
		if call == "queue.Send" {
			return inboxtest.StopsBefore
		}
		return inboxtest.None
	})
	_, _ = stopped.Release(t.Context(), w.held(), parsed, hand)
	if waiting := len(w.queue.Messages()); waiting != 0 {
		t.Fatalf("%d messages wait, want none: the release has stopped", waiting)
	}
	again, _ := w.person(nil)
	outcome, err := again.Release(t.Context(), w.held(), parsed, hand)
	if waiting := len(w.queue.Messages()); err != nil || outcome != repair.Released || waiting != 1 {
		t.Errorf("%s, %v, %d messages wait, want released and one", outcome, err, waiting)
	}
}

// What was released as one event is not released as another one, which two
// versions of this program may read in one body.
func TestRelease_OfAReleasedCallbackAsAnotherEventDoesNothing(t *testing.T) {
	w := newWorld(t)
	w.tell(w.held())
	person, _ := w.person(nil)
	if outcome, err := person.Release(t.Context(), w.held(), w.received(event(payout.Succeeded, 1)), hand); err != nil || outcome != repair.Released {
		t.Fatal(outcome, err)
	}
	other := w.received(event(payout.Failed, 1))
	outcome, err := person.Release(t.Context(), w.held(), other, hand)
	if err != nil || outcome != repair.Moved || w.state(other.Key) != "" {
		t.Errorf("%s, %v, and the other event's receipt is %q; want moved and no receipt", outcome, err, w.state(other.Key))
	}
}

// Who dismisses second is not the one who did it; whose answer was lost is.
func TestDismiss_ByTwoPeopleIsTheFirstOnes(t *testing.T) {
	for name, test := range map[string]struct {
		second inbox.ChangedBy
		want   repair.Outcome
	}{
		"another person":  {inbox.NewChangedBy("bob", "why", noon), repair.Moved},
		"the same change": {hand, repair.Dismissed},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.tell(w.held())
			person, _ := w.person(nil)
			if outcome, err := person.Dismiss(t.Context(), w.held(), hand); err != nil || outcome != repair.Dismissed {
				t.Fatal(outcome, err)
			}
			if outcome, err := person.Dismiss(t.Context(), w.held(), test.second); err != nil || outcome != test.want {
				t.Errorf("%s, %v, want %s", outcome, err, test.want)
			}
			if stored, _, _ := w.store.Receipt(t.Context(), w.held().Key); stored.ChangedBy != hand {
				t.Errorf("it says %+v, want %+v", stored.ChangedBy, hand)
			}
		})
	}
}

// busy refuses to rewrite a payout some times, as one that changes meanwhile.
type busy struct {
	repair.Store

	refusals int
}

func (b *busy) Rewrite(ctx context.Context, record payout.Record, read inbox.StoredPayout, by inbox.ChangedBy) (bool, error) {
	if b.refusals--; b.refusals >= 0 {
		return false, nil
	}
	return b.Store.Rewrite(ctx, record, read, by)
}

func TestRefold_TriesTenTimes(t *testing.T) {
	for refusals, written := range map[int]bool{0: true, 9: true, 10: false} {
		w := newWorld(t)
		w.tell(w.received(event(payout.Succeeded, 1)))
		w.store.DeleteRecord(one)
		person, _ := w.person(nil)
		person.Store = &busy{person.Store, refusals}
		plan, err := person.Rebuild(t.Context(), one, hand)
		if (err == nil) != written || written && plan.Verdict != repair.Differs || len(w.store.Records()) == 1 != written {
			t.Errorf("%d refusals: %s, %v, want it written: %v", refusals, plan.Verdict, err, written)
		}
	}
}
