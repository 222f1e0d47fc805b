package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/notification"
)

// Bus takes notices to those who react to them; see eventbus.Bus.
type Bus interface {
	// Publish returns how many of the notices, counted from the first, were
	// published, and why the next one was not.
	Publish(ctx context.Context, notices []notification.Notification) (int, error)
}

// Publisher publishes what changed of payouts, as the stream of their table
// tells it. It is safe for concurrent use.
type Publisher struct{ Bus Bus }

// Publication is what became of one batch of the stream.
type PublishResult struct {
	Records   int
	Published []string // ids of notices
	Unclear   []error  // of records that cannot be told of; they are passed over
	Removed   []string // payouts that were deleted, which only a person can do
	Failed    int      // notices that are to come again
	Err       error    // why they are

	retryFrom string // sequence number of the first of them
}

// reserve is the last part of the time that Lambda gives. It is kept for saying
// from where to go on: a batch that runs into its timeout is delivered again whole.
const reserve = 2 * time.Second

// told is a notice, and where in the stream it comes from.
type pending struct {
	notice   notification.Notification
	sequence string
}

// Publish publishes the notices of a batch in the order of the stream, and
// stops at the first that fails. What cannot be told of fails nothing: the
// stream waits behind a failure, and it would wait for a day.
func (p *Publisher) Publish(ctx context.Context, batch events.DynamoDBEvent) PublishResult {
	result := PublishResult{Records: len(batch.Records)}
	var waiting []pending
	for _, record := range batch.Records {
		if record.EventName == string(events.DynamoDBOperationTypeRemove) {
			result.Removed = append(result.Removed, payoutOf(record))
			continue
		}
		n, ok, err := read(record)
		if err != nil {
			result.Unclear = append(result.Unclear, err)
		}
		if ok {
			waiting = append(waiting, pending{n, record.Change.SequenceNumber})
		}
	}
	ctx, cancel := inbox.WithReserve(ctx, reserve)
	defer cancel()
	p.send(ctx, waiting, &result)
	return result
}

// read returns the notice of a record of the stream, where anything is to be
// told. A panic is the record's own.
func read(record events.DynamoDBEventRecord) (n notification.Notification, ok bool, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			n, ok, err = notification.Notification{}, false, fmt.Errorf("payout %s: panic: %v", payoutOf(record), cause)
		}
	}()
	changed, err := decodeChange(record)
	if err != nil {
		return notification.Notification{}, false, err
	}
	n, ok = notification.FromChange(changed.before.Record, changed.after.Record, changed.after.UpdatedAt)
	return n, ok, nil
}

// send publishes what waits, but for a notice that no bus will ever take.
func (p *Publisher) send(ctx context.Context, waiting []pending, result *PublishResult) {
	for len(waiting) > 0 {
		notices := make([]notification.Notification, 0, len(waiting))
		for _, value := range waiting {
			notices = append(notices, value.notice)
		}
		n, err := p.Bus.Publish(ctx, notices)
		for _, done := range notices[:n] {
			result.Published = append(result.Published, done.ID)
		}
		waiting = waiting[n:]
		switch {
		case err == nil:
			return
		case errors.Is(err, notification.ErrUnpublishable):
			result.Unclear = append(result.Unclear, err)
			waiting = waiting[1:]
		default:
			result.Failed, result.Err, result.retryFrom = len(waiting), err, waiting[0].sequence
			return
		}
	}
}

// Response is the answer to Lambda: from which record on it is to deliver again.
func (p PublishResult) Response() events.DynamoDBEventResponse {
	response := events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{}}
	if p.retryFrom != "" {
		response.BatchItemFailures = append(response.BatchItemFailures,
			events.DynamoDBBatchItemFailure{ItemIdentifier: p.retryFrom})
	}
	return response
}
