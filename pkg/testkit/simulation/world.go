package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"time"

	"payout-callbacks/pkg/aws/secrets"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/memory"
)

// world is one history.
type world struct {
	seed     uint64
	disabled Disable
	rand     *rand.Rand
	now      time.Time
	agenda   agenda

	store   *memory.Store
	queue   *memory.Queue
	secrets *secretStore
	functions

	faultPlan
	checker inboxtest.Checker
	changed bool // since the last check
	depth   int  // of processes that overlap

	delivered    map[inbox.Key][]string
	acknowledged []inbox.Key
	expected     map[payout.ID][]fact // what the providers told, in their own words
	unreadable   int

	tally     Tally
	wrong     []string
	narrating bool
	steps     strings.Builder
	lastLine  string
}

// fact is what a callback or a person means, as the one who tells it knows it.
type fact struct {
	key      inbox.Key
	event    payout.Event
	decision *payout.Resolution
}

var beginning = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

func newWorld(seed uint64, without Disable) *world {
	chance := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a history must be repeatable
	w := &world{
		seed: seed, disabled: without, rand: chance, now: beginning,
		store: &memory.Store{}, delivered: map[inbox.Key][]string{}, expected: map[payout.ID][]fact{},
	}
	w.queue = &memory.Queue{Now: w.clock, Rand: w.rand, Visibility: 3 * time.Minute, MaxReceives: 10}
	w.warm = map[string]*secrets.Keys{}
	w.faultPlan = w.forecast()
	w.secrets = newSecrets(w)
	return w
}

func (w *world) clock() time.Time { return w.now }

// run plays the history from its beginning until nothing is left to do.
func (w *world) run() {
	w.tally.Histories = 1
	w.begin()
	const most = 20_000 // a thousand times what a history takes
	for len(w.agenda.entries) > 0 && len(w.wrong) == 0 {
		w.step()
		if w.tally.Steps > most || w.now.After(w.clear.Add(14*24*time.Hour)) {
			w.complainf("I3: not settled at %s, faults stopped at %s", w.stamp(w.now), w.stamp(w.clear))
		}
	}
	if len(w.wrong) == 0 {
		w.checkEnd()
	}
}

// step does what is next on the agenda.
func (w *world) step() {
	next := w.agenda.pop()
	w.tally.Steps++
	if next.at.After(w.now) {
		w.now = next.at
	}
	next.act()
	w.keepGoing()
}

// after puts something on the agenda.
func (w *world) after(wait time.Duration, act func()) {
	w.agenda.push(w.now.Add(wait), act)
}

// process runs one function of the application, and reports whether it came to
// its end.
func (w *world) process(name string, work func(ctx context.Context, p *inboxtest.Process, box *inbox.Inbox)) bool {
	p := &inboxtest.Process{Store: w.store, Queue: w.queue, DeadLetters: w.queue}
	p.Decide = func(call string) inboxtest.Fault { return w.decide(name, call) }
	ctx, cancel := p.Context(context.Background(), time.Hour)
	defer cancel()
	skew := w.skew()
	w.depth++
	work(ctx, p, p.Inbox(func() time.Time { return w.now.Add(skew) }))
	w.depth--
	w.check()
	return !p.Stopped()
}

// check holds what is there to the invariants, if anything has changed.
func (w *world) check() {
	if !w.changed || len(w.wrong) > 0 {
		return
	}
	w.changed = false
	w.wrong = w.checker.Check(w.state(), w.acknowledged, false)
}

// checkEnd is the reckoning: all that was told has come to be, and nothing else.
func (w *world) checkEnd() {
	for id, facts := range w.expected {
		if id == "" {
			// A held callback that is written anew is another one, because
			// nobody can say what of it means something; it is enough that the
			// one that was acknowledged is there.
			continue
		}
		for _, f := range facts {
			w.acknowledged = append(w.acknowledged, f.key)
		}
	}
	w.wrong = w.checker.Check(w.state(), w.acknowledged, true)
	for id, facts := range w.expected {
		if id == "" {
			continue // held callbacks are of no payout
		}
		var want payout.Record
		for _, item := range facts {
			if item.decision != nil {
				want, _ = want.Resolve(*item.decision)
				continue
			}
			want, _ = want.Apply(item.event)
		}
		got := w.store.Record(id)
		if !reflect.DeepEqual(want, got) {
			w.complainf("I7: payout %s is %+v, and the provider told %+v", id, got, want)
		}
		if got.Status() == payout.Conflicted {
			w.tally.Conflicts++
		}
	}
	live, dead := w.queue.Depth()
	if live != 0 || dead != w.unreadable {
		w.complainf("%d messages and %d dead letters are left, of which %d are a person's", live, dead, w.unreadable)
	}
}

func (w *world) state() inboxtest.State {
	state := inboxtest.State{Receipts: w.store.Receipts(), Records: w.store.Records(), Delivered: w.delivered}
	for _, message := range w.queue.Messages() {
		if !message.Unreadable {
			state.Queued = append(state.Queued, message.Receipt)
		}
	}
	return state
}

func (w *world) complainf(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// notef adds a line to the story, where one is told; of many that say the same
// in a row, the first.
func (w *world) notef(format string, args ...any) {
	if !w.narrating {
		return
	}
	line := strings.Repeat("  ", w.depth) + fmt.Sprintf(format, args...)
	if line != w.lastLine {
		fmt.Fprintf(&w.steps, "%s %s\n", w.stamp(w.now), line)
	}
	w.lastLine = line
}

func (w *world) stamp(at time.Time) string {
	return fmt.Sprintf("%10.3fs", at.Sub(beginning).Seconds())
}

// chance reports true in so many of a hundred cases.
func (w *world) chance(percent int) bool { return w.rand.IntN(100) < percent }

// between draws a duration.
func (w *world) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.rand.Int64N(int64(most-least)))
}
