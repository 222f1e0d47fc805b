package inboxtest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// RunRepairs runs the contract of repair.Store, which the harness holds as Repairs.
func RunRepairs(t *testing.T, newHarness func(t *testing.T) Harness) {
	for name, test := range map[string]func(*testing.T, Harness){
		"close twice":                      closesOnce,
		"release a dismissed receipt":      releasesDismissed,
		"close a receipt that is not held": closesHeldOnly,
		"create a closed receipt (I7)":     keepsClosed,
		"rewrite":                          rewrites,
		"rewrite a changed payout (I4)":    rejectsRewrite,
		"apply to a rewritten payout":      mergesIntoRewritten,
		"schedule of a rewritten payout":   reschedules,
		"reindex a receipt that matches":   keepsIndex,
		"cancelled context":                repairsNothing,
		"absent payout and receipt":        findsNothing,
		"receipts of a payout":             listsReceipts,
		"closed receipt is not due":        closedNotDue,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newHarness(t))
		})
	}
}

var changedBy = inbox.NewChangedBy("alice", "ticket 4711", start.Add(time.Hour))

func closed(r inbox.Receipt, state inbox.State) inbox.Receipt {
	r.State, r.ChangedBy = state, changedBy
	if state == inbox.Released {
		r.ReleasedAs = received(event(1, payout.Succeeded), "").Key
	}
	return r
}

// close closes a receipt, and wants it to be in state before.
func (h Harness) close(t *testing.T, r inbox.Receipt, before inbox.State) {
	t.Helper()
	if got, err := h.Repairs.Close(t.Context(), r); err != nil || got != before {
		t.Errorf("close as %s: was %q, %v, want %q", r.State, got, err, before)
	}
}

func (h Harness) wantReceipt(t *testing.T, want inbox.Receipt) {
	t.Helper()
	got, ok, err := h.Repairs.Receipt(t.Context(), want.Key)
	if diff := cmp.Diff(want, got, same); err != nil || !ok || diff != "" {
		t.Errorf("ok = %t, %v, receipt (-want +got):\n%s", ok, err, diff)
	}
}

func closesOnce(t *testing.T, h Harness) {
	for _, state := range []inbox.State{inbox.Released, inbox.Dismissed} {
		held := heldReceipt(string(state), []byte("\xff body"))
		create(t.Context(), t, h.Store, held)
		h.close(t, closed(held, state), inbox.Held)
		h.wantReceipt(t, closed(held, state))
		again := closed(held, state)
		again.ChangedBy.By = "bob"
		if state == inbox.Released {
			h.close(t, again, inbox.Released)
			h.wantReceipt(t, closed(held, state))
		}
		again.State = inbox.Dismissed
		h.close(t, again, state)
		h.wantReceipt(t, closed(held, state))
	}
}

func releasesDismissed(t *testing.T, h Harness) {
	held := heldReceipt("subject", []byte("body"))
	create(t.Context(), t, h.Store, held)
	h.close(t, closed(held, inbox.Dismissed), inbox.Held)
	h.close(t, closed(held, inbox.Released), inbox.Dismissed)
	h.wantReceipt(t, closed(held, inbox.Released))
}

func closesHeldOnly(t *testing.T, h Harness) {
	waiting := received(event(1, payout.Succeeded), "{}")
	create(t.Context(), t, h.Store, waiting)
	h.close(t, closed(waiting, inbox.Released), inbox.Received)
	h.wantReceipt(t, waiting)
	absent := heldReceipt("absent", nil)
	h.close(t, closed(absent, inbox.Dismissed), "")
	if _, ok, err := h.Repairs.Receipt(t.Context(), absent.Key); ok || err != nil {
		t.Errorf("absent: ok = %t, %v", ok, err)
	}
}

func keepsClosed(t *testing.T, h Harness) {
	for _, state := range []inbox.State{inbox.Released, inbox.Dismissed} {
		held := heldReceipt(string(state), nil)
		create(t.Context(), t, h.Store, held)
		h.close(t, closed(held, state), inbox.Held)
		if existing, err := h.Store.Create(t.Context(), held); err != nil || existing.State != state {
			t.Errorf("again: existing %+v, %v, want %s", existing, err, state)
		}
	}
}

func closedNotDue(t *testing.T, h Harness) {
	held := heldReceipt("subject", nil)
	create(t.Context(), t, h.Store, held)
	h.close(t, closed(held, inbox.Released), inbox.Held)
	if due, err := h.Store.Due(t.Context(), start.Add(100*time.Hour), 10); err != nil || len(due) > 0 {
		t.Errorf("due: %v, %v", due, err)
	}
}

// storedPayout reads a payout that exists and is not damaged.
func (h Harness) storedPayout(t *testing.T, id payout.ID) inbox.StoredPayout {
	t.Helper()
	s, err := h.Repairs.StoredPayout(t.Context(), id)
	if err != nil || !s.Exists || s.Damage != nil {
		t.Fatalf("%+v, %v", s, err)
	}
	return s
}

func (h Harness) rewrite(t *testing.T, record payout.Record, read inbox.StoredPayout, want bool) {
	t.Helper()
	if done, err := h.Repairs.Rewrite(t.Context(), record, read, changedBy); err != nil || done != want {
		t.Errorf("rewrite: %t, %v, want %t", done, err, want)
	}
}

