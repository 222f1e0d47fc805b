package simulation

import (
	"strings"
	"time"

	"payout-callbacks/pkg/testkit/inboxtest"
)

// weather is what goes wrong in a history, until it clears.
type faultPlan struct {
	clear    time.Time // when faults stop
	outages  []outage
	faults   int // calls that go wrong, per thousand
	overlap  int // calls in the middle of which another process runs, per hundred
	wrongful int // processes whose clock is wrong, per hundred
}

type outage struct {
	of       string // the beginning of the names of the calls that fail
	from, to time.Time
}

func (w *world) forecast() faultPlan {
	plan := faultPlan{
		clear:    w.now.Add(w.between(time.Hour, 40*time.Hour)),
		faults:   pick(w, 0, 0, 10, 50, 200),
		overlap:  pick(w, 0, 5, 30),
		wrongful: pick(w, 0, 0, 10),
	}
	for range w.rand.IntN(4) {
		from := w.now.Add(w.between(0, plan.clear.Sub(w.now)))
		// Most are short, some are as long as the queue's patience, a few outlast it.
		length := w.between(time.Second, pick(w, time.Minute, time.Hour, 20*time.Hour))
		plan.outages = append(plan.outages, outage{
			of: pick(w, "store.", "store.", "queue.", "secrets."), from: from, to: from.Add(length),
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
		plan.wrongful = 0
	}
	return plan
}

// pick draws one of some values.
func pick[T any](w *world, values ...T) T { return values[w.rand.IntN(len(values))] }

// down reports whether a call meets an outage.
func (w *world) down(call string) bool {
	if !w.now.Before(w.clear) {
		return false
	}
	for _, o := range w.outages {
		if strings.HasPrefix(call, o.of) && !w.now.Before(o.from) && w.now.Before(o.to) {
			return true
		}
	}
	return false
}

// decide says how a call of a process goes. Time passes, and another process
// may run, before it is made.
func (w *world) decide(process, call string) inboxtest.Fault {
	w.tally.Calls++
	w.changed = w.changed || call != "store.Due" && call != "store.OldestClaimed" && call != "queue.Waiting"
	w.now = w.now.Add(w.between(0, 50*time.Millisecond))
	w.letOthersRun()
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
	case w.down(call):
		return pick(w, inboxtest.Fails, inboxtest.Fails, inboxtest.TimesOut)
	case !w.now.Before(w.clear) || w.rand.IntN(1000) >= w.faults:
		return inboxtest.None
	case call == "queue.Send" && w.chance(20):
		return pick(w, inboxtest.Partial, inboxtest.Refuses)
	}
	return pick(w, inboxtest.Fails, inboxtest.Misreported, inboxtest.TimesOut, inboxtest.TimesOutLate,
		inboxtest.StopsBefore, inboxtest.StopsAfter)
}

// maxDepth bounds how many processes are in the middle of something at once.
const maxDepth = 3

// letOthersRun does what is next on the agenda in the middle of a process, if
// it is to happen about now.
func (w *world) letOthersRun() {
	if w.depth > maxDepth || !w.chance(w.overlap) || len(w.agenda.entries) == 0 {
		return
	}
	if w.agenda.entries[0].at.Sub(w.now) < 10*time.Second {
		w.step()
	}
}

// skew is how wrong the clock of a process is.
func (w *world) skew() time.Duration {
	if !w.chance(w.wrongful) {
		return 0
	}
	return pick(w, -time.Hour, -time.Second, time.Second, 10*time.Minute)
}
