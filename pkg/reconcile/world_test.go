package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/memory"
)

const (
	account = "1382528827416576"
	other   = "922e39ab-7565-49f6-b84f-fb56122821ae"
)

var start = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

// world is a reconciler on stores in memory, with providers that answer by a script and a
// clock that the test sets.
type world struct {
	*testing.T
	now        time.Time
	store      *memory.Store
	queue      *memory.Queue
	box        *inbox.Inbox
	providers  map[string]*fakeProvider
	expecter   *reconcile.Expecter
	reconciler *reconcile.Reconciler
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: start, store: &memory.Store{}, providers: map[string]*fakeProvider{}}
	now := func() time.Time { return w.now }
	w.queue = &memory.Queue{Now: now, Visibility: time.Minute, MaxReceives: 10}
	w.box = &inbox.Inbox{
		Store: w.store, Queue: w.queue, DeadLetters: w.queue, Now: now,
		Queries: map[string]inbox.QueryMode{"cregis": inbox.QueriesAll, "pivot": inbox.QueriesAll},
	}
	var providers []reconcile.Provider
	var expectations []reconcile.Expectations
	for _, name := range []string{"cregis", "pivot"} {
		w.providers[name] = &fakeProvider{name: name, answers: map[payout.ID]reconcile.Answer{}, credentials: map[string]json.RawMessage{
			account: json.RawMessage(`{"key":"a"}`), other: json.RawMessage(`{"key":"b"}`),
		}}
		providers, expectations = append(providers, w.providers[name]), append(expectations, w.providers[name])
	}
	w.expecter = &reconcile.Expecter{Inbox: w.box, Store: w.store, Providers: expectations, Now: now}
	w.reconciler = &reconcile.Reconciler{
		Inbox: w.box, Store: w.store, Accounts: &memory.Accounts{}, Providers: providers, Credentials: credentials{w},
		Limit: 100, Owner: "this run", Now: now,
	}
	return w
}

// fakeProvider answers queries by a script: an answer for each payout, or for all.
type fakeProvider struct {
	name        string
	credentials map[string]json.RawMessage
	credErr     error

	mu      sync.Mutex
	answers map[payout.ID]reconcile.Answer
	all     *reconcile.Answer
	asked   [][]reconcile.Asked
	refuses string // a key that the provider refuses
	stated  payout.Status
}

var _ reconcile.Provider = (*fakeProvider)(nil)

func (p *fakeProvider) Name() string { return p.name }

func (p *fakeProvider) Expect(e reconcile.Expectation) (payout.Event, error) {
	if e.Account == "" {
		return payout.Event{}, &reconcile.FieldError{Field: "account", Problem: "missing"}
	}
	event := payout.Event{
		Source: payout.SourceExpectation, Status: payout.Expected,
		Reference: e.Reference, Amount: payout.Amount(e.Amount), Currency: e.Currency, To: e.To, Memo: e.Memo,
	}
	reference := ""
	if e.ID == "" {
		reference = e.Reference
	}
	event.ID = payout.NewID(p.name, payout.Type(e.Type), e.Account, e.ID, reference)
	if event.ID.Type() == payout.TypeBatch {
		event.Totals.Pending = payout.Tally{Count: e.Items, Amount: event.Amount}
		event.Amount = ""
	}
	return event, nil
}

// RequestKey joins all payouts of a request, which the tests call by their PayoutID.
func (p *fakeProvider) RequestKey(id payout.ID) string {
	if id.PayoutID() == "" {
		return string(id)
	}
	return id.PayoutID()
}

func (p *fakeProvider) StatedStatus(inbox.Receipt) payout.Status { return p.stated }

func (p *fakeProvider) ProbeID(account string) payout.ID {
	return payout.NewID(p.name, payout.TypePayout, account, "0", "")
}

func (p *fakeProvider) Connect(_ string, credentials json.RawMessage, _ *http.Client, now func() time.Time) (reconcile.Querier, error) {
	var entry struct{ Key string }
	if err := json.Unmarshal(credentials, &entry); err != nil || entry.Key == "" {
		return nil, errors.New("key: missing")
	}
	return fakeQuerier{provider: p, key: entry.Key, now: now}, nil
}

// fakeQuerier cannot be compared, as a querier may be.
type fakeQuerier struct {
	provider *fakeProvider
	key      string
	now      func() time.Time
}

func (q fakeQuerier) KeyID() string { return "id of " + q.key }

