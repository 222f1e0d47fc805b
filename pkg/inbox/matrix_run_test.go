package inbox_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/memory"
)

// run is one play of a scenario: stores in memory, a clock that it moves, and
// processes whose calls go wrong as planned.
type run struct {
	//nolint:containedctx // a run is as long as its test
	ctx   context.Context
	now   time.Time
	store *memory.Store
	queue *memory.Queue

	checker   *inboxtest.Checker
	plan      []planned
	faulty    bool // until faults stop
	changed   bool // since the last check
	storeDown bool
	calls     []string // made while faulty

	gate       func(call string) inboxtest.Fault // where processes take turns
	place      int                               // where in an outer process the inner one runs
	outer      *inboxtest.Process                // the process that another one overlaps
	outerCalls int
	inner      func()

	settled      map[string]bool // summaries of states that were settled from
	told         map[inbox.Key][]string
	acknowledged []inbox.Key
	refused      []inbox.Receipt // not acknowledged: the sender may tell it again
	foreign      int
	wrong        []string
}

func newRun(ctx context.Context, plan []planned) *run {
	r := &run{
		ctx: ctx, now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), store: &memory.Store{},
		plan: plan, faulty: true, told: map[inbox.Key][]string{},
	}
	// Three receives instead of ten: two faults are enough to reach the dead letters.
	r.queue = &memory.Queue{Now: r.clock, Visibility: 3 * time.Minute, MaxReceives: 3}
	return r
}

func (r *run) clock() time.Time { return r.now }

// process runs one function of the application, and reports whether it came to
// its end.
func (r *run) process(work func(ctx context.Context, p *inboxtest.Process, box *inbox.Inbox)) bool {
	p := &inboxtest.Process{Store: r.store, Queue: r.queue, DeadLetters: r.queue}
	gate := r.gate // of the process that begins here
	p.Decide = func(call string) inboxtest.Fault {
		if gate != nil {
			r.changed = true
			return gate(call)
		}
		return r.decide(p, call)
	}
	ctx, cancel := p.Context(r.ctx, time.Hour)
	defer cancel()
	if r.inner != nil && r.outer == nil {
		r.outer = p
	}
	work(ctx, p, p.Inbox(r.clock))
	r.check(false)
	return !p.Stopped()
}

func (r *run) decide(p *inboxtest.Process, call string) inboxtest.Fault {
	r.changed = r.changed || !isQuestion(call)
	if !r.faulty {
		return inboxtest.None
	}
	if p == r.outer {
		if r.outerCalls == r.place && r.inner != nil {
			r.runInner()
		}
		r.outerCalls++
	}
	n := len(r.calls)
	r.calls = append(r.calls, call)
	at := slices.IndexFunc(r.plan, func(p planned) bool { return p.at == n })
	switch {
	case at >= 0:
		return r.plan[at].fault
	case r.storeDown && strings.HasPrefix(call, "store."):
		return inboxtest.Fails
	}
	return inboxtest.None
}

// overlap runs inner in the middle of outer, before the call of outer whose
// turn it is; after outer, where it has fewer.
func (r *run) overlap(outer, inner func()) {
	r.inner = inner
	outer()
	if r.inner != nil {
		r.runInner()
	}
}

func (r *run) runInner() {
	inner := r.inner
	r.inner = nil
	inner()
}

// accept is a callback that comes in; its sender learns how it ended only if
// the process lives that long.
func (r *run) accept(receipt inbox.Receipt) {
	r.told[receipt.Key] = append(r.told[receipt.Key], string(receipt.Body))
	acknowledged := false
	alive := r.process(func(ctx context.Context, _ *inboxtest.Process, box *inbox.Inbox) {
		_, err := box.Accept(ctx, receipt)
		acknowledged = err == nil
	})
	if !alive || !acknowledged {
		r.refused = append(r.refused, receipt)
		return
	}
	r.acknowledged = append(r.acknowledged, receipt.Key)
}

// consume is one delivery of what is in sight, and the consumer's rules: what
// fails or is foreign stays in the queue, and the rest is deleted. Messages go
// one by one, because side by side no run would be repeatable. Package
// simulation does the same with the consumer itself.
func (r *run) consume() { r.consumeMost(10) }

