// Package publisher publishes a notification for each change of a payout that
// Lambda reads from the stream of the payouts table.
//
// It promises that a notification is published at least once and in the order of
// the stream, or that its record is reported to Lambda as failed. A record that
// can never be published is skipped and reported, because the stream would wait
// behind it. Package dynamostore decodes the stream, package notification decides
// what is published, package eventbus publishes it.
package publisher

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/notification"
)

// Bus publishes notifications; see eventbus.Bus.
type Bus interface {
	// Publish returns how many of the notifications, counted from the first,
	// were published, and why the next one was not.
	Publish(ctx context.Context, notifications []notification.Notification) (int, error)
}

// Publisher publishes the changes of payouts. It is safe for concurrent use.
type Publisher struct{ Bus Bus }

// Result is the result of one batch of the stream.
type Result struct {
	Records   int      // records in the batch
	Published []string // ids of the published notifications
	Skipped   []error  // why records were passed over: they can never be published
	Removed   []string // payouts that were deleted, which this application never does
	Failed    int      // notifications that must be delivered again
	Err       error    // why they must

	retryFrom string // sequence number of the first record that failed
}

// reserve is the part of the function's remaining time that is kept for reporting
// failures. Lambda delivers a batch that times out again as a whole.
const reserve = 2 * time.Second

// pending is a notification that is not published yet, with the sequence number
// of its record.
type pending struct {
	notification notification.Notification
	sequence     string
}

// Publish decodes the batch, then publishes its notifications in the order of the
// stream. It stops at the first that fails.
func (p *Publisher) Publish(ctx context.Context, batch events.DynamoDBEvent) Result {
	waiting, result := decodeBatch(batch)
	ctx, cancel := inbox.WithReserve(ctx, reserve)
	defer cancel()
	p.send(ctx, waiting, &result)
	return result
}

// Response returns the answer to Lambda: the record from which it must deliver
// again.
func (r Result) Response() events.DynamoDBEventResponse {
	// A missing list would mean that the whole batch failed.
	response := events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{}}
	if r.retryFrom != "" {
		response.BatchItemFailures = append(response.BatchItemFailures,
			events.DynamoDBBatchItemFailure{ItemIdentifier: r.retryFrom})
	}
	return response
}

// decodeBatch returns the notifications of a batch, and what it holds besides.
func decodeBatch(batch events.DynamoDBEvent) ([]pending, Result) {
	result := Result{Records: len(batch.Records)}
	var waiting []pending
	for _, record := range batch.Records {
		if record.EventName == string(events.DynamoDBOperationTypeRemove) {
			result.Removed = append(result.Removed, dynamostore.ChangedPayout(record))
			continue
		}
		n, ok, err := decodeRecord(record)
		if err != nil {
			result.Skipped = append(result.Skipped, err)
		}
		if ok {
			waiting = append(waiting, pending{n, record.Change.SequenceNumber})
		}
	}
	return waiting, result
}

// decodeRecord returns the notification of a record, if its change has one. A
// panic fails only its own record.
func decodeRecord(record events.DynamoDBEventRecord) (n notification.Notification, ok bool, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			n, ok, err = notification.Notification{}, false, fmt.Errorf("payout %s: panic: %v", dynamostore.ChangedPayout(record), cause)
		}
	}()
	change, err := dynamostore.DecodeChange(record)
	if err != nil {
		return notification.Notification{}, false, err
	}
	n, ok = notification.FromChange(change.Before.Record, change.After.Record, change.After.UpdatedAt)
	return n, ok, nil
}

// send publishes the waiting notifications, except those that the bus rejects for
// good.
func (p *Publisher) send(ctx context.Context, waiting []pending, result *Result) {
	for len(waiting) > 0 {
		notifications := make([]notification.Notification, 0, len(waiting))
		for _, w := range waiting {
			notifications = append(notifications, w.notification)
		}
		published, err := p.Bus.Publish(ctx, notifications)
		for _, n := range notifications[:published] {
			result.Published = append(result.Published, n.ID)
		}
		waiting = waiting[published:]
		switch {
		case err == nil:
			return
		case errors.Is(err, notification.ErrUnpublishable):
			result.Skipped = append(result.Skipped, err)
			waiting = waiting[1:]
		default:
			result.Failed, result.Err, result.retryFrom = len(waiting), err, waiting[0].sequence
			return
		}
	}
}
