package traffic

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
)

// Ledger records what providers and operators send and what is acknowledged.
// The zero Ledger is empty. It is not safe for concurrent use.
type Ledger struct {
	delivered    map[inbox.Key][]string        // the bodies, by the receipt that they must leave
	receipts     map[payout.ID][]inbox.Receipt // of each payout, as the provider means them
	derived      map[inbox.Key]bool            // that the application may have written itself
	acknowledged []inbox.Key
	checker      inboxtest.Checker
}

// Deliver records that an authentic callback or a resolution is sent, which
// must leave the receipt. It is called before the application can see it.
func (l *Ledger) Deliver(receipt inbox.Receipt) {
	l.init()
	if _, ok := l.delivered[receipt.Key]; !ok && receipt.State != inbox.Held {
		id := payout.ID(receipt.Key.Payout)
		l.receipts[id] = append(l.receipts[id], receipt)
	}
	l.delivered[receipt.Key] = append(l.delivered[receipt.Key], string(receipt.Body))
}

func (l *Ledger) init() {
	if l.delivered == nil {
		l.delivered, l.receipts, l.derived = map[inbox.Key][]string{}, map[payout.ID][]inbox.Receipt{}, map[inbox.Key]bool{}
	}
}

// Allow records a receipt that may be stored although nobody sent it, such as an answer to
// a query. Nothing says that it must be stored.
func (l *Ledger) Allow(receipt inbox.Receipt) {
	l.Deliver(receipt)
	l.derived[receipt.Key] = true
}

// Knows reports whether a receipt was delivered or allowed.
func (l *Ledger) Knows(key inbox.Key) bool { return l.delivered[key] != nil }

// Receipts returns what was delivered and allowed about a payout.
func (l *Ledger) Receipts(id payout.ID) []inbox.Receipt { return l.receipts[id] }

// Acknowledge records that the application acknowledged what leaves the receipt.
func (l *Ledger) Acknowledge(key inbox.Key) { l.acknowledged = append(l.acknowledged, key) }

// AcknowledgeAll records that every event that was delivered was acknowledged in the
// end. Held callbacks are left out: one that is written again has another receipt, and
// only a copy that was acknowledged must be stored.
func (l *Ledger) AcknowledgeAll() {
	for _, id := range slices.Sorted(maps.Keys(l.receipts)) {
		for _, receipt := range l.receipts[id] {
			if !l.derived[receipt.Key] {
				l.Acknowledge(receipt.Key)
			}
		}
	}
}

// Check returns which invariants a state breaks while work is under way.
func (l *Ledger) Check(state inboxtest.State) []string {
	l.init()
	state.Delivered = l.delivered
	return l.checker.Check(state, l.acknowledged, false)
}

// CheckFinal returns which invariants a state breaks once faults have stopped
// and the queue is drained. Each payout must then be what its callbacks state in
// the provider's own words.
func (l *Ledger) CheckFinal(state inboxtest.State) []string {
	l.init()
	state.Delivered = l.delivered
	wrong := l.checker.Check(state, l.acknowledged, true)
	stored := map[inbox.Key]bool{}
	for _, receipt := range state.Receipts {
		stored[receipt.Key] = true
	}
	records := map[payout.ID]payout.Record{}
	for _, record := range state.Records {
		records[record.ID] = record
	}
	for _, id := range slices.Sorted(maps.Keys(l.receipts)) {
		var want payout.Record
		for _, receipt := range l.receipts[id] {
			switch {
			case !stored[receipt.Key]: // the provider knows that it was not accepted
			case receipt.Resolution != nil:
				want, _ = want.Resolve(*receipt.Resolution)
			default:
				want, _ = want.Apply(receipt.Event)
			}
		}
		if got := records[id]; !reflect.DeepEqual(want, got) && !cmp.Equal(want, got, cmpopts.EquateEmpty()) {
			wrong = append(wrong, fmt.Sprintf("I7: payout %s is %+v, and its callbacks state %+v", id, got, want))
		}
	}
	return wrong
}
