package dynamostore

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"payout-callbacks/pkg/inbox"
)

// unapplied is the index of unapplied receipts in one state: in shards, each ordered by
// the time at which they are due.
type unapplied struct {
	client *dynamodb.Client
	table  string
	state  inbox.State
}

// due lists up to limit items that are due at the time now, the earliest due first. It
// reads one page of each shard, and a second one only if a shard has far more than its
// share of them. Neither its requests nor its memory grow with the number of items.
func (x unapplied) due(ctx context.Context, now time.Time, limit int) ([]inbox.DueReceipt, error) {
	page := 10 + 2*limit/shards
	var due []inbox.DueReceipt
	for d, err := range oldestFirst(func(n int) iter.Seq2[inbox.DueReceipt, error] { return x.dueInShard(ctx, n, now, page) }) {
		if err != nil {
			return nil, err
		}
		if due = append(due, d); len(due) == limit {
			break
		}
	}
	return due, nil
}

func (x unapplied) dueInShard(ctx context.Context, n int, now time.Time, page int) iter.Seq2[inbox.DueReceipt, error] {
	input := x.input(n)
	input.KeyConditionExpression = aws.String("dueShard = :shard AND dueAt <= :now")
	input.ExpressionAttributeValues[":now"] = number(now.UnixMilli())
	input.Limit = aws.Int32(int32(page)) //nolint:gosec // config bounds the limit
	return x.query(ctx, input)
}

// all lists all items, the earliest due first. It holds one page of each shard.
func (x unapplied) all(ctx context.Context) iter.Seq2[inbox.DueReceipt, error] {
	return oldestFirst(func(n int) iter.Seq2[inbox.DueReceipt, error] { return x.query(ctx, x.input(n)) })
}

func (x unapplied) input(n int) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName:                 &x.table,
		IndexName:                 aws.String(unappliedIndex),
		KeyConditionExpression:    aws.String("dueShard = :shard"),
		ExpressionAttributeValues: item{":shard": text(shard(x.state, n))},
	}
}

func (x unapplied) query(ctx context.Context, input *dynamodb.QueryInput) iter.Seq2[inbox.DueReceipt, error] {
	return func(yield func(inbox.DueReceipt, error) bool) {
		for i, err := range query(ctx, x.client, input) {
			if err != nil {
				yield(inbox.DueReceipt{}, fmt.Errorf("query index %s: %w", unappliedIndex, err))
				return
			}
			due := inbox.DueReceipt{Key: decodeKey(i), DueAt: i.time("dueAt"), AcceptedAt: i.time("acceptedAt")}
			if !yield(due, nil) {
				return
			}
		}
	}
}

// oldestFirst merges the shards by the time at which their items are due. It reads on
// in a shard only when it has yielded the item that it read last.
func oldestFirst(inShard func(n int) iter.Seq2[inbox.DueReceipt, error]) iter.Seq2[inbox.DueReceipt, error] {
	var sequences []iter.Seq2[inbox.DueReceipt, error]
	for n := range shards {
		sequences = append(sequences, inShard(n))
	}
	return merge(sequences...)
}

// merge merges sequences that are ordered by the time at which their items are due.
func merge(sequences ...iter.Seq2[inbox.DueReceipt, error]) iter.Seq2[inbox.DueReceipt, error] {
	return func(yield func(inbox.DueReceipt, error) bool) {
		heads := make([]*head, 0, len(sequences))
		defer func() { stopAll(heads) }()
		for _, sequence := range sequences {
			next, stop := iter.Pull2(sequence)
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

// head is the first item of a sequence that is not yielded yet.
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
		case first == nil || compareDue(h.due, first.due) < 0:
			first = h
		}
	}
	return first
}

func compareDue(a, b inbox.DueReceipt) int {
	return cmp.Or(a.DueAt.Compare(b.DueAt), a.Key.Compare(b.Key))
}

func stopAll(heads []*head) {
	for _, h := range heads {
		h.stop()
	}
}