func (q fakeQuerier) Ask(_ context.Context, payouts []reconcile.Asked) reconcile.Answer {
	p := q.provider
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, payouts)
	id := payouts[0].ID
	switch answer, ok := p.answers[id]; {
	case p.refuses == q.key:
		return reconcile.Answer{Outcome: reconcile.KeyRefused}
	case ok:
		return answer
	case p.all != nil:
		return *p.all
	case id.PayoutID() == "":
		return reconcile.Answer{Outcome: reconcile.NoID}
	}
	return reconcile.Answer{Outcome: reconcile.NotFound}
}

type credentials struct{ w *world }

func (c credentials) Credentials(_ context.Context, provider string) (map[string]json.RawMessage, error) {
	p := c.w.providers[provider]
	if p.credErr != nil {
		return nil, p.credErr
	}
	return p.credentials, nil
}

// answer has the provider answer a query about the payout with an event.
func (w *world) answer(event payout.Event) {
	event.Source = payout.SourceQuery
	w.providers[event.ID.Provider()].answers[event.ID] = reconcile.Answer{
		Outcome: reconcile.Answered, Statements: []reconcile.Statement{{Event: event, Body: []byte(`{"status":1}`)}},
	}
}

func (w *world) answerAll(provider string, outcome reconcile.Outcome) {
	w.providers[provider].all = &reconcile.Answer{Outcome: outcome}
}

// callback accepts and applies a callback's event.
func (w *world) callback(event payout.Event) {
	w.Helper()
	if _, err := w.box.Accept(w.Context(), inbox.NewReceipt(event, []byte("{}"), "k", w.now)); err != nil {
		w.Fatal(err)
	}
	w.consume()
}

func (w *world) expect(expectation string) reconcile.ExpectResult {
	w.Helper()
	result, err := w.expecter.Expect(w.Context(), []byte(expectation), "arn:aws:iam::1:role/orders")
	if err != nil {
		w.Fatalf("expect %s: %v", expectation, err)
	}
	return result
}

// run advances the clock, runs the reconciler and applies what it accepted.
func (w *world) run(after time.Duration) reconcile.RunResult {
	w.Helper()
	w.now = w.now.Add(after)
	result, err := w.reconciler.Run(w.Context())
	if err != nil {
		w.Errorf("run: %v", err)
	}
	w.consume()
	return result
}

func (w *world) consume() {
	w.Helper()
	for {
		messages := w.queue.Deliver(10)
		if len(messages) == 0 {
			return
		}
		for _, message := range messages {
			if _, err := w.box.Apply(w.Context(), message.Receipt); err != nil {
				w.Fatal(err)
			}
			w.queue.Ack(message.Handle)
		}
	}
}

// asked returns the number of queries that a provider got since the last call.
func (w *world) asked(provider string) int {
	p := w.providers[provider]
	n := len(p.asked)
	p.asked = nil
	return n
}

func (w *world) wantRecord(id payout.ID, status payout.Status, check func(payout.Record) bool) {
	w.Helper()
	record := w.store.Record(id)
	if record.Status() != status || check != nil && !check(record) {
		w.Errorf("payout %s is %q (sources %v, overdue %v, claims %v), want %q", id, record.Status(), record.Sources, record.Overdue, record.Claims, status)
	}
}

// check verifies the invariants of the stores.
func (w *world) check() {
	w.Helper()
	var queued []inbox.Receipt
	for _, message := range w.queue.Messages() {
		queued = append(queued, message.Receipt)
	}
	state := inboxtest.State{
		Receipts: w.store.Receipts(), Records: w.store.Records(), Queued: queued, Schedules: w.store.Schedules(), Queries: w.box.Queries,
	}
	for _, violation := range inboxtest.Check(state, nil, false) {
		w.Error(violation)
	}
}

func hasOverdue(reasons ...string) func(payout.Record) bool {
	return func(r payout.Record) bool { return r.IsOverdue() && slices.Equal(r.Overdue, reasons) }
}

// rotating returns a new key the second time.
type rotating struct {
	credentials
	next json.RawMessage
}

func (r rotating) Credentials(ctx context.Context, provider string) (map[string]json.RawMessage, error) {
	entries, err := r.credentials.Credentials(ctx, provider)
	p := r.w.providers[provider]
	if len(p.asked) > 0 {
		entries = map[string]json.RawMessage{account: r.next}
	}
	return entries, err
}
