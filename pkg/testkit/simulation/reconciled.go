package simulation

import (
	"cmp"
	"slices"
	"strings"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/inboxtest"
)

// allowDerived records in the ledger which receipts the application may have written itself, each
// by its own rule: answers that the provider gave, expectations that our service sent,
// under the payout's id as well, and what the reconciler states.
func (w *world) allowDerived(state inboxtest.State) {
	for _, receipts := range [][]inbox.Receipt{state.Receipts, state.Queued} {
		for i := range receipts {
			if !w.ledger.Knows(receipts[i].Key) {
				w.allow(receipts[i])
			}
		}
	}
}

func (w *world) allow(receipt inbox.Receipt) {
	switch source, status := receipt.Key.Statement(); {
	case source == payout.SourceQuery:
		if body, ok := w.stated[receipt.Key]; ok && body == string(receipt.Body) {
			w.ledger.Allow(receipt)
		}
	case source == payout.SourceExpectation:
		if body, ok := w.ordered[receipt.Key]; ok && body == string(receipt.Body) || w.isRestated(receipt.Event) && len(receipt.Body) == 0 {
			w.ledger.Allow(receipt)
		}
	case status == payout.Linked:
		if w.isSameOrder(receipt.Event.ID, receipt.Event.LinkedTo) {
			w.ledger.Allow(receipt)
		}
	case status == payout.Overdue:
		w.checkOverdue(receipt)
		w.ledger.Allow(receipt)
	}
}

// isRestated reports whether an expectation without an id states the same.
func (w *world) isRestated(event payout.Event) bool {
	for key := range w.ordered {
		earlier := payout.ID(key.Payout)
		if earlier.PayoutID() == "" && w.isSameOrder(earlier, event.ID) {
			return true
		}
	}
	return false
}

// isSameOrder reports whether a payout without an id is, by the truth, the one with the id.
func (w *world) isSameOrder(without, with payout.ID) bool {
	t, ok := w.findTruth(with)
	return ok && t.end.ID == with && without == noID(t)
}

// noID is the ID of a payout before the provider's id is known.
func noID(t *truth) payout.ID {
	end := t.end.ID
	return payout.NewID(end.Provider(), end.Type(), end.Account(), "", statedBy(t.end).Reference)
}

// checkOverdue checks the reason why a payout is stated to be overdue: what the provider
// answered after the deadline, or why nobody can ask.
func (w *world) checkOverdue(receipt inbox.Receipt) {
	event := receipt.Event
	deadline := w.store.Record(event.ID).Deadline
	reasons := map[string][]reconcile.Outcome{
		"open":                {reconcile.Answered, reconcile.InProcess},
		"unknown-to-provider": {reconcile.NotFound},
		"known-by-reference":  {reconcile.ByReference},
	}
	for _, outcome := range reasons[event.Reason] {
		if at, ok := w.answered[event.ID][outcome]; ok && at.UnixMilli() >= deadline {
			return
		}
	}
	isUnasked := event.ID.PayoutID() == "" || w.hadNoKey[event.ID.Provider()]
	if event.Reason != "unasked" || !isUnasked {
		w.complainf("payout %s is overdue because of %q, and the provider answered %v", event.ID, event.Reason, w.answered[event.ID])
	}
}

// checkReconciled checks the final state: each payout shows what it would show if no
// callback had been lost and nobody had asked, and its end is confirmed.
func (w *world) checkReconciled(state inboxtest.State) {
	for _, t := range w.truths {
		if !slices.Contains(w.strangers, t.end.ID) {
			w.checkTruth(t)
		}
	}
	for _, id := range w.strangers {
		if record := w.store.Record(id); !record.IsOverdue() {
			w.complainf("payout %s, which never ends, is not overdue but %q", id, record.Status())
		}
	}
	for _, receipt := range state.Receipts {
		if receipt.State != inbox.Answered && receipt.State != inbox.Held {
			continue
		}
		meant := w.meant[receipt.Key]
		if (receipt.State == inbox.Answered) != (meant != "") {
			w.complainf("the held callback %s of reason %s means %q and is %s", receipt.Key.Payout, receipt.Reason, meant, receipt.State)
		}
		if receipt.State == inbox.Answered && !w.isApplied(state, receipt.ReleasedAs) {
			w.complainf("the answer %v to a held callback is not applied", receipt.ReleasedAs)
		}
	}
}

