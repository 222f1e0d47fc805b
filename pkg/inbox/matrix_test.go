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

// TestFaultMatrix runs every scenario with every fault at every call, and with every
// pair of faults; if two processes overlap, with the second at every place in the
// first. Then faults stop, the queue redelivers and the sweeper runs, and all
// invariants must hold.
//
// The calls of a run depend on the faults before them, so the second fault is tried
// at each call of the run with the first fault: recovery is tested with faults, too.
func TestFaultMatrix(t *testing.T) {
	// The cases keep almost no memory, so frequent collections would take half of the
	// time.
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
		t.Error("the matrix has too few cases")
	}
}

// maxFailures limits the failures that one scenario reports: a defect often fails
// thousands of cases.
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

// faultsFrom yields each fault for each call of a run, beginning with call from.
func faultsFrom(r *run, from int) func(yield func(planned) bool) {
	return func(yield func(planned) bool) {
		for at := from; at < len(r.calls); at++ {
			for _, fault := range faultsFor(r.calls[at]) {
				if !yield(planned{at, fault}) {
					return
				}
			}
		}
	}
}

// faultsFor returns the faults that make a difference for a call.
func faultsFor(call string) []inboxtest.Fault {
	switch {
	case isRead(call):
		// A read changes nothing, so it does not matter whether it was done.
		return []inboxtest.Fault{inboxtest.Fails, inboxtest.TimesOut, inboxtest.StopsBefore}
	case call == "queue.Send":
		return append(allFaults(), inboxtest.TimesOutLate, inboxtest.Refuses)
	case call == "store.Apply" || call == "store.Claim":
		// The caller does not retry these.
		return append(allFaults(), inboxtest.TimesOutLate)
	}
	return allFaults()
}

func isRead(call string) bool {
	return call == "store.Due" || call == "store.OldestClaimed" || call == "queue.Waiting"
}

func allFaults() []inboxtest.Fault {
	return []inboxtest.Fault{
		inboxtest.Fails, inboxtest.Misreported, inboxtest.TimesOut, inboxtest.StopsBefore, inboxtest.StopsAfter,
	}
}

// play runs the scenario once until the system has settled.
func (m *matrix) play(place int, plan []planned) *run {
	m.cases++
	r := newRun(m.Context(), plan)
	r.place, r.checker, r.settled = place, &m.checker, m.settled
	m.scenario.act(r)
	r.settle(m.scenario.want)
	if len(r.violations) > 0 {
		m.failures++
		m.Errorf("%s", m.describe(r, plan))
	}
	return r
}

func (m *matrix) describe(r *run, plan []planned) string {
	var builder strings.Builder
	fmt.Fprintf(&builder, "%s\n", strings.Join(r.violations, "\n"))
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
