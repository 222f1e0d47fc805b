package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"payout-callbacks/pkg/aws/secrets"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/memory"
	"payout-callbacks/pkg/testkit/traffic"
)

// world is one history.
type world struct {
	seed     uint64
	disabled Disable
	rand     *rand.Rand
	now      time.Time
	agenda   agenda

	store    *memory.Store
	queue    *memory.Queue
	accounts *memory.Accounts
	secrets  *secretStore
	functions
	reconciliation

	faultPlan
	changed bool // since the last check
	depth   int  // of processes that overlap

	ledger     traffic.Ledger
	unreadable int // dead-letter messages that only an operator can handle

	tally       Tally
	wrong       []string
	writesSteps bool
	steps       strings.Builder
	lastLine    string
}

// reconciliation is what providers and our own service know, and what they have stated.
type reconciliation struct {
	mode      inbox.QueryMode
	truths    []*truth
	strangers []payout.ID             // expected payouts that never end
	api       map[string]*providerAPI // by provider
	hadNoKey  map[string]bool         // providers whose API key was once not stored
	stated    map[inbox.Key]string    // bodies of answers, by the receipt that they may leave
	ordered   map[inbox.Key]string    // bodies of expectations, by the receipt that they may leave
	expected  map[payout.ID][]payout.Event
	meant     map[inbox.Key]payout.Status // what held callbacks mean
	answered  answered
}

func (w *world) newReconciliation() reconciliation {
	return reconciliation{
		mode: pick(w, inbox.QueriesAll, inbox.QueriesAll, inbox.QueriesAll, inbox.QueriesOpen),
		api:  map[string]*providerAPI{}, hadNoKey: map[string]bool{}, stated: map[inbox.Key]string{}, ordered: map[inbox.Key]string{},
		expected: map[payout.ID][]payout.Event{}, meant: map[inbox.Key]payout.Status{}, answered: answered{},
	}
}

var beginning = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

func newWorld(seed uint64, disabled Disable) *world {
	random := rand.New(rand.NewPCG(seed, 1))
	w := &world{seed: seed, disabled: disabled, rand: random, now: beginning, store: &memory.Store{}, accounts: &memory.Accounts{}}
	w.queue = &memory.Queue{Now: w.clock, Rand: w.rand, Visibility: 3 * time.Minute, MaxReceives: 10}
	w.warm, w.environments = map[string]*secrets.Keys{}, map[string]*environment{}
	w.reconciliation = w.newReconciliation()
	w.faultPlan = w.planFaults()
	w.secrets = newSecrets(w)
	return w
}

func (w *world) clock() time.Time { return w.now }

// run plays the history until no work is left.
func (w *world) run() {
	w.tally.Histories = 1
	w.plan()
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

// step takes the next step of the agenda.
func (w *world) step() {
	next := w.agenda.pop()
	w.tally.Steps++
	if next.at.After(w.now) {
		w.now = next.at
	}
	next.act()
	w.planRuns()
}

// after adds a step to the agenda.
func (w *world) after(wait time.Duration, act func()) {
	w.agenda.push(w.now.Add(wait), act)
}

// process runs one function of the application, and reports whether it ended.
func (w *world) process(name string, work func(ctx context.Context, p *inboxtest.Process, box *inbox.Inbox)) bool {
	p := &inboxtest.Process{Store: w.store, Queue: w.queue, DeadLetters: w.queue, Accounts: w.accounts}
	p.Decide = func(call string) inboxtest.Fault { return w.decide(name, call) }
	ctx, cancel := p.Context(context.Background(), time.Hour)
	defer cancel()
	skew := w.skew()
	w.depth++
	box := p.Inbox(func() time.Time { return w.now.Add(skew) })
	box.Queries = w.queries()
	work(ctx, p, box)
	w.depth--
	w.check()
	return !p.Stopped()
}

// check checks the invariants, if anything has changed.
func (w *world) check() {
	if !w.changed || len(w.wrong) > 0 {
		return
	}
	w.changed = false
	state := w.state()
	w.allowDerived(state)
	w.wrong = append(w.wrong, w.ledger.Check(state)...)
}

// checkEnd checks the final state: each payout is what its callbacks state, and
// nothing else is stored or queued.
func (w *world) checkEnd() {
	w.ledger.AcknowledgeAll() // providers and operators retry until they are acknowledged
	state := w.state()
	w.allowDerived(state)
	w.wrong = append(w.wrong, w.ledger.CheckFinal(state)...)
	w.checkReconciled(state)
	for _, record := range state.Records {
		if record.Status() == payout.Conflicted {
			w.tally.Conflicts++
		}
	}
	if live, dead := w.queue.Depth(); live != 0 || dead != w.unreadable {
		w.complainf("%d messages and %d dead letters are left, of which %d are unreadable", live, dead, w.unreadable)
	}
}

func (w *world) queries() map[string]inbox.QueryMode {
	return map[string]inbox.QueryMode{"cregis": w.mode, "pivot": w.mode}
}

func (w *world) state() inboxtest.State {
	state := inboxtest.State{
		Receipts: w.store.Receipts(), Records: w.store.Records(), Schedules: w.store.Schedules(), Queries: w.queries(),
	}
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

// notef adds a line to the steps, if they are written. Of equal lines in a row it
// adds the first.
func (w *world) notef(format string, args ...any) {
	if !w.writesSteps {
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

// chance returns true in percent of a hundred cases.
func (w *world) chance(percent int) bool { return w.rand.IntN(100) < percent }

// between returns a random duration.
func (w *world) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.rand.Int64N(int64(most-least)))
}