func (w *world) isApplied(state inboxtest.State, key inbox.Key) bool {
	return slices.ContainsFunc(state.Receipts, func(r inbox.Receipt) bool { return r.Key == key && r.State == inbox.Applied })
}

// checkTruth compares a payout with its twin: the fold of all callbacks, lost ones
// included, of the expectations, and of the resolutions, without any answer.
func (w *world) checkTruth(t *truth) {
	twin := payout.Record{ID: t.end.ID}
	for _, receipt := range w.ledger.Receipts(t.end.ID) {
		switch source := receipt.Source(); {
		case receipt.Resolution != nil:
			twin, _ = twin.Resolve(*receipt.Resolution)
		case source == payout.SourceCallback || source == payout.SourceExpectation:
			twin, _ = twin.Apply(receipt.Event)
		}
	}
	for _, event := range t.lost {
		twin, _ = twin.Apply(event)
	}
	record := w.store.Record(t.end.ID)
	if got, want := record.Status(), cmp.Or(twin.Status(), record.Status()); got != want {
		w.complainf("%s: it is %q, want %q", t.describe(), got, want)
	}
	for _, event := range t.lost {
		w.checkLost(t, event, record, twin)
	}
	isOrdered := record.IsExpected() || slices.Contains(record.Sources, payout.SourceCallback)
	isSettled := twin.Status() == payout.Conflicted || len(record.Resolutions) > 0
	if w.mode == inbox.QueriesAll && isOrdered && !isSettled && !record.IsConfirmed() {
		w.complainf("%s: it is %q and not confirmed", t.describe(), record.Status())
	}
	w.tally.Confirmed += map[bool]int{true: 1}[record.IsConfirmed()]
	w.checkExpected(t, record)
}

// checkLost checks that the record shows the value of every field that a lost callback
// would have stated.
func (w *world) checkLost(t *truth, lost payout.Event, record, twin payout.Record) {
	for _, field := range []payout.Field{
		payout.FieldStatus, payout.FieldAmount, payout.FieldCurrency, payout.FieldChain, payout.FieldToken, payout.FieldFrom, payout.FieldTo,
		payout.FieldMemo, payout.FieldReference, payout.FieldTxID, payout.FieldItems,
	} {
		if lost.Claim(field) != "" && record.Value(field) != twin.Value(field) {
			w.complainf("%s: %s is %q, want %q", t.describe(), field, record.Value(field), twin.Value(field))
		}
	}
	isOther := record.Reason() != twin.Reason() || record.BlockHeight < twin.BlockHeight || record.BlockTime != twin.BlockTime ||
		record.EffectiveTotals() != twin.EffectiveTotals()
	if isOther {
		w.complainf("%s: it is %+v, want %+v", t.describe(), record, twin)
	}
}

// checkExpected checks that what our service stated is in the payout with the id, and that
// the payout without it is linked.
func (w *world) checkExpected(t *truth, record payout.Record) {
	without := w.expected[noID(t)]
	stated := slices.Concat(w.expected[t.end.ID], without)
	if len(stated) == 0 {
		return
	}
	if !record.IsExpected() {
		w.complainf("%s: it is not expected", t.describe())
	}
	for _, event := range stated {
		for field, values := range record.Claims {
			if value := event.Claim(field); value != "" && !slices.Contains(values.Seen, value) {
				w.complainf("%s: the expectation's %s is not in %s", t.describe(), field, strings.Join(values.Seen, ", "))
			}
		}
	}
	if linked := w.store.Record(noID(t)); len(without) > 0 && (linked.Status() != payout.Linked || linked.Value(payout.FieldLinkedTo) != string(t.end.ID)) {
		w.complainf("%s: the payout without the id is %q", t.describe(), linked.Status())
	}
}
