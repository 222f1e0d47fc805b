package reconcile_test

import (
	"testing"

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
