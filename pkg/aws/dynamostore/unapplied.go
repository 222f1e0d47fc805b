package dynamostore

import (
	"context"
	"errors"
	"iter"
	"slices"

	"payout-callbacks/pkg/inbox"
)

// Unapplied lists the received or the held receipts by the time at which they are
// due, which for a held receipt is when it was accepted. It merges the shards of
// the index and holds one page of each, and the keys of all held receipts whose payout
// is asked about. The index is eventually consistent, so
// Unapplied reads each receipt by its key: it leaves out a receipt that has another
// state by then, and returns a damaged one with [inbox.ErrDamagedReceipt] and its
// key.
func (r *Reader) Unapplied(ctx context.Context, state inbox.State) iter.Seq2[inbox.Receipt, error] {
	return func(yield func(inbox.Receipt, error) bool) {
		for due, err := range r.indexedUnapplied(ctx, state) {
			if err != nil {
				yield(inbox.Receipt{}, err)
				return
			}
			receipt, ok, err := r.Receipt(ctx, due.Key)
			isDamaged := errors.Is(err, inbox.ErrDamagedReceipt)
			switch {
			case isDamaged:
				receipt.Key = due.Key
			case err == nil && (!ok || receipt.State != state):
				continue
			}
			if !yield(receipt, err) || err != nil && !isDamaged {
				return
			}
		}
	}
}

// indexedUnapplied orders held receipts by the time at which they were accepted,
// although those whose payout is asked about are indexed by the time of the query. It
// reads these first, so that a receipt whose queries end meanwhile is not missed.
func (r *Reader) indexedUnapplied(ctx context.Context, state inbox.State) iter.Seq2[inbox.DueReceipt, error] {
	all := unapplied{r.Client, r.Receipts, state}.all(ctx)
	if state != inbox.Held {
		return all
	}
	return func(yield func(inbox.DueReceipt, error) bool) {
		asked, err := r.askedHeld(ctx)
		if err != nil {
			yield(inbox.DueReceipt{}, err)
			return
		}
		last := inbox.Key{}
		for due, err := range merge(withoutErrors(asked), all) {
			if err == nil && due.Key == last {
				continue
			}
			if last = due.Key; !yield(due, err) {
				return
			}
		}
	}
}

// askedHeld returns the held receipts whose payout is asked about, with the time at which
// they were accepted as due time.
func (r *Reader) askedHeld(ctx context.Context) ([]inbox.DueReceipt, error) {
	var asked []inbox.DueReceipt
	for due, err := range (unapplied{r.Client, r.Receipts, heldQuery}).all(ctx) {
		if err != nil {
			return nil, err
		}
		due.DueAt = due.AcceptedAt
		asked = append(asked, due)
	}
	slices.SortFunc(asked, compareDue)
	return asked, nil
}

func withoutErrors[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, element := range list {
			if !yield(element, nil) {
				return
			}
		}
	}
}
