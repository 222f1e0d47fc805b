package inboxtest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// heldAbout returns a held callback that names a payout.
func heldAbout(n int) inbox.Receipt {
	return inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "pivot", Type: payout.TypePayout, Account: "922e39ab", Subject: fmt.Append(nil, n), Reason: "field",
		ProviderID: fmt.Sprint("uuid-", n), Reference: "ref % / 1",
	}, []byte("\xff body"), "0a1b2c3d", start)
}

func dueHeldOf(r inbox.Receipt) reconcile.DueHeld {
	return reconcile.DueHeld{Key: r.Key, At: r.Query.At, AcceptedAt: r.AcceptedAt}
}

func listsHeld(t *testing.T, h Harness) {
	var want []reconcile.DueHeld
	for n := range 40 {
		held := heldAbout(n)
		held.Query.At, held.AcceptedAt = start.Add(time.Duration(n*7%40)*time.Second), start.Add(-time.Duration(n)*time.Second)
		create(t.Context(), t, h.Store, held)
		want = append(want, dueHeldOf(held))
	}
	create(t.Context(), t, h.Store, heldReceipt("names no payout", nil))
	create(t.Context(), t, h.Store, received(event(1, payout.Succeeded), "{}"))
	slices.SortFunc(want, func(a, b reconcile.DueHeld) int { return a.At.Compare(b.At) })
	for limit, count := range map[int]int{25: 25, 100: 31} {
		got, err := h.Store.DueHeld(t.Context(), start.Add(30*time.Second), limit)
		if diff := cmp.Diff(want[:count], got); err != nil || diff != "" {
			t.Errorf("limit %d: %v, due (-want +got):\n%s", limit, err, diff)
		}
	}
}

func claimsHeldOnce(t *testing.T, h Harness) {
	held, waiting := heldAbout(1), heldReceipt("names no payout", nil)
	create(t.Context(), t, h.Store, held)
	create(t.Context(), t, h.Store, waiting)
	claimed := held
	claimed.Query = inbox.Schedule{At: start.Add(time.Hour), Tries: 1, AskedAt: start, Result: "not-found"}
	got, ok, err := h.Store.ClaimHeld(t.Context(), dueHeldOf(held), claimed.Query)
	if diff := cmp.Diff(claimed, got, same); err != nil || !ok || diff != "" {
		t.Fatalf("claim: %t, %v, receipt (-want +got):\n%s", ok, err, diff)
	}
	for _, due := range []reconcile.DueHeld{dueHeldOf(held), {Key: waiting.Key, At: start}, dueHeldOf(heldAbout(2))} {
		if _, ok, err := h.Store.ClaimHeld(t.Context(), due, inbox.Schedule{}); ok || err != nil {
			t.Errorf("claim %v: %t, %v, want false", due, ok, err)
		}
	}
	h.wantReceipt(t, claimed)
	h.wantReceipt(t, waiting)
	if due, err := h.Store.DueHeld(t.Context(), start.Add(time.Minute), 10); err != nil || len(due) > 0 {
		t.Errorf("claimed, and due: %v, %v", due, err)
	}
}

func finishesHeld(t *testing.T, h Harness) {
	held := heldAbout(1)
	create(t.Context(), t, h.Store, held)
	for _, other := range []inbox.Schedule{{At: held.Query.At.Add(1e6)}, {At: held.Query.At, Tries: 1}, {}} {
		if err := h.Store.FinishHeld(t.Context(), held.Key, other, inbox.Schedule{}); err != nil {
			t.Error(err)
		}
	}
	h.wantReceipt(t, held)
	before := held.Query
	for _, next := range []inbox.Schedule{{At: start.Add(time.Hour), Tries: 1, AskedAt: start, Result: "not-found"}, {Tries: 2, AskedAt: start, Result: "answered"}} {
		if err := h.Store.FinishHeld(t.Context(), held.Key, before, next); err != nil {
			t.Error(err)
		}
		held.Query, before = next, next
		h.wantReceipt(t, held)
	}
	if due, err := h.Store.DueHeld(t.Context(), start.Add(1000*time.Hour), 10); err != nil || len(due) > 0 {
		t.Errorf("ended, and due: %v, %v", due, err)
	}
	if moved, err := h.Repairs.Reindex(t.Context(), held.Key, start); moved || err != nil {
		t.Errorf("reindex: %t, %v, want the index to match", moved, err)
	}
}

func keepsReleased(t *testing.T, h Harness) {
	for n, state := range []inbox.State{inbox.Released, inbox.Dismissed} {
		held := heldAbout(n)
		create(t.Context(), t, h.Store, held)
		h.close(t, closed(held, state), inbox.Held)
		want := closed(held, state)
		want.Query = inbox.Schedule{}
		h.wantReceipt(t, want)
		if due, err := h.Store.DueHeld(t.Context(), start.Add(1000*time.Hour), 10); err != nil || len(due) > 0 {
			t.Errorf("%s, and due: %v, %v", state, due, err)
		}
		if _, ok, err := h.Store.ClaimHeld(t.Context(), dueHeldOf(held), asked); ok || err != nil {
			t.Errorf("claim: %t, %v, want false", ok, err)
		}
		for _, claimed := range []inbox.Schedule{held.Query, {}} {
			if err := h.Store.FinishHeld(t.Context(), held.Key, claimed, asked); err != nil {
				t.Error(err)
			}
		}
		if ok, err := h.Store.AnswerHeld(t.Context(), held.Key, inbox.Key{Payout: "p", Receipt: "r"}, changedBy); ok || err != nil {
			t.Errorf("answer: %t, %v, want false", ok, err)
		}
		h.wantReceipt(t, want)
	}
}

func answersHeld(t *testing.T, h Harness) {
	answer := received(event(1, payout.Succeeded, func(e *payout.Event) { e.Source = payout.SourceQuery }), "{}").Key
	for _, held := range []inbox.Receipt{heldAbout(1), heldReceipt("names no payout", nil)} {
		create(t.Context(), t, h.Store, held)
		if ok, err := h.Store.AnswerHeld(t.Context(), held.Key, answer, changedBy); err != nil || !ok {
			t.Fatalf("answer: %t, %v", ok, err)
		}
		want := held
		want.State, want.ReleasedAs, want.ChangedBy, want.Query = inbox.Answered, answer, changedBy, inbox.Schedule{}
		h.wantReceipt(t, want)
		if ok, err := h.Store.AnswerHeld(t.Context(), held.Key, inbox.Key{Payout: "p", Receipt: "r"}, inbox.ChangedBy{}); err != nil || ok {
			t.Errorf("answer again: %t, %v, want false", ok, err)
		}
		h.close(t, closed(held, inbox.Released), inbox.Answered)
		if existing, err := h.Store.Create(t.Context(), held); err != nil || existing.State != inbox.Answered {
			t.Errorf("create again: %+v, %v, want answered", existing, err)
		}
		h.wantReceipt(t, want)
	}
	if due, err := h.Store.DueHeld(t.Context(), start.Add(1000*time.Hour), 10); err != nil || len(due) > 0 {
		t.Errorf("answered, and due: %v, %v", due, err)
	}
	waiting := received(event(1, payout.Succeeded), "{}")
	create(t.Context(), t, h.Store, waiting)
	for _, key := range []inbox.Key{waiting.Key, heldAbout(2).Key} {
		if ok, err := h.Store.AnswerHeld(t.Context(), key, answer, changedBy); err != nil || ok {
			t.Errorf("answer %v: %t, %v, want false", key, ok, err)
		}
	}
	h.wantReceipt(t, waiting)
}
