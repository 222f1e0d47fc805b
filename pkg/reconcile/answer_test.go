package reconcile_test

import (
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// An answer about something else is not used, and makes nothing overdue.
func TestRun_AnswerAboutAnotherPayout(t *testing.T) {
	for name, id := range map[string]payout.ID{
		"another id":       payout.NewID("cregis", payout.TypePayout, account, "9002", ""),
		"another account":  payout.NewID("cregis", payout.TypePayout, other, "9001", ""),
		"another provider": payout.NewID("pivot", payout.TypePayout, account, "9001", ""),
	} {
		w := newWorld(t)
		w.expect(withID)
		w.providers["cregis"].answers[paid] = answers(succeeded(id, "1.1"))
		got := w.run(11 * minute)
		if got.Outcomes[reconcile.Unusable] != 1 || got.Accepted != 0 || got.Overdue != 0 {
			t.Errorf("%s: got %+v, want an unusable answer", name, got)
		}
		w.wantRecord(paid, payout.Expected, nil)
		w.wantRecord(id, "", nil)
		w.providers["cregis"].answers[paid] = reconcile.Answer{Outcome: reconcile.Answered, Statements: []reconcile.Statement{{
			Held: &inbox.HeldCallback{Provider: id.Provider(), Account: other, Source: payout.SourceQuery, Type: payout.TypePayout, Reason: "unknown-status"},
		}}}
		if got := w.run(12 * minute); got.Outcomes[reconcile.Unusable] != 1 {
			t.Errorf("%s, held: got %+v, want an unusable answer", name, got)
		}
	}
}

// A batch that is done while items are pending has not ended.
func TestRun_BatchDoneWithPendingItems(t *testing.T) {
	w := newWorld(t)
	id := payout.NewID("pivot", payout.TypeBatch, other, "u", "")
	w.expect(`{"provider":"pivot","type":"batch","account":"` + other + `","id":"u","amount":"3","items":3}`)
	done := payout.Event{ID: id, Status: payout.Done, Totals: payout.Totals{
		Pending: payout.Tally{Count: 1, Amount: "1"}, Succeeded: payout.Tally{Count: 2, Amount: "2"},
	}}
	w.answer(done)
	w.run(11 * minute)
	w.wantRecord(id, payout.Pending, hasOverdue("open"))
	done.Totals = payout.Totals{Pending: payout.Tally{Amount: "0"}, Succeeded: payout.Tally{Count: 3, Amount: "3"}}
	w.answer(done)
	w.run(11 * minute)
	w.wantRecord(id, payout.Done, func(r payout.Record) bool { return r.IsConfirmed() && !r.IsOverdue() })
}

// A conflict of the amount does not keep the end of the payout unknown.
func TestRun_ConflictBeforeTheEnd(t *testing.T) {
	w := newWorld(t)
	w.expect(withID)
	w.answer(payout.Event{ID: paid, Status: payout.Pending, Amount: "2"})
	w.run(11 * minute)
	w.wantRecord(paid, payout.Conflicted, nil)
	w.run(minute)
	w.answer(succeeded(paid, "2"))
	w.run(20 * minute)
	w.wantRecord(paid, payout.Conflicted, payout.Record.HasEnded)
	w.asked("cregis")
	w.run(minute)
	for range 10 {
		w.run(24 * time.Hour)
	}
	if n := w.asked("cregis"); n != 1 {
		t.Errorf("asked %d times about a conflict whose end is known, want once", n)
	}
}

// Two different expectations without an id are compared with the payout once the callback
// brings the id.
func TestRun_LinksConflictingExpectations(t *testing.T) {
	w := newWorld(t)
	w.expect(noID)
	w.expect(strings.Replace(noID, "1.1", "2", 1))
	w.callback(succeeded(paid, "1.1"))
	w.run(11 * minute)
	w.wantRecord(paid, payout.Conflicted, payout.Record.IsExpected)
	for range 3 {
		w.run(24 * time.Hour)
	}
	if at := w.store.Schedule(expected).At; !at.IsZero() {
		t.Errorf("the payout without the id is linked, and asked about at %s", at)
	}
}

// A query before the deadline makes nothing overdue.
func TestRun_PendingBeforeTheDeadline(t *testing.T) {
	w := newWorld(t)
	w.expect(strings.Replace(withID, `"TRX"`, `"TRX","due":"24h"`, 1))
	pending := payout.Event{ID: paid, Status: payout.Pending, Reference: "R-1"}
	w.callback(pending)
	w.answer(pending)
	if got := w.run(12 * minute); got.Outcomes[reconcile.Answered] != 1 {
		t.Fatalf("got %+v, want an answer", got)
	}
	w.wantRecord(paid, payout.Pending, func(r payout.Record) bool { return len(r.Overdue) == 0 })
}

// An answer about a request that does not list the payout is no answer about the payout.
func TestRun_ItemNotListed(t *testing.T) {
	w := newWorld(t)
	id := payout.NewID("pivot", payout.TypePayout, other, "u", "a")
	w.callback(payout.Event{ID: id, Source: payout.SourceExpectation, Status: payout.Expected, Reference: "a", Deadline: w.now.UnixMilli()})
	w.callback(payout.Event{ID: id, Status: payout.Delayed, Reference: "a"})
	listed := payout.Event{ID: payout.NewID("pivot", payout.TypePayout, other, "u", "b"), Source: payout.SourceQuery, Status: payout.Succeeded, Reference: "b"}
	w.providers["pivot"].answers[id] = answers(listed)
	w.run(11 * minute)
	w.wantRecord(id, payout.Delayed, hasOverdue("unknown-to-provider"))
}

// An account without credentials is reported once, however many of its payouts are due.
func TestRun_ReportsAccountOnce(t *testing.T) {
	w := newWorld(t)
	delete(w.providers["cregis"].credentials, account)
	for _, n := range []string{"1", "2", "3"} {
		w.callback(payout.Event{ID: payout.NewID("cregis", payout.TypePayout, account, n, ""), Status: payout.Pending})
	}
	if got := w.run(11 * minute); got.Outcomes[reconcile.NoCredentials] != 3 || len(got.Failing) != 1 {
		t.Errorf("got %+v, want one report", got)
	}
}
