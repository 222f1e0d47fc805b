package inbox_test

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"payout-callbacks/pkg/testkit/inboxtest"
)

// planned is a fault at one call of a run, counted from its beginning.
type planned struct {
	at    int
	fault inboxtest.Fault
}

// TestFaultMatrix runs every scenario with every fault at every call, and with
// every pair of faults; where two processes overlap, with the second one at
// every place in the first. Then faults stop, the queue delivers again and the
// sweeper runs, and all that is promised must hold.
//
// Which calls there are depends on the faults before them, so a second fault
// goes through the calls of the run that the first one made: what is done
// about a fault is itself put to the test.
func TestFaultMatrix(t *testing.T) {
	// Next to nothing is kept from case to case, so half of the time would go
	// into looking for garbage.
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	var cases atomic.Int64
	t.Run("scenarios", func(t *testing.T) {
		for _, s := range scenarios() {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				m := &matrix{T: t, scenario: s, settled: map[string]bool{}}
				m.explore()
				cases.Add(int64(m.cases))
				t.Logf("%d cases", m.cases)
			})
		}
	})
	t.Logf("the matrix ran %d cases", cases.Load())
	if cases.Load() < 60_000 {
		t.Error("the matrix has become a small one")
	}
}

// maxFailures bounds what one scenario complains of: what breaks one case
// breaks thousands.
const maxFailures = 3

type matrix struct {
	*testing.T
	scenario scenario
	checker  inboxtest.Checker
	settled  map[string]bool
	cases    int
	failures int
}

func (m *matrix) explore() {
	places := 1
	if m.scenario.overlaps {
		places = m.play(0, nil).outerCalls + 1
	}
	for place := range places {
		whole := m.play(place, nil)
		for first := range faultsFrom(whole, 0) {
			single := m.play(place, []planned{first})
			for second := range faultsFrom(single, first.at+1) {
				m.play(place, []planned{first, second})
				if m.failures >= maxFailures {
					return
				}
			}
		}
	}
}

// faultsFrom yields each fault that makes a difference at each call of a run.
func faultsFrom(r *run, from int) func(yield func(planned) bool) {
	return func(yield func(planned) bool) {
		for at := from; at < len(r.calls); at++ {
			for _, fault := range faultsOf(r.calls[at]) {
				if !yield(planned{at, fault}) {
					return
				}
			}
		}
	}
}

func faultsOf(call string) []inboxtest.Fault {
	switch {
	case isQuestion(call):
		// Where nothing changes it is one whether the call was made or not.
		return []inboxtest.Fault{inboxtest.Fails, inboxtest.TimesOut, inboxtest.StopsBefore}
	case call == "queue.Send":
		return append(everyFault(), inboxtest.TimesOutLate, inboxtest.Refuses)
	case call == "store.Apply" || call == "store.Claim":
		// Here the caller does not come back to try again.
		return append(everyFault(), inboxtest.TimesOutLate)
	}
	return everyFault()
}

func isQuestion(call string) bool {
	return call == "store.Due" || call == "store.OldestClaimed" || call == "queue.Waiting"
}

func everyFault() []inboxtest.Fault {
	return []inboxtest.Fault{
		inboxtest.Fails, inboxtest.Misreported, inboxtest.TimesOut, inboxtest.StopsBefore, inboxtest.StopsAfter,
	}
}

// play runs the scenario once, from its beginning until all has settled.
func (m *matrix) play(place int, plan []planned) *run {
	m.cases++
	r := newRun(m.Context(), plan)
	r.place, r.checker, r.settled = place, &m.checker, m.settled
	m.scenario.act(r)
	r.settle(m.scenario.want)
	if len(r.wrong) > 0 {
		m.failures++
		m.Errorf("%s", m.describe(r, plan))
	}
	return r
}

func (m *matrix) describe(r *run, plan []planned) string {
	var builder strings.Builder
	fmt.Fprintf(&builder, "%s\n", strings.Join(r.wrong, "\n"))
	if m.scenario.overlaps {
		fmt.Fprintf(&builder, "the second process ran before call %d of the first\n", r.place)
	}
	for n, call := range r.calls {
		at := slices.IndexFunc(plan, func(p planned) bool { return p.at == n })
		if at >= 0 {
			call += " " + plan[at].fault.String()
		}
		fmt.Fprintf(&builder, "%3d %s\n", n, call)
	}
	return builder.String() + r.state().Dump()
}
