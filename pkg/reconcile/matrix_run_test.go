package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/memory"
)

// faultRun is one run of a scenario: stores in memory, a provider that answers by its
// truth, a clock, and processes whose calls fail as planned.
type faultRun struct {
	//nolint:containedctx // a run lasts as long as its test
	ctx      context.Context
	now      time.Time
	store    *memory.Store
	queue    *memory.Queue
	accounts *memory.Accounts
	noLease  bool // each run of the reconciler sees accounts of its own
	provider *fakeProvider
	truth    func(asked payout.ID) reconcile.Answer

	checker *inboxtest.Checker
	plan    []planned
	faulty  bool
	calls   []string                          // made while faulty
	gate    func(call string) inboxtest.Fault // decides instead of the plan
	place   int                               // number of the outer process's call before which the inner process runs
	inner   func()

	settled      map[string]bool // summaries of the states from which a run has settled
	acknowledged []inbox.Key
	refused      []refusal
	violations   []string
}

// refusal is something that was not acknowledged, and how its sender sends it again.
type refusal struct {
	key  inbox.Key
	send func()
}

// planned is a fault at one call of a run, counted from its beginning.
type planned struct {
	at    int
	fault inboxtest.Fault
}

func newFaultRun(ctx context.Context, checker *inboxtest.Checker, settled map[string]bool, plan []planned) *faultRun {
	r := &faultRun{
		ctx: ctx, now: start, store: &memory.Store{}, accounts: &memory.Accounts{}, plan: plan, faulty: true, checker: checker, settled: settled,
	}
	r.queue = &memory.Queue{Now: r.clock, Visibility: 3 * time.Minute, MaxReceives: 10}
	r.provider = &fakeProvider{name: "cregis", credentials: map[string]json.RawMessage{account: json.RawMessage(`{"key":"a"}`)}}
	r.truth = func(payout.ID) reconcile.Answer { return reconcile.Answer{Outcome: reconcile.NotFound} }
	return r
}

func (r *faultRun) clock() time.Time { return r.now }

func (r *faultRun) pass(d time.Duration) { r.now = r.now.Add(d) }

// process runs one function of the application, and reports whether it returned.
func (r *faultRun) process(work func(ctx context.Context, p *inboxtest.Process, box *inbox.Inbox)) bool {
	p := &inboxtest.Process{Store: r.store, Queue: r.queue, DeadLetters: r.queue, Accounts: r.accounts}
	if r.noLease {
		p.Accounts = &memory.Accounts{}
	}
	gate := r.gate // of this process
	p.Decide = func(call string) inboxtest.Fault {
		if gate != nil {
			return gate(call)
		}
		return r.decide(call)
	}
	ctx, cancel := p.Context(r.ctx, time.Hour)
	defer cancel()
	box := p.Inbox(r.clock)
	box.Queries = map[string]inbox.QueryMode{"cregis": inbox.QueriesAll}
	work(ctx, p, box)
	r.check(false)
	return !p.Stopped()
}

func (r *faultRun) decide(call string) inboxtest.Fault {
	if !r.faulty {
		return inboxtest.None
	}
	n := len(r.calls)
	r.calls = append(r.calls, call)
	if inner := r.inner; inner != nil && n == r.place {
		r.inner = nil
		inner()
	}
	if at := slices.IndexFunc(r.plan, func(p planned) bool { return p.at == n }); at >= 0 {
		return r.plan[at].fault
	}
	return inboxtest.None
}

// overlap runs inner before the call with number place, which is of outer; or after outer.
func (r *faultRun) overlap(outer, inner func()) {
	r.inner = inner
	outer()
	if r.inner != nil {
		r.inner = nil
		inner()
	}
}

// callback receives a callback or a held one.
func (r *faultRun) callback(receipt inbox.Receipt) {
	var err error
	ok := r.process(func(ctx context.Context, _ *inboxtest.Process, box *inbox.Inbox) { _, err = box.Accept(ctx, receipt) })
	r.sent(ok && err == nil, receipt.Key, func() { r.callback(receipt) })
}

