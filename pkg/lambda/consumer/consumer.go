// Package consumer applies the batches of receipts that Lambda takes from the
// queue.
//
// It promises that a message is either applied or reported to Lambda as failed,
// and that it fails no other message of its batch. Package inbox applies a
// receipt, package sqsqueue reads messages; what an outcome means to an operator
// is left to package telemetry.
package consumer

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/inbox"
)

// Applier merges a receipt into its payout; see inbox.Inbox.Apply.
type Applier interface {
	Apply(ctx context.Context, receipt inbox.Receipt) (inbox.ApplyResult, error)
}

// Postponer sets when a failed message becomes visible again; see
// sqsqueue.Queue.Postpone.
type Postponer interface {
	Postpone(ctx context.Context, handle string, wait time.Duration) error
}

// Consumer applies the receipts of a batch. It is safe for concurrent use.
type Consumer struct {
	Inbox Applier
	Queue Postponer
}

// Delivery is the result of one message of a batch.
type Delivery struct {
	MessageID  string
	Receipt    inbox.Receipt     // zero if the message is unreadable
	Outcome    inbox.ApplyResult // empty if Err is set
	Unreadable bool              // the message is not one that this application sends
	Err        error             // why the message must be delivered again
}

const (
	// reserve is the part of the function's remaining time that is kept for
	// reporting failures. Lambda delivers a batch that times out again as a whole.
	reserve         = 2 * time.Second
	postponeTimeout = time.Second
)

// Consume applies the messages of a batch concurrently and returns one delivery
// for each, in the same order. A panic fails only its own message.
func (c *Consumer) Consume(ctx context.Context, batch events.SQSEvent) []Delivery {
	deliveries := make([]Delivery, len(batch.Records))
	applyCtx, cancel := inbox.WithReserve(ctx, reserve)
	defer cancel()
	var running sync.WaitGroup
	for n, message := range batch.Records {
		running.Go(func() {
			deliveries[n] = c.apply(applyCtx, message)
			c.postpone(ctx, message, deliveries[n])
		})
	}
	running.Wait()
	return deliveries
}

// Response returns the answer to Lambda: the ids of the messages that failed.
// Lambda leaves those in the queue and deletes the others.
func Response(deliveries []Delivery) events.SQSEventResponse {
	// A missing list would mean that the whole batch failed.
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, delivery := range deliveries {
		if delivery.Err != nil {
			response.BatchItemFailures = append(response.BatchItemFailures,
				events.SQSBatchItemFailure{ItemIdentifier: delivery.MessageID})
		}
	}
	return response
}

func (c *Consumer) apply(ctx context.Context, message events.SQSMessage) (delivery Delivery) {
	delivery.MessageID = message.MessageId
	defer func() {
		if cause := recover(); cause != nil {
			delivery.Outcome, delivery.Err = "", fmt.Errorf("panic: %v", cause)
		}
	}()
	if delivery.Err = ctx.Err(); delivery.Err != nil {
		return delivery
	}
	delivery.Receipt, delivery.Err = sqsqueue.Decode(message.Body)
	if delivery.Err != nil {
		delivery.Unreadable = errors.Is(delivery.Err, sqsqueue.ErrUnreadable)
		return delivery
	}
	delivery.Outcome, delivery.Err = c.Inbox.Apply(ctx, delivery.Receipt)
	return delivery
}

// postpone sets when a failed message becomes visible again. An unreadable
// message returns at once, so that it reaches the dead-letter queue within
// seconds. A message that met a failing store waits, longer with each receive:
// Lambda does not slow down for partial failures, and a few fast receives would
// move the only copy of a callback to the dead-letter queue.
//
// If the request fails, the queue's own visibility timeout applies.
func (c *Consumer) postpone(ctx context.Context, message events.SQSMessage, delivery Delivery) {
	if delivery.Err == nil {
		return
	}
	wait := backoff(message.Attributes["ApproximateReceiveCount"])
	if delivery.Unreadable {
		wait = 0
	}
	ctx, cancel := context.WithTimeout(ctx, postponeTimeout)
	defer cancel()
	_ = c.Queue.Postpone(ctx, message.ReceiptHandle, wait)
}

// backoff returns 30 seconds after the first receive, doubled with each further
// receive up to 15 minutes.
func backoff(receives string) time.Duration {
	const first, last = 30 * time.Second, 15 * time.Minute
	n, err := strconv.Atoi(receives)
	if err != nil || n < 1 {
		return first
	}
	return min(first<<min(n-1, 5), last)
}
