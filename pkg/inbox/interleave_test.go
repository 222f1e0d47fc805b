package inbox_test

import (
	"testing"
	"time"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
)

// TestInterleavings runs two or three processes at once with their calls in every
// possible order, without faults and with one fault at any call.
func TestInterleavings(t *testing.T) {
	t.Parallel()
	succeeded := func(r *run) { r.accept(r.event(payout.Succeeded)) }
	failed := func(r *run) { r.accept(r.event(payout.Failed)) }
	acceptBoth := func(r *run) {
		succeeded(r)
		failed(r)
		r.pass(3 * time.Minute)
	}
	for _, test := range []struct {
		name   string
		before func(r *run)
		actors []func(r *run)
		faults int
		want   payout.Status
	}{
		{"two deliveries", nil, []func(*run){succeeded, succeeded}, 1, payout.Succeeded},
		{"three deliveries", nil, []func(*run){succeeded, succeeded, failed}, 0, payout.Conflicted},
		{"two consumers of one payout", acceptBoth, []func(*run){(*run).consumeOne, (*run).consumeOne}, 1, payout.Conflicted},
		{"two consumers of one message", func(r *run) { succeeded(r); succeeded(r) }, []func(*run){(*run).consumeOne, (*run).consumeOne}, 1, payout.Succeeded},
		{"a delivery and a consumer", failed, []func(*run){succeeded, (*run).consume}, 1, payout.Conflicted},
		{"the sweeper and a consumer", acceptBoth, []func(*run){(*run).sweep, (*run).consumeOne}, 1, payout.Conflicted},
		{"the sweeper and a delivery", acceptBoth, []func(*run){(*run).sweep, succeeded}, 1, payout.Conflicted},
		{"two sweepers", acceptBoth, []func(*run){(*run).sweep, (*run).sweep}, 0, payout.Conflicted},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := &matrix{T: t, settled: map[string]bool{}}
			c := &choices{}
			for more := true; more && m.failures < maxFailures; more = c.next() {
				m.cases++
				r := newRun(t.Context(), nil)
				r.checker, r.settled = &m.checker, m.settled
				if test.before != nil {
					r.faulty = false
					test.before(r)
					r.faulty = true
				}
				c.run(r, test.faults, test.actors)
				r.settle(test.want)
				if len(r.violations) > 0 {
					m.failures++
					t.Errorf("%s", m.describe(r, nil))
				}
			}
			t.Logf("%d interleavings", m.cases)
		})
	}
}

// choices is one path through all possible runs: which process makes the next call,
// and which fault the call has. The paths are run one after the other.
type choices struct {
	taken, options []int
	at             int
}

// choose returns the path's next choice out of n.
func (c *choices) choose(n int) int {
	if c.at == len(c.taken) {
		c.taken, c.options = append(c.taken, 0), append(c.options, n)
	}
	c.at++
	return c.taken[c.at-1]
}

// next advances to the next path, and returns false after the last one.
func (c *choices) next() bool {
	last := len(c.taken) - 1
	for last >= 0 && c.taken[last]+1 == c.options[last] {
		last--
	}
	if last < 0 {
		return false
	}
	c.taken, c.options, c.at = c.taken[:last+1], c.options[:last+1], 0
	c.taken[last]++
	return true
}

// actor is a process that makes a call only when it is its turn.
type actor struct {
	turn  chan struct{} // receives when the actor may continue
	ready chan bool     // true: the actor waits for its turn; false: it has returned
}

// run runs the actors along one path. Only one goroutine runs at any time.
func (c *choices) run(r *run, faults int, acts []func(r *run)) {
	var alive []*actor
	for _, act := range acts {
		a := &actor{turn: make(chan struct{}), ready: make(chan bool)}
		alive = append(alive, a)
		go func() {
			<-a.turn
			r.gate = func(call string) inboxtest.Fault {
				a.ready <- true
				<-a.turn
				return c.fault(r, call, &faults)
			}
			act(r)
			a.ready <- false
		}()
	}
	for len(alive) > 0 {
		n := c.choose(len(alive))
		alive[n].turn <- struct{}{}
		if !<-alive[n].ready {
			alive = append(alive[:n:n], alive[n+1:]...)
		}
	}
	r.gate = nil
}

// fault chooses the fault of a call, while faults are left.
func (c *choices) fault(r *run, call string, left *int) inboxtest.Fault {
	r.calls = append(r.calls, call)
	if *left == 0 {
		return inboxtest.None
	}
	faults := faultsFor(call)
	n := c.choose(len(faults) + 1)
	if n == 0 {
		return inboxtest.None
	}
	*left--
	r.calls[len(r.calls)-1] += " " + faults[n-1].String()
	return faults[n-1]
}