// expect receives an expectation, which our own service sends until it is answered.
func (r *faultRun) expect(expectation string) {
	var err error
	var result reconcile.ExpectResult
	body := strings.Replace(expectation, `}`, fmt.Sprintf(`,"due":%q}`, start.Add(10*time.Minute).Format(time.RFC3339)), 1)
	ok := r.process(func(ctx context.Context, p *inboxtest.Process, box *inbox.Inbox) {
		expecter := &reconcile.Expecter{Inbox: box, Store: p.ReconcileStore(), Providers: []reconcile.Expectations{r.provider}, Now: r.clock}
		result, err = expecter.Expect(ctx, []byte(body), "caller")
	})
	stated, _ := reconcile.ParseExpectation([]byte(body))
	event, _ := r.provider.Expect(stated)
	event.Deadline = start.Add(10 * time.Minute).UnixMilli()
	if ok && err == nil && result.Payout != event.ID {
		r.failf("the expectation is of %s, want %s", result.Payout, event.ID)
	}
	r.sent(ok && err == nil, inbox.NewReceipt(event, nil, "", r.now).Key, func() { r.expect(expectation) })
}

func (r *faultRun) sent(isAcknowledged bool, key inbox.Key, again func()) {
	if !isAcknowledged {
		r.refused = append(r.refused, refusal{key, again})
		return
	}
	r.acknowledged = append(r.acknowledged, key)
	r.check(false)
}

func (r *faultRun) consume() {
	messages := r.queue.Deliver(10)
	if len(messages) == 0 {
		return
	}
	r.process(func(ctx context.Context, p *inboxtest.Process, box *inbox.Inbox) {
		for _, message := range messages {
			if _, err := box.Apply(ctx, message.Receipt); err == nil && !p.Stopped() {
				r.queue.Ack(message.Handle)
			}
		}
	})
}

func (r *faultRun) sweep() {
	r.process(func(ctx context.Context, _ *inboxtest.Process, box *inbox.Inbox) { _, _ = box.Sweep(ctx, 100) })
}

// reconcile runs the reconciler once.
func (r *faultRun) reconcile() {
	r.process(func(ctx context.Context, p *inboxtest.Process, box *inbox.Inbox) {
		reconciler := &reconcile.Reconciler{
			Inbox: box, Store: p.ReconcileStore(), Accounts: p.ReconcileAccounts(), Providers: r.providers(p),
			Credentials: faultyCredentials{r, p}, Limit: 10, Owner: fmt.Sprintf("%p", p), Now: r.clock,
		}
		if _, err := reconciler.Run(ctx); err != nil && !r.faulty {
			r.failf("a run without faults: %v", err)
		}
	})
}

func (r *faultRun) providers(p *inboxtest.Process) []reconcile.Provider {
	return []reconcile.Provider{faultyProvider{r.provider, r, p}}
}

// faultyProvider is the provider as one process sees it.
type faultyProvider struct {
	*fakeProvider

	r *faultRun
	p *inboxtest.Process
}

func (p faultyProvider) Connect(string, json.RawMessage, *http.Client, func() time.Time) (reconcile.Querier, error) {
	return p, nil
}

func (faultyProvider) KeyID() string { return "" }

// Ask makes a query as a call of the process. A query that fails is unavailable, limited,
// or answered with something that cannot be used.
func (p faultyProvider) Ask(ctx context.Context, payouts []reconcile.Asked) reconcile.Answer {
	var answer reconcile.Answer
	err := p.p.Call(ctx, "provider.Ask", func() error { answer = p.r.truth(payouts[0].ID); return nil })
	switch {
	case err == nil:
		return answer
	case answer.Outcome != "":
		return reconcile.Answer{Outcome: reconcile.Unusable}
	case errors.Is(err, context.DeadlineExceeded):
		return reconcile.Answer{Outcome: reconcile.RateLimited, RetryAfter: 2 * time.Minute}
	}
	return reconcile.Answer{Outcome: reconcile.Unavailable}
}

type faultyCredentials struct {
	r *faultRun
	p *inboxtest.Process
}

func (c faultyCredentials) Credentials(ctx context.Context, _ string) (map[string]json.RawMessage, error) {
	return c.r.provider.credentials, c.p.Call(ctx, "secrets.Credentials", func() error { return nil })
}

