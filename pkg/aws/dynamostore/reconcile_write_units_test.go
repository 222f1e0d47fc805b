package dynamostore

import (
	"maps"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/memory"
)

// ledger is one payout whose writes are billed.
type ledger struct {
	t     *testing.T
	cost  billed
	store *Store
	box   *inbox.Inbox
	now   time.Time
	spent float64 // write units
}

func newLedger(t *testing.T) *ledger {
	l := &ledger{t: t, cost: billed{}, now: now}
	l.store = newBilledStore(t, l.cost)
	queue := &memory.Queue{Now: time.Now, MaxReceives: 1}
	l.box = &inbox.Inbox{
		Store: l.store, Queue: queue, Now: func() time.Time { return l.now }, Queries: map[string]inbox.QueryMode{"cregis": inbox.QueriesAll},
	}
	return l
}

const billedID = "cregis/payout/1382528827416576/1391751691788288"

func stated(source payout.Source, status payout.Status, at time.Time) inbox.Receipt {
	e := payout.Event{
		ID: billedID, Source: source, Reference: "20230705120000", Status: status, Amount: "1.1", Currency: "195@195",
		To: "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS", Deadline: now.Add(10 * time.Minute).UnixMilli(),
	}
	switch source {
	case payout.SourceReconciler:
		e = payout.Event{ID: billedID, Source: source, Status: status, Reason: "open"}
	case payout.SourceCallback:
		e.Source, e.Deadline = "", 0
	}
	return inbox.NewReceipt(e, []byte(`{"pid":1382528827416576}`), "0a1b2c3d", at)
}

func (l *ledger) expect() {
	if _, _, err := l.box.ApplyNew(l.t.Context(), stated(payout.SourceExpectation, payout.Expected, l.now)); err != nil {
		l.t.Fatal(err)
	}
}

// accept accepts a statement, and applies it if it is new.
func (l *ledger) accept(source payout.Source, status payout.Status) {
	receipt := stated(source, status, l.now)
	result, err := l.box.Accept(l.t.Context(), receipt)
	if err != nil {
		l.t.Fatal(err)
	}
	if result.Acceptance == inbox.AcceptedNew {
		if _, err := l.box.Apply(l.t.Context(), receipt); err != nil {
			l.t.Fatal(err)
		}
	}
}

// ask makes the writes of a run about a payout whose provider answers.
func (l *ledger) ask(answer payout.Status) {
	stored, err := l.store.Payout(l.t.Context(), billedID)
	if err != nil {
		l.t.Fatal(err)
	}
	l.now = stored.Schedule.At
	claimed := stored.Claimed(l.now)
	if _, ok, err := l.store.ClaimQuery(l.t.Context(), reconcile.DueQuery{ID: billedID, At: l.now, Confirms: stored.Schedule.Confirms}, claimed); err != nil || !ok {
		l.t.Fatalf("claim: %t, %v", ok, err)
	}
	l.want("claim of a query", billed{"PayoutsTable": 1, "queries": 2, "reads": 0.5})
	if answer != "" {
		l.accept(payout.SourceQuery, answer)
	}
	next := claimed
	next.Result = "answered"
	if err := l.store.FinishQuery(l.t.Context(), billedID, claimed, next); err != nil {
		l.t.Fatal(err)
	}
}

// want checks the units since its last call.
func (l *ledger) want(step string, want billed) {
	l.t.Helper()
	l.t.Logf("%s: %s", step, l.cost)
	if !maps.Equal(l.cost, want) {
		l.t.Errorf("%s costs %s, want %s", step, l.cost, want)
	}
	l.spent += l.cost.writeUnits()
	clear(l.cost)
}

