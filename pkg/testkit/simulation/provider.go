package simulation

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/traffic"
)

// truth is what a provider knows about one payout: its callbacks and its answers follow
// from it.
type truth struct {
	end     payout.Event   // as the callback states it that ends the payout
	items   []payout.Event // of a batch, as a listing states them
	knownAt time.Time      // from when queries find the payout
	endsAt  time.Time      // from when queries state the end

	script []payout.Event // what all callbacks state
	lost   []payout.Event // what those state that are never sent

	expectation expectation // of our own service; notExpected if it states nothing
}

// providerAPI has the keys of a provider's API.
type providerAPI struct {
	usedKey, storedKey int // versions; the secret has no entry while storedKey is 0
}

// answered is when the provider last gave an outcome about a payout, by the clock of the
// process that asked.
type answered map[payout.ID]map[reconcile.Outcome]time.Time

func (a answered) add(asked []reconcile.Asked, outcome reconcile.Outcome, now time.Time) {
	for _, about := range asked {
		if a[about.ID] == nil {
			a[about.ID] = map[reconcile.Outcome]time.Time{}
		}
		a[about.ID][outcome] = now
	}
}

// model is a provider of the reconciler: its answers follow from the truths of the history.
type model struct {
	w    *world
	name string
	env  *environment
}

var (
	_ reconcile.Provider = model{}
	_ reconcile.Querier  = querier{}
)

func (m model) Name() string { return m.name }

func (m model) Expect(e reconcile.Expectation) (payout.Event, error) {
	return traffic.ProviderNamed(m.name).Expectations.Expect(e)
}

// RequestKey joins the items of a Pivot request and the batch.
func (m model) RequestKey(id payout.ID) string {
	if id.PayoutID() == "" || m.name == "cregis" {
		return string(id)
	}
	return id.Account() + "/" + id.PayoutID()
}

// StatedStatus returns what the sender meant.
func (m model) StatedStatus(held inbox.Receipt) payout.Status { return m.w.meant[held.Key] }

func (m model) ProbeID(account string) payout.ID {
	return payout.NewID(m.name, payout.TypePayout, account, "1", "")
}

func (m model) Connect(_ string, credentials json.RawMessage, _ *http.Client, _ func() time.Time) (reconcile.Querier, error) {
	version, err := strconv.Atoi(string(credentials))
	return querier{m, version}, err //nolint:wrapcheck // the model writes the credentials itself
}

// querier asks with one version of the API key.
type querier struct {
	model

	version int
}

func (q querier) KeyID() string { return "" }

// Ask makes a query as a call of the process that runs now.
func (q querier) Ask(ctx context.Context, payouts []reconcile.Asked) reconcile.Answer {
	var answer reconcile.Answer
	err := q.env.process.Call(ctx, "provider.Ask", func() error { answer = q.answer(payouts); return nil })
	if err != nil {
		answer = reconcile.Answer{Outcome: reconcile.Unavailable}
	}
	q.w.tally.Queries++
	q.w.notef("%s answers about %s: %s", q.name, payouts[0].ID, answer.Outcome)
	q.w.answered.add(payouts, answer.Outcome, q.env.now())
	return answer
}

// answer returns the truth, or before the faults stop something else.
func (q querier) answer(payouts []reconcile.Asked) reconcile.Answer {
	w, id := q.w, payouts[0].ID
	if q.version != w.api[q.name].usedKey {
		return reconcile.Answer{Outcome: reconcile.KeyRefused}
	}
	if id.PayoutID() == "" {
		return reconcile.Answer{Outcome: map[string]reconcile.Outcome{"cregis": reconcile.NoID, "pivot": reconcile.ByReference}[q.name]}
	}
	known, isKnown := w.findTruth(id)
	if w.now.Before(w.clear) && w.disabled&BadAnswers == 0 && w.chance(30) {
		return w.badAnswer(id, known)
	}
	switch {
	case !isKnown, w.now.Before(known.knownAt):
		return reconcile.Answer{Outcome: reconcile.NotFound}
	case w.now.Before(known.endsAt) && w.chance(10):
		return reconcile.Answer{Outcome: reconcile.InProcess}
	case w.now.Before(known.endsAt):
		return w.statementsOf(known.asPending())
	}
	return w.statementsOf(known)
}

