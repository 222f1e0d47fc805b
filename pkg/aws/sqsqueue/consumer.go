package sqsqueue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/inbox"
)

// Applier merges a receipt into its payout; see inbox.Inbox.Apply.
type Applier interface {
	Apply(ctx context.Context, receipt inbox.Receipt) (inbox.ApplyResult, error)
}

// Postponer decides when a message that failed is delivered again; see
// Queue.Postpone.
type Postponer interface {
	Postpone(ctx context.Context, handle string, wait time.Duration) error
}

// Consumer applies the receipts of a batch that Lambda took from the queue. It
// is safe for concurrent use.
type Consumer struct {
	Inbox Applier
	Queue Postponer
}

// Delivery is what became of one message of a batch.
type Delivery struct {
	MessageID  string
	Receipt    inbox.Receipt     // zero for a foreign message
	Outcome    inbox.ApplyResult // "" where it failed
	Unreadable bool              // not a message of ours
	Err        error             // why it is to be delivered again
}

// Of the time that Lambda gives, the last part is kept for saying what failed:
// a batch that runs into its timeout is delivered again whole.
const (
	reserve         = 2 * time.Second
	postponeTimeout = time.Second
)

// Consume applies all messages of a batch, side by side, and says of each what
// became of it. None of them can fail another: a panic is one message's own.
func (c *Consumer) Consume(ctx context.Context, batch events.SQSEvent) []Delivery {
	deliveries := make([]Delivery, len(batch.Records))
	work, cancel := inbox.WithReserve(ctx, reserve)
	defer cancel()
	var running sync.WaitGroup
	for n, record := range batch.Records {
		running.Go(func() {
			deliveries[n] = c.consume(work, record)
			c.postpone(ctx, record, deliveries[n])
		})
	}
	running.Wait()
	return deliveries
}

// Failures is the answer to Lambda: the messages that it is to leave in the
// queue, by message id. What is not named is deleted.
func Failures(deliveries []Delivery) events.SQSEventResponse {
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, delivery := range deliveries {
		if delivery.Err != nil {
			response.BatchItemFailures = append(response.BatchItemFailures,
				events.SQSBatchItemFailure{ItemIdentifier: delivery.MessageID})
		}
	}
	return response
}

func (c *Consumer) consume(ctx context.Context, record events.SQSMessage) (delivery Delivery) {
	delivery.MessageID = record.MessageId
	defer func() {
		if cause := recover(); cause != nil {
			delivery.Outcome, delivery.Err = "", fmt.Errorf("panic: %v", cause)
		}
	}()
	if delivery.Err = ctx.Err(); delivery.Err != nil {
		return delivery
	}
	delivery.Receipt, delivery.Err = Decode(record.Body)
	if delivery.Err != nil {
		delivery.Unreadable = errors.Is(delivery.Err, errUnreadable)
		return delivery
	}
	delivery.Outcome, delivery.Err = c.Inbox.Apply(ctx, delivery.Receipt)
	return delivery
}

// postpone chooses when a failed message comes back. One that cannot be read
// goes back at once, again and again, and is in the dead-letter queue within
// seconds. One that met a failing store waits, longer each time: Lambda does
// not slow down for partial failures, and a few fast receives would burn the
// only copy of a callback into the dead-letter queue.
//
// Where postponing fails, the queue's own visibility timeout decides.
func (c *Consumer) postpone(ctx context.Context, record events.SQSMessage, delivery Delivery) {
	if delivery.Err == nil {
		return
	}
	wait := backoff(record.Attributes["ApproximateReceiveCount"])
	if delivery.Unreadable {
		wait = 0
	}
	ctx, cancel := context.WithTimeout(ctx, postponeTimeout)
	defer cancel()
	_ = c.Queue.Postpone(ctx, record.ReceiptHandle, wait)
}

// backoff is 30 s after the first receive, doubling to 15 min.
func backoff(receives string) time.Duration {
	const first, last = 30 * time.Second, 15 * time.Minute
	n, err := strconv.Atoi(receives)
	if err != nil || n < 1 {
		return first
	}
	return min(first<<min(n-1, 5), last)
}
