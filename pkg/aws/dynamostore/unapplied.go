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

// Unapplied lists the received or the held receipts by the time at which they are
// due, which for a held receipt is when it was accepted. It merges the shards of
// the index and holds one page of each. The index is eventually consistent, so
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
// reads on in a shard only when it has yielded the receipt that it read last.
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

// head is the first receipt of a shard that is not yielded yet.
type head struct {
	next func() (inbox.DueReceipt, error, bool)
	stop func()

	due inbox.DueReceipt
	err error
	ok  bool
}

func (h *head) advance() { h.due, h.err, h.ok = h.next() }

// earliest returns the head that is due first, or one with an error, or nil.
func earliest(heads []*head) *head {
	var first *head
	for _, h := range heads {
		switch {
		case !h.ok:
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
