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

// run is one run of a scenario: stores in memory, a clock, and processes whose calls
// fail as planned.
type run struct {
	//nolint:containedctx // a run lasts as long as its test
	ctx   context.Context
	now   time.Time
	store *memory.Store
	queue *memory.Queue

	checker   *inboxtest.Checker
	plan      []planned
	faulty    bool // calls may fail
	changed   bool // since the last check
	storeDown bool
	calls     []string // made while faulty

	gate       func(call string) inboxtest.Fault // waits for the process's turn and returns the fault of its call
	place      int                               // number of the outer process's call before which the inner process runs
	outer      *inboxtest.Process                // the process that the inner process overlaps
	outerCalls int
	inner      func()

	settled      map[string]bool // summaries of the states from which a run has settled
	delivered    map[inbox.Key][]string
	acknowledged []inbox.Key
	refused      []inbox.Receipt // not acknowledged: the sender may send it again
	unreadable   int
	violations   []string
}

func newRun(ctx context.Context, plan []planned) *run {
	r := &run{
		ctx: ctx, now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), store: &memory.Store{},
		plan: plan, faulty: true, delivered: map[inbox.Key][]string{},
	}
	// Three receives instead of ten: two faults are enough to reach the dead letters.
	r.queue = &memory.Queue{Now: r.clock, Visibility: 3 * time.Minute, MaxReceives: 3}
	return r
}

func (r *run) clock() time.Time { return r.now }

// process runs one function of the application, and reports whether it returned.
func (r *run) process(work func(ctx context.Context, p *inboxtest.Process, box *inbox.Inbox)) bool {
	p := &inboxtest.Process{Store: r.store, Queue: r.queue, DeadLetters: r.queue}
	gate := r.gate // of this process
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
	r.changed = r.changed || !isRead(call)
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

// overlap runs inner in the middle of outer, before the call with number place; or
// after outer, if that has fewer calls.
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

// accept receives a callback. The sender gets a response only if the process does not
// stop.
func (r *run) accept(receipt inbox.Receipt) {
	r.delivered[receipt.Key] = append(r.delivered[receipt.Key], string(receipt.Body))
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

// consume delivers visible messages once, by the consumer's rules: failed and
// unreadable messages stay in the queue, the others are deleted. Messages are applied
// one by one, so that a run can be repeated; package simulation runs the consumer
// itself.
func (r *run) consume() { r.consumeUpTo(10) }

func (r *run) consumeUpTo(limit int) {
	messages := r.queue.Deliver(limit)
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
			// Lambda makes this call after the function has returned.
			_ = p.Call(ctx, "queue.Delete", func() error { r.queue.Ack(handle); return nil })
		}
	})
}

func (r *run) sweep() {
	r.process(func(ctx context.Context, _ *inboxtest.Process, box *inbox.Inbox) {
		if _, err := box.Sweep(ctx, 100); err != nil && !r.faulty {
			r.failf("sweep without faults: %v", err)
		}
	})
}

func (r *run) sendUnreadable() {
	r.unreadable++
	r.queue.SendUnreadable()
}

func (r *run) pass(d time.Duration) { r.now = r.now.Add(d) }

// settle stops the faults and gives the system time to recover. Then the senders send
// again what was not acknowledged, and the system has to settle once more.
//
// It does nothing if another run of the scenario has settled from the same state.
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
	for key := range r.delivered {
		r.acknowledged = append(r.acknowledged, key)
	}
	r.check(true)
	left := 0
	for _, message := range r.queue.Messages() {
		if message.Unreadable {
			left++
		}
	}
	if left != r.unreadable {
		r.failf("%d of %d unreadable messages are left, want all", left, r.unreadable)
	}
	if want != "" {
		r.wantStatus(want)
	}
}

// summary differs for any two states from which the system may settle differently.
// It leaves out the records: check has just compared them with the receipts.
func (r *run) summary() string {
	var text strings.Builder
	for _, receipt := range r.store.Receipts() {
		fmt.Fprintln(&text, receipt.Key.Receipt, receipt.State, receipt.DueAt.Sub(r.now))
	}
	for _, message := range r.queue.Messages() {
		fmt.Fprintln(&text, message.Receipt.Key.Receipt, message.Receives, message.VisibleAt().Sub(r.now))
	}
	live, dead := r.queue.Depth()
	fmt.Fprintln(&text, live, dead, r.unreadable, len(r.delivered), r.violations)
	for _, key := range r.acknowledged {
		fmt.Fprintln(&text, key.Receipt)
	}
	for _, receipt := range r.refused {
		fmt.Fprintln(&text, "refused", receipt.Key.Receipt, receipt.AcceptedAt.Sub(r.now))
	}
	return text.String()
}

// maxRounds of half an hour take longer than the longest delays of queue and sweeper.
const maxRounds = 12

func (r *run) drain() {
	for range maxRounds {
		r.consume()
		r.sweep()
		r.consume()
		if live, dead := r.queue.Depth(); live == 0 && dead <= r.unreadable && !r.unapplied() {
			return
		}
		r.pass(30 * time.Minute)
	}
	r.failf("not settled after %s", maxRounds*30*time.Minute)
}

func (r *run) unapplied() bool {
	_, ok := r.store.NextDue()
	return ok
}

func (r *run) state() inboxtest.State {
	state := inboxtest.State{Receipts: r.store.Receipts(), Records: r.store.Records(), Delivered: r.delivered}
	for _, message := range r.queue.Messages() {
		if !message.Unreadable {
			state.Queued = append(state.Queued, message.Receipt)
		}
	}
	return state
}

func (r *run) check(settled bool) {
	if len(r.violations) == 0 && (r.changed || settled) {
		r.changed = false
		r.violations = r.checker.Check(r.state(), r.acknowledged, settled)
	}
}

func (r *run) failf(format string, args ...any) {
	r.violations = append(r.violations, fmt.Sprintf(format, args...))
}

func (r *run) wantStatus(want payout.Status) {
	for _, record := range r.store.Records() {
		if got := record.Status(); got != want {
			r.failf("payout %s: got %q, want %q", record.ID, got, want)
		}
	}
	if len(r.store.Records()) == 0 {
		r.failf("there is no payout")
	}
}