// settle stops the faults. The senders send again what was not acknowledged, the clock
// goes on, and every function runs until nothing is left to do. It does nothing if another
// run of the scenario has settled from the same state, and reports whether it settled.
func (r *faultRun) settle() bool {
	r.faulty = false
	r.pass(2 * time.Minute) // the leases of runs that stopped end
	before := r.summary()
	if r.settled[before] {
		return false
	}
	r.settled[before] = true
	for range 60 {
		again := r.refused
		r.refused = nil
		for _, refusal := range again {
			refusal.send()
		}
		r.consume()
		r.sweep()
		r.reconcile()
		r.consume()
		if r.isSettled() || len(r.violations) > 0 {
			break
		}
		r.pass(10 * time.Minute)
	}
	if !r.isSettled() && len(r.violations) == 0 {
		r.failf("not settled at %s after the beginning", r.now.Sub(start))
	}
	r.check(true)
	return true
}

// summary differs for any two states from which the system may settle differently.
func (r *faultRun) summary() string {
	var text strings.Builder
	for _, receipt := range r.store.Receipts() {
		fmt.Fprintln(&text, receipt.Key, receipt.State, receipt.DueAt, receipt.AcceptedAt, receipt.Query, receipt.ReleasedAs)
	}
	for _, record := range r.store.Records() {
		fmt.Fprintln(&text, record.ID, record.Version, r.store.Schedule(record.ID))
	}
	for _, message := range r.queue.Messages() {
		fmt.Fprintln(&text, message.Receipt.Key, message.Receives, message.VisibleAt())
	}
	states, err := r.accounts.States(r.ctx)
	fmt.Fprintln(&text, states, err, r.acknowledged, r.violations)
	for _, refusal := range r.refused {
		fmt.Fprintln(&text, "refused", refusal.key)
	}
	return text.String()
}

func (r *faultRun) isSettled() bool {
	live, dead := r.queue.Depth()
	_, isUnapplied := r.store.NextDue()
	isScheduled := slices.ContainsFunc(r.store.Records(), func(record payout.Record) bool { return !r.store.Schedule(record.ID).At.IsZero() })
	isScheduled = isScheduled || slices.ContainsFunc(r.store.Receipts(), func(receipt inbox.Receipt) bool { return !receipt.Query.At.IsZero() })
	return live == 0 && dead == 0 && !isUnapplied && !isScheduled && len(r.refused) == 0
}

// check checks the invariants of everything stored and queued.
func (r *faultRun) check(settled bool) {
	if len(r.violations) > 0 {
		return
	}
	r.violations = r.checker.Check(r.state(), r.acknowledged, settled)
	for _, receipt := range r.store.Receipts() {
		if receipt.State == inbox.Answered && !slices.ContainsFunc(r.knownReceipts(), func(other inbox.Receipt) bool { return other.Key == receipt.ReleasedAs }) {
			r.failf("a held callback is answered by %v, which is neither stored nor queued", receipt.ReleasedAs)
		}
	}
}

func (r *faultRun) knownReceipts() []inbox.Receipt {
	state := r.state()
	return append(state.Receipts, state.Queued...)
}

func (r *faultRun) state() inboxtest.State {
	state := inboxtest.State{
		Receipts: r.store.Receipts(), Records: r.store.Records(),
		Schedules: r.store.Schedules(), Queries: map[string]inbox.QueryMode{"cregis": inbox.QueriesAll},
	}
	for _, message := range r.queue.Messages() {
		state.Queued = append(state.Queued, message.Receipt)
	}
	return state
}

func (r *faultRun) failf(format string, args ...any) {
	r.violations = append(r.violations, fmt.Sprintf(format, args...))
}

// wantRecord checks how a payout ended.
func (r *faultRun) wantRecord(id payout.ID, status payout.Status, isConfirmed, isExpected bool) {
	record := r.store.Record(id)
	if record.Status() != status || record.IsConfirmed() != isConfirmed || record.IsExpected() != isExpected || record.IsOverdue() {
		r.failf("payout %s is %s (confirmed %t, expected %t, overdue %v), want %s (%t, %t)", id,
			record.Status(), record.IsConfirmed(), record.IsExpected(), record.Overdue, status, isConfirmed, isExpected)
	}
}