// badAnswer is an answer that states less than the provider knows, or something else.
func (w *world) badAnswer(id payout.ID, known *truth) reconcile.Answer {
	retryAfter := w.between(0, 10*time.Minute)
	answer := pick(w,
		reconcile.Answer{Outcome: reconcile.RateLimited, RetryAfter: retryAfter}, reconcile.Answer{Outcome: reconcile.Unavailable},
		reconcile.Answer{Outcome: reconcile.Unusable}, reconcile.Answer{Outcome: reconcile.AddressRefused},
		reconcile.Answer{Outcome: reconcile.InProcess}, reconcile.Answer{Outcome: reconcile.NotFound}, w.answerAboutAnother(id),
		reconcile.Answer{Outcome: reconcile.Answered}, reconcile.Answer{Outcome: reconcile.Answered}, reconcile.Answer{Outcome: reconcile.Answered})
	if answer.Outcome != reconcile.Answered || len(answer.Statements) > 0 {
		return answer
	}
	if known == nil {
		return reconcile.Answer{Outcome: reconcile.NotFound}
	}
	return w.statementsOf(known.asPending()) // stale, if the payout has ended
}

// findTruth returns the truth about a payout or the request that it is an item of.
func (w *world) findTruth(id payout.ID) (*truth, bool) {
	i := slices.IndexFunc(w.truths, func(t *truth) bool {
		end := t.end.ID
		return end.PayoutID() == id.PayoutID() && end.Provider() == id.Provider() && end.Account() == id.Account()
	})
	if i < 0 {
		return nil, false
	}
	return w.truths[i], true
}

// answerAboutAnother is an answer that must not be used.
func (w *world) answerAboutAnother(id payout.ID) reconcile.Answer {
	event := payout.Event{ID: payout.NewID(id.Provider(), id.Type(), id.Account(), "999", id.Reference()), Source: payout.SourceQuery, Status: payout.Succeeded}
	return reconcile.Answer{Outcome: reconcile.Answered, Statements: []reconcile.Statement{{Event: event}}}
}

// asPending returns the truth while the payout is under way.
func (t *truth) asPending() *truth {
	pending := &truth{end: t.end, items: slices.Clone(t.items)}
	settled := t.end.Totals.All()
	pending.end.Totals = payout.Totals{}
	if pending.end.ID.Type() == payout.TypeBatch {
		pending.end.Totals.Pending = settled
	}
	pending.end.Status, pending.end.Reason, pending.end.TxID = payout.Pending, "", ""
	pending.end.BlockHeight, pending.end.BlockTime = 0, 0
	for i := range pending.items {
		pending.items[i].Status = payout.Pending
	}
	return pending
}

// statementsOf returns the answer that states a truth, and records what it may leave.
func (w *world) statementsOf(t *truth) reconcile.Answer {
	answer := reconcile.Answer{Outcome: reconcile.Answered}
	for _, event := range append([]payout.Event{t.end}, t.items...) {
		event.Source = payout.SourceQuery
		body := []byte(`{"status":"` + string(event.Status) + `"}`)
		answer.Statements = append(answer.Statements, reconcile.Statement{Event: event, Body: body})
		w.stated[inbox.NewReceipt(event, body, "", w.now).Key] = string(body)
	}
	return answer
}

// newTruth returns the truth behind the callbacks of a payout that is ordered after start.
// The first callback states it: what contradicts it is not true.
func (w *world) newTruth(start time.Duration, steps []traffic.Step) *truth {
	t := &truth{end: steps[0].Callback.Event, knownAt: w.now.Add(start)}
	if w.chance(20) {
		t.knownAt = t.knownAt.Add(w.between(0, time.Hour)) // not found at first
	}
	ends := steps[0].Wait
	for _, step := range steps {
		event := step.Callback.Event
		if event.ID == "" {
			event = step.Callback.Held
		}
		if event.ID == "" {
			continue
		}
		if step.Callback.Held.ID == "" {
			t.script = append(t.script, event)
		}
		if event.Status == t.end.Status {
			t.end.BlockHeight = max(t.end.BlockHeight, event.BlockHeight)
			ends = min(ends, step.Wait)
		}
	}
	t.endsAt = w.now.Add(start + ends)
	if t.end.ID.Type() == payout.TypeBatch && w.chance(30) {
		t.items = items(t.end)
	}
	return t
}

// items returns the items of a batch.
func items(batch payout.Event) []payout.Event {
	status := payout.Succeeded
	if batch.Status == payout.Cancelled {
		status = payout.Failed
	}
	var all []payout.Event
	for n := range batch.Totals.All().Count {
		reference := "REF-" + strings.TrimLeft(batch.ID.PayoutID()[24:], "0") + "-" + strconv.FormatInt(n, 10)
		all = append(all, payout.Event{
			ID:        payout.NewID("pivot", payout.TypePayout, batch.ID.Account(), batch.ID.PayoutID(), reference),
			Reference: reference, Status: status, Amount: "1000", Currency: "IDR",
		})
	}
	return all
}

// environment is one execution environment of the reconciler: what Lambda keeps of it, and
// the process that runs in it now.
type environment struct {
	reconciler *reconcile.Reconciler
	process    *inboxtest.Process
	now        func() time.Time
}
