package simulation

import (
	"strings"
	"time"

	"payout-callbacks/pkg/testkit/inboxtest"
)

// faultPlan is what goes wrong in a history until the faults stop.
type faultPlan struct {
	clear   time.Time // when faults stop
	outages []outage
	faults  int // calls that go wrong, per thousand
	overlap int // calls in the middle of which another process runs, per hundred
	skewed  int // processes whose clock is wrong, per hundred
}

type outage struct {
	calls    string // prefix of the calls that fail
	from, to time.Time
}

func (w *world) planFaults() faultPlan {
	plan := faultPlan{
		clear:   w.now.Add(w.between(time.Hour, 40*time.Hour)),
		faults:  pick(w, 0, 0, 10, 50, 200),
		overlap: pick(w, 0, 5, 30),
		skewed:  pick(w, 0, 0, 10),
	}
	for range w.rand.IntN(4) {
		from := w.now.Add(w.between(0, plan.clear.Sub(w.now)))
		// Most are short, some exhaust the receives of a message, a few outlast its retention.
		length := w.between(time.Second, pick(w, time.Minute, time.Hour, 20*time.Hour))
		plan.outages = append(plan.outages, outage{
			calls: pick(w, "store.", "store.", "queue.", "secrets.", "provider."), from: from, to: from.Add(length),
		})
	}
	if w.disabled&Faults != 0 {
		plan.faults = 0
	}
	if w.disabled&Outages != 0 {
		plan.outages = nil
	}
	if w.disabled&Overlaps != 0 {
		plan.overlap = 0
	}
	if w.disabled&Skew != 0 {
		plan.skewed = 0
	}
	return plan
}

// pick returns one of the values.
func pick[T any](w *world, values ...T) T { return values[w.rand.IntN(len(values))] }

// isDown reports whether a call meets an outage.
func (w *world) isDown(call string) bool {
	if !w.now.Before(w.clear) {
		return false
	}
	for _, o := range w.outages {
		if strings.HasPrefix(call, o.calls) && !w.now.Before(o.from) && w.now.Before(o.to) {
			return true
		}
	}
	return false
}

// reads are the calls that change nothing.
var reads = map[string]bool{
	"store.Due": true, "store.OldestClaimed": true, "store.Payout": true, "store.DueQueries": true, "store.DueHeld": true,
	"store.ByReference": true, "queue.Waiting": true, "accounts.Acquire": true, "accounts.Release": true, "provider.Ask": true,
}

// decide returns how a call of a process goes. Before the call time passes, and
// another process may run.
func (w *world) decide(process, call string) inboxtest.Fault {
	w.tally.Calls++
	w.changed = w.changed || !reads[call]
	w.now = w.now.Add(w.between(0, 50*time.Millisecond))
	w.runOthers()
	fault := w.faultFor(call)
	if fault != inboxtest.None {
		w.tally.Faults++
	}
	if fault == inboxtest.TimesOut || fault == inboxtest.TimesOutLate {
		w.now = w.now.Add(2 * time.Second)
	}
	w.notef("%s: %s %s", process, call, fault)
	return fault
}

func (w *world) faultFor(call string) inboxtest.Fault {
	switch {
	case w.isDown(call):
		return pick(w, inboxtest.Fails, inboxtest.Fails, inboxtest.TimesOut)
	case !w.now.Before(w.clear) || w.rand.IntN(1000) >= w.faults:
		return inboxtest.None
	case call == "queue.Send" && w.chance(20):
		return pick(w, inboxtest.Partial, inboxtest.Refuses)
	}
	return pick(w, inboxtest.Fails, inboxtest.Misreported, inboxtest.TimesOut, inboxtest.TimesOutLate,
		inboxtest.StopsBefore, inboxtest.StopsAfter)
}

// maxDepth is how many processes may overlap.
const maxDepth = 3

// runOthers takes the next step of the agenda in the middle of a process, if the
// step is due within seconds.
func (w *world) runOthers() {
	if w.depth > maxDepth || !w.chance(w.overlap) || len(w.agenda.entries) == 0 {
		return
	}
	if w.agenda.entries[0].at.Sub(w.now) < 10*time.Second {
		w.step()
	}
}

// skew returns by how much the clock of a process is wrong.
func (w *world) skew() time.Duration {
	if !w.chance(w.skewed) {
		return 0
	}
	return pick(w, -time.Hour, -time.Second, time.Second, 10*time.Minute)
}