// docs/PERFORMANCE.md explains each number.
func TestReconcileWriteUnits_ExpectationAndCallback(t *testing.T) {
	l := newLedger(t)
	l.expect()
	l.want("expectation", billed{"ReceiptsTable": 2, "PayoutsTable": 2, "reference": 1, "queries": 1, "reads": 0.5})
	l.expect()
	l.want("the same expectation", billed{"reads": 0.5})
	l.accept(payout.SourceCallback, payout.Succeeded)
	l.want("callback", billed{"ReceiptsTable": 3, "unapplied": 2, "PayoutsTable": 2, "queries": 2, "reads": 0.5})
	if l.spent > 18 {
		t.Errorf("an expectation and a callback cost %g write units, want at most 18", l.spent)
	}
	l.ask(payout.Succeeded)
	l.want("confirmation and finish", billed{"ReceiptsTable": 3, "unapplied": 2, "PayoutsTable": 2, "queries": 1, "refused": 1, "reads": 0.5})
}

func TestReconcileWriteUnits_LostCallback(t *testing.T) {
	l := newLedger(t)
	l.expect()
	l.want("expectation", billed{"ReceiptsTable": 2, "PayoutsTable": 2, "reference": 1, "queries": 1, "reads": 0.5})
	l.ask(payout.Pending)
	l.want("pending answer and finish", billed{"ReceiptsTable": 3, "unapplied": 2, "PayoutsTable": 3, "reads": 0.5})
	for range 3 {
		l.ask(payout.Pending)
		l.want("the same answer and finish", billed{"refused": 1, "PayoutsTable": 1})
	}
	l.accept(payout.SourceReconciler, payout.Overdue)
	l.want("overdue statement", billed{"ReceiptsTable": 3, "unapplied": 2, "PayoutsTable": 2, "overdue": 1, "reads": 0.5})
	l.ask(payout.Succeeded)
	l.want("final answer of an overdue payout", billed{"ReceiptsTable": 3, "unapplied": 2, "PayoutsTable": 2, "overdue": 1, "queries": 1, "refused": 1, "reads": 0.5})
}

// docs/adr/0016 compares reading first with a transaction that assumes a new payout.
func TestApplyWriteUnits_ReadFirst(t *testing.T) {
	for name, test := range map[string]struct {
		isRead bool
		first  billed
		later  billed
	}{
		"read first":       {true, billed{"ReceiptsTable": 2, "PayoutsTable": 2, "unapplied": 1, "reference": 1, "reads": 0.5}, billed{"ReceiptsTable": 2, "PayoutsTable": 2, "unapplied": 1, "reads": 0.5}},
		"assume it is new": {false, billed{"ReceiptsTable": 2, "PayoutsTable": 2, "unapplied": 1, "reference": 1}, billed{"ReceiptsTable": 2, "PayoutsTable": 2, "unapplied": 1, "refused": 4}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t)
			for _, status := range []payout.Status{payout.Pending, payout.Succeeded} {
				receipt := stated(payout.SourceCallback, status, l.now)
				if _, err := l.store.Create(t.Context(), receipt); err != nil {
					t.Fatal(err)
				}
				clear(l.cost)
				l.apply(receipt, test.isRead)
				l.want(string(status), map[payout.Status]billed{payout.Pending: test.first, payout.Succeeded: test.later}[status])
			}
		})
	}
}

func (l *ledger) apply(receipt inbox.Receipt, isRead bool) {
	var record payout.Record
	if isRead {
		stored, err := l.store.Payout(l.t.Context(), billedID)
		if err != nil {
			l.t.Fatal(err)
		}
		record = stored.Record
	}
	for {
		next, outcome := record.Apply(receipt.Event)
		applied := receipt
		applied.State, applied.Outcome, applied.AppliedAt = inbox.Applied, outcome, now
		failed, err := l.store.Apply(l.t.Context(), inbox.Change{Receipt: applied, Record: next, ExpectedVersion: record.Version})
		switch {
		case err != nil:
			l.t.Fatal(err)
		case failed == nil:
			return
		}
		record = failed.Payout.Record
	}
}