func rewrites(t *testing.T, h Harness) {
	record := h.apply(t, received(event(1, payout.Succeeded), "{}"), payout.Record{})
	other, _ := payout.Record{}.Apply(event(1, payout.Failed))
	h.rewrite(t, other, h.storedPayout(t, record.ID), true)
	if diff := other.Differences(h.storedPayout(t, record.ID).Record); len(diff) > 0 {
		t.Errorf("rewritten: %+v", diff)
	}
	absent, err := h.Repairs.StoredPayout(t.Context(), event(2, "").ID)
	if err != nil || absent.Exists {
		t.Fatalf("%+v, %v", absent, err)
	}
	created, _ := payout.Record{}.Apply(event(2, payout.Failed))
	h.rewrite(t, created, absent, true)
	h.rewrite(t, created, absent, false)
	if diff := created.Differences(h.storedPayout(t, created.ID).Record); len(diff) > 0 {
		t.Errorf("created: %+v", diff)
	}
}

func rejectsRewrite(t *testing.T, h Harness) {
	record := h.apply(t, received(event(1, payout.Pending), "{}"), payout.Record{})
	read := h.storedPayout(t, record.ID)
	next := h.apply(t, received(event(1, payout.Succeeded), "{}"), record)
	h.rewrite(t, record, read, false)
	if diff := next.Differences(h.storedPayout(t, record.ID).Record); len(diff) > 0 {
		t.Errorf("it was overwritten: %+v", diff)
	}
}

func reschedules(t *testing.T, h Harness) {
	item := h.schedule(t, 1, asked)
	h.rewrite(t, item.Record, h.storedPayout(t, item.Record.ID), true)
	h.wantSchedule(t, item.Record.ID, inbox.Schedule{At: changedBy.At, AskedAt: asked.AskedAt, Result: asked.Result})
	confirmed, _ := item.Record.Apply(event(1, payout.Succeeded, func(e *payout.Event) { e.Source = payout.SourceQuery }))
	h.rewrite(t, confirmed, h.storedPayout(t, item.Record.ID), true)
	h.wantSchedule(t, item.Record.ID, inbox.Schedule{AskedAt: asked.AskedAt, Result: asked.Result})
	if due, err := h.Store.DueQueries(t.Context(), start.Add(1000*time.Hour), 10); err != nil || len(due) > 0 {
		t.Errorf("confirmed, and due: %v, %v", due, err)
	}
}

func mergesIntoRewritten(t *testing.T, h Harness) {
	record := h.apply(t, received(event(1, payout.Pending), "{}"), payout.Record{})
	h.rewrite(t, record, h.storedPayout(t, record.ID), true)
	next := h.apply(t, received(event(1, payout.Succeeded), "{}"), record)
	if diff := next.Differences(h.storedPayout(t, record.ID).Record); len(diff) > 0 {
		t.Errorf("merged: %+v", diff)
	}
}

func keepsIndex(t *testing.T, h Harness) {
	waiting, held := received(event(1, payout.Succeeded), "{}"), heldReceipt("subject", nil)
	create(t.Context(), t, h.Store, waiting)
	create(t.Context(), t, h.Store, held)
	h.apply(t, received(event(2, payout.Succeeded), "{}"), payout.Record{})
	done := received(event(2, payout.Succeeded), "{}")
	asked := heldAbout(1)
	create(t.Context(), t, h.Store, asked)
	for _, key := range []inbox.Key{waiting.Key, held.Key, asked.Key, done.Key, heldReceipt("absent", nil).Key} {
		if moved, err := h.Repairs.Reindex(t.Context(), key, start); err != nil || moved {
			t.Errorf("%v: moved = %t, %v", key, moved, err)
		}
	}
	h.wantReceipt(t, waiting)
	h.wantReceipt(t, asked)
}

func listsReceipts(t *testing.T, h Harness) {
	h.apply(t, received(event(1, payout.Pending), "{}"), payout.Record{})
	create(t.Context(), t, h.Store, received(event(1, payout.Succeeded), "{}"))
	create(t.Context(), t, h.Store, received(event(12, payout.Succeeded), "{}"))
	states := map[inbox.State]int{}
	for receipt, err := range h.Repairs.ReceiptsOf(t.Context(), event(1, "").ID) {
		if err != nil {
			t.Fatal(err)
		}
		states[receipt.State]++
	}
	if diff := cmp.Diff(map[inbox.State]int{inbox.Applied: 1, inbox.Received: 1}, states); diff != "" {
		t.Errorf("receipts (-want +got):\n%s", diff)
	}
}

func findsNothing(t *testing.T, h Harness) {
	id := event(1, "").ID
	storedPayout, err := h.Repairs.StoredPayout(t.Context(), id)
	if err != nil || storedPayout.Exists || storedPayout.Record.ID != id {
		t.Errorf("%+v, %v", storedPayout, err)
	}
	if _, ok, err := h.Repairs.Receipt(t.Context(), received(event(1, payout.Failed), "").Key); ok || err != nil {
		t.Errorf("absent receipt: ok = %t, %v", ok, err)
	}
}

func repairsNothing(t *testing.T, h Harness) {
	held := heldReceipt("subject", nil)
	create(t.Context(), t, h.Store, held)
	record := h.apply(t, received(event(1, payout.Succeeded), "{}"), payout.Record{})
	read := h.storedPayout(t, record.ID)
	ctx, cancel := cancelled(t)
	defer cancel()
	if _, err := h.Repairs.Close(ctx, closed(held, inbox.Released)); err == nil {
		t.Error("close: no error")
	}
	if _, err := h.Repairs.Rewrite(ctx, payout.Record{ID: record.ID, Version: 1}, read, changedBy); err == nil {
		t.Error("rewrite: no error")
	}
	if _, err := h.Repairs.StoredPayout(ctx, record.ID); err == nil {
		t.Error("stored payout: no error")
	}
	for _, err := range h.Repairs.ReceiptsOf(ctx, record.ID) {
		if err == nil {
			t.Error("receipts of: no error")
		}
	}
	h.wantReceipt(t, held)
}
