package reconcile_test

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/inboxtest"
)

// TestFaultMatrix runs every scenario of claim, ask, accept, and apply with every fault at
// every call of the store, the queue, the accounts, the secret, and the provider, and with
// every pair of faults. If two processes overlap, every fault is tried with the second
// process at every place in the first. Then faults stop and the clock goes on: every
// expected payout must end as the provider says, confirmed, with the invariants kept.
func TestFaultMatrix(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // the cases keep almost no memory
	var cases atomic.Int64
	t.Run("scenarios", func(t *testing.T) {
		for _, s := range faultScenarios() {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				m := &faultMatrix{T: t, scenario: s, settled: map[string]bool{}}
				m.explore()
				cases.Add(int64(m.cases))
				t.Logf("%d cases", m.cases)
			})
		}
	})
	t.Logf("the matrix ran %d cases", cases.Load())
	if cases.Load() < 20_000 {
		t.Error("the matrix has too few cases")
	}
}

// faultScenario is what happens while calls may fail. The provider's truth is final once
// the faults stop.
type faultScenario struct {
	name     string
	act      func(r *faultRun)
	overlaps bool              // two processes run at once
	want     func(r *faultRun) // in the end
}

type faultMatrix struct {
	*testing.T

	scenario faultScenario
	checker  inboxtest.Checker
	settled  map[string]bool
	cases    int
	failures int
}

func (m *faultMatrix) explore() {
	places := 1
	if m.scenario.overlaps {
		places = len(m.play(1<<30, nil).calls)
	}
	for place := range places {
		whole := m.play(place, nil)
		for first := range faultsOf(whole, 0) {
			single := m.play(place, []planned{first})
			if m.scenario.overlaps {
				continue
			}
			for second := range faultsOf(single, first.at+1) {
				m.play(place, []planned{first, second})
				if m.failures >= 3 {
					return
				}
			}
		}
	}
}

// faultsOf yields each fault that makes a difference for each call of a run, beginning
// with call from.
func faultsOf(r *faultRun, from int) func(yield func(planned) bool) {
	changes := []inboxtest.Fault{inboxtest.Fails, inboxtest.Misreported, inboxtest.TimesOut, inboxtest.StopsBefore, inboxtest.StopsAfter}
	reads := []inboxtest.Fault{inboxtest.Fails, inboxtest.StopsBefore}
	asks := []inboxtest.Fault{inboxtest.Fails, inboxtest.Misreported, inboxtest.TimesOut, inboxtest.StopsBefore}
	isRead := func(call string) bool {
		return slices.Contains([]string{
			"store.Due", "store.OldestClaimed", "store.DueQueries", "store.DueHeld", "store.Payout", "store.ByReference", "queue.Waiting", "deadLetters.Receive", "secrets.Credentials",
		}, call)
	}
	return func(yield func(planned) bool) {
		for at := from; at < len(r.calls); at++ {
			faults := changes
			switch call := r.calls[at]; {
			case isRead(call):
				faults = reads
			case call == "provider.Ask":
				faults = asks
			}
			for _, fault := range faults {
				if !yield(planned{at, fault}) {
					return
				}
			}
		}
	}
}

func (m *faultMatrix) play(place int, plan []planned) *faultRun {
	m.cases++
	r := newFaultRun(m.Context(), &m.checker, m.settled, plan)
	r.place = place
	m.scenario.act(r)
	r.answerFinally()
	if r.settle() {
		m.scenario.want(r)
	}
	if len(r.violations) > 0 {
		m.failures++
		m.Errorf("%s", r.describe())
	}
	return r
}

func (r *faultRun) describe() string {
	var builder strings.Builder
	fmt.Fprintf(&builder, "%s\nthe second process, if any, ran before call %d\n", strings.Join(r.violations, "\n"), r.place)
	for n, call := range r.calls {
		if at := slices.IndexFunc(r.plan, func(p planned) bool { return p.at == n }); at >= 0 {
			call += " " + r.plan[at].fault.String()
		}
		fmt.Fprintf(&builder, "%3d %s\n", n, call)
	}
	return builder.String() + r.state().Dump()
}

// answers returns the answer that states an event.
func answers(event payout.Event) reconcile.Answer {
	event.Source = payout.SourceQuery
	return reconcile.Answer{Outcome: reconcile.Answered, Statements: []reconcile.Statement{{Event: event, Body: []byte(`{"status":6}`)}}}
}

// answerFinally has the provider state that the payout succeeded.
func (r *faultRun) answerFinally() {
	r.truth = func(asked payout.ID) reconcile.Answer {
		if asked != paid {
			return reconcile.Answer{Outcome: reconcile.NoID}
		}
		return answers(succeeded(paid, "1.1"))
	}
}

func (r *faultRun) finalCallback() {
	r.callback(inbox.NewReceipt(succeeded(paid, "1.1"), []byte("a body"), "k", r.now))
}