func (r *run) consumeMost(most int) {
	messages := r.queue.Deliver(most)
	if len(messages) == 0 {
		return
	}
	r.process(func(ctx context.Context, p *inboxtest.Process, box *inbox.Inbox) {
		var done []string
		for _, message := range messages {
			wait := time.Duration(0)
			if !message.Unreadable {
				wait = 30 * time.Second
				if _, err := box.Apply(ctx, message.Receipt); err == nil {
					done = append(done, message.Handle)
					continue
				}
			}
			_ = p.Call(ctx, "queue.Postpone", func() error { r.queue.Nack(message.Handle, wait); return nil })
		}
		for _, handle := range done {
			// Lambda's own call, with what the process returned.
			_ = p.Call(ctx, "queue.Delete", func() error { r.queue.Ack(handle); return nil })
		}
	})
}

func (r *run) sweep() {
	r.process(func(ctx context.Context, _ *inboxtest.Process, box *inbox.Inbox) {
		if _, err := box.Sweep(ctx, 100); err != nil && !r.faulty {
			r.complainf("sweep without faults: %v", err)
		}
	})
}

func (r *run) sendForeign() {
	r.foreign++
	r.queue.SendUnreadable()
}

func (r *run) pass(d time.Duration) { r.now = r.now.Add(d) }

// settle ends the faults and gives the system the time that it needs. Then the
// senders tell again what nobody acknowledged, and it all has to settle once more.
//
// It does nothing where another run of the scenario has come to the same state.
func (r *run) settle(want payout.Status) {
	r.faulty, r.storeDown = false, false
	before := r.summary()
	if r.settled[before] {
		return
	}
	r.settled[before] = true
	r.drain()
	r.check(true)
	for _, receipt := range r.refused {
		r.accept(receipt)
	}
	r.drain()
	for key := range r.told {
		r.acknowledged = append(r.acknowledged, key)
	}
	r.check(true)
	left := 0
	for _, message := range r.queue.Messages() {
		if message.Unreadable {
			left++
		}
	}
	if left != r.foreign {
		r.complainf("%d foreign messages are left of %d: they are a person's", left, r.foreign)
	}
	if want != "" {
		r.wantStatus(want)
	}
}

// summary tells two states apart from which the system might settle in another
// way. Records need not be told: they were just found to follow from receipts.
func (r *run) summary() string {
	var text strings.Builder
	for _, receipt := range r.store.Receipts() {
		fmt.Fprintln(&text, receipt.Key.Receipt, receipt.State, receipt.DueAt.Sub(r.now))
	}
	for _, message := range r.queue.Messages() {
		fmt.Fprintln(&text, message.Receipt.Key.Receipt, message.Receives, message.VisibleAt().Sub(r.now))
	}
	live, dead := r.queue.Depth()
	fmt.Fprintln(&text, live, dead, r.foreign, len(r.told), r.wrong)
	for _, key := range r.acknowledged {
		fmt.Fprintln(&text, key.Receipt)
	}
	for _, receipt := range r.refused {
		fmt.Fprintln(&text, "refused", receipt.Key.Receipt, receipt.AcceptedAt.Sub(r.now))
	}
	return text.String()
}

// maxRounds of half an hour are more than any wait of the queue and the
// sweeper together.
const maxRounds = 12

func (r *run) drain() {
	for range maxRounds {
		r.consume()
		r.sweep()
		r.consume()
		if live, dead := r.queue.Depth(); live == 0 && dead <= r.foreign && !r.unapplied() {
			return
		}
		r.pass(30 * time.Minute)
	}
	r.complainf("not settled after %s", maxRounds*30*time.Minute)
}

func (r *run) unapplied() bool {
	_, ok := r.store.NextDue()
	return ok
}

func (r *run) state() inboxtest.State {
	state := inboxtest.State{Receipts: r.store.Receipts(), Records: r.store.Records(), Delivered: r.told}
	for _, message := range r.queue.Messages() {
		if !message.Unreadable {
			state.Queued = append(state.Queued, message.Receipt)
		}
	}
	return state
}

func (r *run) check(settled bool) {
	if len(r.wrong) == 0 && (r.changed || settled) {
		r.changed = false
		r.wrong = r.checker.Check(r.state(), r.acknowledged, settled)
	}
}

func (r *run) complainf(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
}

func (r *run) wantStatus(want payout.Status) {
	for _, record := range r.store.Records() {
		if got := record.Status(); got != want {
			r.complainf("payout %s: got %q, want %q", record.ID, got, want)
		}
	}
	if len(r.store.Records()) == 0 {
		r.complainf("no payout is there")
	}
}
