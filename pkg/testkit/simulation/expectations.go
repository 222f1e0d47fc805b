package simulation

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/traffic"
)

// expectation is what our own service states about a payout, and how.
type expectation int

const (
	notExpected   expectation = iota
	expectedByID              // with the provider's id
	expectedTwice             // without the id, later with it
	expectedNoID              // without the id only; a callback brings it
)

// planExpectation plans what our own service states about a payout that is ordered after
// start: before its callbacks, between them, or after them.
func (w *world) planExpectation(t *truth, start time.Duration) {
	if w.disabled&Expectations != 0 || !w.chance(60) {
		return
	}
	stated := statedBy(t.end)
	if w.chance(10) {
		stated.Amount = "7" // somebody ordered another amount
	}
	stated.Due = w.now.Add(start + w.between(0, pick(w, time.Minute, time.Hour, 12*time.Hour))).Format(time.RFC3339)
	id := stated.ID
	stated.ID = ""
	t.expectation = pick(w, expectedByID, expectedByID, expectedTwice, expectedNoID)
	if t.end.ID.Type() == payout.TypeBatch && t.expectation == expectedNoID {
		t.expectation = expectedTwice // a batch's callback has no reference
	}
	wait := start + w.between(0, pick(w, time.Second, 10*time.Minute, 12*time.Hour))
	if t.expectation != expectedByID {
		w.after(wait, func() { w.expect(stated) })
		wait += w.between(0, pick(w, time.Second, time.Hour))
	}
	if t.expectation == expectedNoID {
		return
	}
	stated.ID = id
	w.leaveOut(&stated)
	w.after(wait, func() { w.expect(stated) })
	if w.chance(20) {
		w.after(wait+w.between(0, time.Hour), func() { w.expect(stated) }) // the same again
	}
}

// statedBy returns the expectation of a payout with this end.
func statedBy(end payout.Event) reconcile.Expectation {
	stated := reconcile.Expectation{
		Provider: end.ID.Provider(), Type: string(end.ID.Type()), Account: end.ID.Account(), ID: end.ID.PayoutID(),
		Reference: end.Reference, Amount: string(end.Amount), Currency: end.Currency, To: end.To,
	}
	if end.ID.Type() == payout.TypeBatch {
		all := end.Totals.All()
		stated.Items, stated.Amount = all.Count, string(all.Amount)
		stated.Reference = "BULK-" + strings.TrimLeft(end.ID.PayoutID()[24:], "0")
	}
	return stated
}

// leaveOut removes some of the fields that an expectation with an id need not have.
func (w *world) leaveOut(stated *reconcile.Expectation) {
	for _, field := range []*string{&stated.Amount, &stated.Currency, &stated.To} {
		if w.chance(20) {
			*field = ""
		}
	}
	if stated.Provider == "cregis" && w.chance(20) {
		stated.Reference = ""
	}
}

// expect sends an expectation until it is answered.
func (w *world) expect(stated reconcile.Expectation) {
	body, err := json.Marshal(stated)
	if err != nil {
		w.complainf("encode expectation: %v", err)
	}
	event, err := model{name: stated.Provider}.Expect(stated)
	if err != nil {
		w.complainf("expectation %s: %v", body, err)
	}
	deadline, _ := time.Parse(time.RFC3339, stated.Due) // planExpectation has formatted it
	event.Deadline = deadline.UnixMilli()
	w.ordered[inbox.NewReceipt(event, nil, "", w.now).Key] = string(body)
	w.notef("our service expects %s by %s", event.ID, stated.Due)
	var result reconcile.ExpectResult
	hasEnded := w.process("expected", func(ctx context.Context, p *inboxtest.Process, box *inbox.Inbox) {
		providers := []reconcile.Expectations{model{w: w, name: stated.Provider}}
		expecter := &reconcile.Expecter{Inbox: box, Store: p.ReconcileStore(), Providers: providers, Now: box.Now}
		result, err = expecter.Expect(ctx, body, "our service")
	})
	if !hasEnded || err != nil {
		w.after(w.between(time.Second, 10*time.Minute), func() { w.expect(stated) })
		return
	}
	w.tally.Expected++
	w.expected[event.ID] = append(w.expected[event.ID], event)
	w.notef("the answer is %s, %s", result.Result, result.Status)
}

// planStrangers plans expected payouts of which no callback ever comes: the provider does
// not know the payout, or does not end it.
func (w *world) planStrangers() {
	if w.disabled&Expectations != 0 || w.disabled&Companions != 0 || !w.chance(10) {
		return
	}
	provider := pick(w, traffic.ProviderNames()...)
	id := payout.NewID(provider, payout.TypePayout, traffic.Accounts(provider)[0], "1391751691788000", "")
	reference := "PAY-STRANGER"
	if provider == "pivot" {
		id = payout.NewID(provider, payout.TypePayout, traffic.Accounts(provider)[0], "d6a46a2c-1b26-40c5-9ca3-00000000dead", reference)
	}
	end := payout.Event{ID: id, Reference: reference, Amount: "5", Status: payout.Succeeded}
	if w.chance(50) {
		w.truths = append(w.truths, &truth{end: end, knownAt: w.now, endsAt: w.now.AddDate(1, 0, 0), expectation: expectedByID})
	}
	w.strangers = append(w.strangers, id)
	stated := statedBy(end)
	wait := w.between(0, w.clear.Sub(w.now))
	stated.Due = w.now.Add(wait + w.between(0, time.Hour)).Format(time.RFC3339)
	w.after(wait, func() { w.expect(stated) })
}

// lose decides which callbacks of a payout are never sent. Those of a provider that
// contradicts itself are sent: no query can find out what a lost one stated. If nobody
// expects the payout, something must arrive about it, or nobody knows that it exists.
func (w *world) lose(t *truth, steps []traffic.Step) map[int]bool {
	lost := map[int]bool{}
	var all payout.Record
	for _, event := range t.script {
		all, _ = all.Apply(event)
	}
	hasResolution := false
	for _, step := range steps {
		hasResolution = hasResolution || step.Resolution != nil
	}
	if w.disabled&Losses != 0 || hasResolution || all.Status() == payout.Conflicted || !w.chance(40) {
		return lost
	}
	isKnown := t.expectation == expectedByID || t.expectation == expectedTwice
	left := 0
	for _, step := range steps {
		if step.Callback.Event.ID != "" || step.Callback.Held.ID != "" && t.expectation != expectedNoID {
			left++
		}
	}
	for n, step := range steps {
		if event := step.Callback.Event; event.ID != "" && (isKnown || left > 1) && w.chance(60) {
			lost[n] = true
			t.lost = append(t.lost, event)
			left--
			w.tally.Lost++
		}
	}
	return lost
}

// describe says what a payout is, for a complaint.
func (t *truth) describe() string {
	return fmt.Sprintf("payout %s, expectation %d, %d callbacks lost", t.end.ID, t.expectation, len(t.lost))
}
