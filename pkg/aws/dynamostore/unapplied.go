package dynamostore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"payout-callbacks/pkg/inbox"
)

// Unapplied lists the receipts that are received, or those that are held, by
// the time at which they are due: for a held one, that is when it was accepted.
// It merges the shards of the index and holds one page of each. The index may
// be a moment behind, so each receipt is read again by its key: one that has
// another state by then is left out, one that is damaged comes with
// [inbox.ErrDamaged] and its key.
func (r *Reader) Unapplied(ctx context.Context, state inbox.State) iter.Seq2[inbox.Receipt, error] {
	return func(yield func(inbox.Receipt, error) bool) {
		for due, err := range r.indexedUnapplied(ctx, state) {
			if err != nil {
				yield(inbox.Receipt{}, err)
				return
			}
			receipt, ok, err := r.Receipt(ctx, due.Key)
			damaged := errors.Is(err, inbox.ErrDamagedReceipt)
			switch {
			case damaged:
				receipt.Key = due.Key
			case err == nil && (!ok || receipt.State != state):
				continue
			}
			if !yield(receipt, err) || err != nil && !damaged {
				return
			}
		}
	}
}

func (r *Reader) indexedUnapplied(ctx context.Context, state inbox.State) iter.Seq2[inbox.DueReceipt, error] {
	return oldestFirst(func(n int) iter.Seq2[inbox.DueReceipt, error] {
		return queryUnapplied(ctx, r.Client, &dynamodb.QueryInput{
			TableName:                 &r.Receipts,
			IndexName:                 aws.String(unappliedIndex),
			KeyConditionExpression:    aws.String("#due = :shard"),
			ExpressionAttributeNames:  map[string]string{"#due": "dueShard"},
			ExpressionAttributeValues: item{":shard": text(shard(state, n))},
		})
	})
}

// oldestFirst merges the shards by the time at which their receipts are due. It
// goes on in a shard only when it has given the last of what it has seen there.
func oldestFirst(inShard func(n int) iter.Seq2[inbox.DueReceipt, error]) iter.Seq2[inbox.DueReceipt, error] {
	return func(yield func(inbox.DueReceipt, error) bool) {
		heads := make([]*head, 0, shards)
		defer func() { stopAll(heads) }()
		for n := range shards {
			next, stop := iter.Pull2(inShard(n))
			h := &head{next: next, stop: stop}
			heads = append(heads, h)
			h.advance()
		}
		for {
			first := earliest(heads)
			if first == nil || !yield(first.due, first.err) || first.err != nil {
				return
			}
			first.advance()
		}
	}
}

func queryUnapplied(ctx context.Context, client *dynamodb.Client, input *dynamodb.QueryInput) iter.Seq2[inbox.DueReceipt, error] {
	return func(yield func(inbox.DueReceipt, error) bool) {
		for i, err := range query(ctx, client, input) {
			if err != nil {
				yield(inbox.DueReceipt{}, fmt.Errorf("query index %s: %w", unappliedIndex, err))
				return
			}
			if !yield(decodeDue(i), nil) {
				return
			}
		}
	}
}

func decodeDue(i item) inbox.DueReceipt {
	return inbox.DueReceipt{
		Key:        inbox.Key{Payout: i.text("payout"), Receipt: i.text("receipt")},
		DueAt:      i.time("dueAt"),
		AcceptedAt: i.time("acceptedAt"),
	}
}

// head is the first receipt of a shard that was not yielded yet.
type head struct {
	next func() (inbox.DueReceipt, error, bool)
	stop func()

	due  inbox.DueReceipt
	err  error
	some bool
}

func (h *head) advance() { h.due, h.err, h.some = h.next() }

// earliest returns the head that is due first, or one that failed, or nil.
func earliest(heads []*head) *head {
	var first *head
	for _, h := range heads {
		switch {
		case !h.some:
		case h.err != nil:
			return h
		case first == nil || h.before(first):
			first = h
		}
	}
	return first
}

func (h *head) before(other *head) bool {
	return cmp.Or(h.due.DueAt.Compare(other.due.DueAt), h.due.Key.Compare(other.due.Key)) < 0
}

func stopAll(heads []*head) {
	for _, h := range heads {
		h.stop()
	}
}
