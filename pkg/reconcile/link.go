package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// linker joins an expected payout without the provider's id with the payout that has the
// id. It states the same expectation under the id first, and then that the payout
// without the id is linked, so that a crash in between loses nothing.
//
// Two payouts with the reference of one order are two links: the payout without the id
// is then in conflict.
type linker struct {
	inbox *inbox.Inbox
	store Store
	now   func() time.Time
}

// joinEarlier links the payout that was expected without an id to this one, if there is
// one and it is not linked, and returns the record of this payout afterwards.
func (l linker) joinEarlier(ctx context.Context, record payout.Record) (payout.Record, error) {
	reference := record.Value(payout.FieldReference)
	if reference == "" {
		return record, nil
	}
	earlier, err := l.store.Payout(ctx, withoutID(record.ID, reference))
	if err != nil {
		return record, fmt.Errorf("read payout expected without id: %w", err)
	}
	if earlier.Record.Version == 0 || isLinkedTo(earlier.Record, record.ID) {
		return record, nil
	}
	return l.link(ctx, earlier.Record, record)
}

// linkToKnown links a payout without an id to the payouts that have its reference, and
// returns their records. If it is linked already, it states what is expected since then.
func (l linker) linkToKnown(ctx context.Context, record payout.Record) ([]payout.Record, error) {
	ids, err := l.store.ByReference(ctx, record.ID.Reference())
	if err != nil {
		return nil, fmt.Errorf("list payouts with a reference: %w", err)
	}
	var known []payout.Record
	for _, id := range ids {
		if withoutID(id, record.ID.Reference()) != record.ID || id == record.ID {
			continue
		}
		to, err := l.link(ctx, record, payout.Record{ID: id})
		if err != nil {
			return nil, err
		}
		known = append(known, to)
	}
	return known, nil
}

func (l linker) link(ctx context.Context, from, to payout.Record) (payout.Record, error) {
	for _, event := range restate(from, to.ID) {
		_, record, err := l.inbox.ApplyNew(ctx, inbox.NewReceipt(event, nil, "", l.now()))
		if err != nil {
			return to, err
		}
		to = record
	}
	if isLinkedTo(from, to.ID) {
		return to, nil
	}
	linked := payout.Event{ID: from.ID, Source: payout.SourceReconciler, Status: payout.Linked, LinkedTo: to.ID}
	_, _, err := l.inbox.ApplyNew(ctx, inbox.NewReceipt(linked, nil, "", l.now()))
	return to, err
}

// withoutID returns the ID under which a payout is expected before its id is known.
func withoutID(id payout.ID, reference string) payout.ID {
	return payout.NewID(id.Provider(), id.Type(), id.Account(), "", reference)
}

func isLinkedTo(record payout.Record, id payout.ID) bool {
	return slices.Contains(record.Claims[payout.FieldLinkedTo].Seen, string(id))
}

// restate returns the expectations of a payout under another ID. Where they differ from
// each other, all values are stated.
func restate(record payout.Record, id payout.ID) []payout.Event {
	count := 1
	for _, values := range record.Claims {
		count = max(count, len(values.Seen))
	}
	events := make([]payout.Event, count)
	for n := range events {
		event := payout.Event{ID: id, Source: payout.SourceExpectation, Status: payout.Expected, Deadline: record.Deadline}
		for _, field := range event.TextFields() {
			if seen := record.Claims[field.Name].Seen; len(seen) > 0 && field.Name != payout.FieldStatus {
				*field.Value = seen[min(n, len(seen)-1)]
			}
		}
		if id.Type() == payout.TypeBatch {
			event.Totals.Pending = batchClaims(record, n)
			event.Amount = ""
		}
		events[n] = event
	}
	return events
}

// batchClaims returns the n-th values of a batch's number of items and amount.
func batchClaims(record payout.Record, n int) payout.Tally {
	var tally payout.Tally
	if seen := record.Claims[payout.FieldItems].Seen; len(seen) > 0 {
		_, _ = fmt.Sscan(seen[min(n, len(seen)-1)], &tally.Count) // a number: the fold formats it
	}
	if seen := record.Claims[payout.FieldAmount].Seen; len(seen) > 0 {
		tally.Amount = payout.Amount(seen[min(n, len(seen)-1)])
	}
	return tally
}