// heldCallback receives a callback that is not understood and whose body states a status.
func (r *faultRun) heldCallback(stated payout.Status) {
	r.provider.stated = stated
	r.callback(inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "cregis", Type: payout.TypePayout, Account: account, Subject: []byte("s"), Reason: "field", ProviderID: "9001", Reference: "R-1",
	}, []byte("a held body"), "k", r.now))
}

// due passes the deadline, and asks and applies.
func (r *faultRun) due() {
	r.pass(11 * time.Minute)
	r.reconcile()
	r.consume()
}

func wantPaid(isExpected bool) func(r *faultRun) {
	return func(r *faultRun) { r.wantRecord(paid, payout.Succeeded, true, isExpected) }
}

func wantLinked(r *faultRun) {
	r.wantRecord(paid, payout.Succeeded, true, true)
	r.wantRecord(expected, payout.Linked, false, true)
}

func wantHeld(state inbox.State) func(r *faultRun) {
	return func(r *faultRun) {
		r.wantRecord(paid, payout.Succeeded, true, false)
		for _, receipt := range r.store.Receipts() {
			if receipt.WasHeld() && receipt.State != state {
				r.failf("the callback is %s, want %s", receipt.State, state)
			}
		}
	}
}

func faultScenarios() []faultScenario {
	return []faultScenario{
		{name: "the callback is lost", want: wantPaid(true), act: func(r *faultRun) {
			r.expect(withID)
			r.answerFinally()
			r.due()
		}},
		{name: "not found, then final", want: wantPaid(true), act: func(r *faultRun) {
			r.expect(withID)
			r.due()
			r.answerFinally()
			r.due()
		}},
		{name: "confirmed", want: wantPaid(false), act: func(r *faultRun) {
			r.finalCallback()
			r.consume()
			r.answerFinally()
			r.due()
		}},
		{name: "an older answer", want: wantPaid(true), act: func(r *faultRun) {
			r.expect(withID)
			r.finalCallback()
			r.consume()
			r.truth = func(payout.ID) reconcile.Answer {
				return answers(payout.Event{ID: paid, Status: payout.Pending, Reference: "R-1"})
			}
			r.due()
		}},
		{name: "without an id, then with it", want: wantLinked, act: func(r *faultRun) {
			r.expect(noID)
			r.expect(withID)
			r.answerFinally()
			r.due()
		}},
		{name: "without an id, then a callback", want: wantLinked, act: func(r *faultRun) {
			r.expect(noID)
			r.finalCallback()
			r.consume()
			r.answerFinally()
			r.due()
		}},
		{name: "another amount", act: func(r *faultRun) {
			r.faulty = false
			r.expect(strings.Replace(withID, "1.1", "2", 1))
			r.faulty = true
			r.answerFinally()
			r.finalCallback()
			r.consume()
			r.due()
		}, want: func(r *faultRun) {
			r.wantRecord(paid, payout.Conflicted, false, true)
			_, isAnswered := r.store.Record(paid).FinalBy[payout.Succeeded]
			if !isAnswered && r.store.Schedule(paid).Result != string(reconcile.Unusable) {
				r.failf("nobody asked about the conflict")
			}
		}},
		{name: "a held callback", want: wantHeld(inbox.Answered), act: func(r *faultRun) {
			r.heldCallback(payout.Succeeded)
			r.answerFinally()
			r.due()
			r.reconcile()
		}},
		{name: "a held callback of another status", want: wantHeld(inbox.Held), act: func(r *faultRun) {
			r.heldCallback(payout.Failed)
			r.answerFinally()
			r.due()
			r.reconcile()
		}},
		{name: "two runs at once", overlaps: true, want: wantPaid(true), act: func(r *faultRun) {
			r.expectThen(func() { r.overlap(r.reconcile, r.reconcile) })
		}},
		{name: "two runs at once without a lease", overlaps: true, want: wantPaid(true), act: func(r *faultRun) {
			r.noLease = true
			r.expectThen(func() { r.overlap(r.reconcile, r.reconcile) })
		}},
		{name: "a callback in the middle of a run", overlaps: true, want: wantPaid(true), act: func(r *faultRun) {
			r.expectThen(func() { r.overlap(r.reconcile, func() { r.finalCallback(); r.consume() }) })
		}},
		{name: "an expectation in the middle of a run", overlaps: true, want: wantLinked, act: func(r *faultRun) {
			r.finalCallback()
			r.consume()
			r.expect(noID)
			r.answerFinally()
			r.pass(11 * time.Minute)
			r.overlap(r.reconcile, func() { r.expect(withID) })
			r.consume()
		}},
	}
}

// expectThen acts at the deadline of an expected payout that has ended.
func (r *faultRun) expectThen(act func()) {
	r.expect(withID)
	r.answerFinally()
	r.pass(11 * time.Minute)
	act()
	r.consume()
	r.reconcile()
	r.consume()
}
