package reconcile_test

import (
	"fmt"
	"testing"
	"time"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/inboxtest"
)

// TestInterleavings has two runs at once, with one lease and without, at every pair of
// places: the first run stops before its call i, the second before its call j, then the
// first ends and then the second. The expectation comes before or after them, the callback
// is lost or comes before or after them, and the provider answers in each way. However
// these are combined, the payout ends as the provider says.
func TestInterleavings(t *testing.T) {
	t.Parallel()
	m := &faultMatrix{T: t, settled: map[string]bool{}}
	for _, c := range combinations() {
		for isMore, i := true, 0; isMore && m.failures < 3; i++ {
			isMore = false
			for j := range 13 { // more than the calls of a run
				isMore = m.playTwice(c, i, j) || isMore
			}
		}
	}
	t.Logf("%d interleavings", m.cases)
	if m.cases < 4_000 {
		t.Error("too few interleavings")
	}
}

// combination is what happens around two runs at once.
type combination struct {
	answer                string
	answers               []reconcile.Answer // in turn
	expectation, callback string             // early, late, or lost
	noLease               bool
}

func combinations() []combination {
	pending := answers(payout.Event{ID: paid, Status: payout.Pending, Reference: "R-1"})
	final := answers(succeeded(paid, "1.1"))
	var all []combination
	for _, answer := range []combination{
		{answer: "pending", answers: []reconcile.Answer{pending}},
		{answer: "final", answers: []reconcile.Answer{final}},
		{answer: "not found", answers: []reconcile.Answer{{Outcome: reconcile.NotFound}}},
		{answer: "final, then older", answers: []reconcile.Answer{final, pending}},
	} {
		for _, expectation := range []string{"early", "late"} {
			for _, callback := range []string{"early", "late", "lost"} {
				for _, noLease := range []bool{false, true} {
					all = append(all, combination{answer.answer, answer.answers, expectation, callback, noLease})
				}
			}
		}
	}
	return all
}

// playTwice plays a combination with two pairs of runs, and reports whether a run has a
// call i.
func (m *faultMatrix) playTwice(c combination, i, j int) (hasCall bool) {
	m.cases++
	r := newFaultRun(m.Context(), &m.checker, m.settled, nil)
	r.noLease = c.noLease
	asked := 0
	r.truth = func(payout.ID) reconcile.Answer { asked++; return c.answers[min(asked, len(c.answers))-1] }
	for _, when := range []string{"early", "late"} {
		if c.expectation == when {
			r.expect(withID)
		}
		if c.callback == when {
			r.finalCallback()
		}
		r.consume()
		r.pass(11 * time.Minute)
		hasCall = r.interleave(i, j) || hasCall
	}
	r.answerFinally()
	if r.settle() {
		r.wantRecord(paid, payout.Succeeded, true, true)
	}
	if len(r.violations) > 0 {
		m.failures++
		m.Errorf("%+v, places %d and %d:\n%s", c, i, j, r.describe())
	}
	return hasCall
}

// interleave runs two runs of the reconciler: the first until its call i, the second until
// its call j, then the first until its end, then the second. It reports whether the first
// has a call i. Only one goroutine runs at any time.
func (r *faultRun) interleave(i, j int) bool {
	first, second := r.newActor("first", i), r.newActor("second", j)
	isFirstWaiting := first.proceed()
	isSecondWaiting := second.proceed()
	if isFirstWaiting {
		first.proceed()
	}
	if isSecondWaiting {
		second.proceed()
	}
	return isFirstWaiting
}

// runActor is a run of the reconciler that stops before one of its calls.
type runActor struct {
	turn  chan struct{} // receives when the run may go on
	ready chan bool     // true: it waits before its call; false: it has ended
}

func (r *faultRun) newActor(name string, stop int) runActor {
	a := runActor{make(chan struct{}), make(chan bool)}
	go func() {
		<-a.turn
		calls := 0
		r.gate = func(call string) inboxtest.Fault {
			if calls == stop {
				a.ready <- true
				<-a.turn
			}
			calls++
			r.calls = append(r.calls, fmt.Sprintf("%s: %s", name, call))
			return inboxtest.None
		}
		r.reconcile()
		r.gate = nil
		a.ready <- false
	}()
	return a
}

func (a runActor) proceed() bool {
	a.turn <- struct{}{}
	return <-a.ready
}
