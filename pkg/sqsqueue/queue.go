package sqsqueue

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"payout-callbacks/pkg/inbox"
)

// Queue is inbox.Queue and inbox.DeadLetters on SQS. It is safe for concurrent use.
type Queue struct {
	Client         *sqs.Client
	EventsURL      string
	DeadLettersURL string
}

var (
	_ inbox.Queue       = (*Queue)(nil)
	_ inbox.DeadLetters = (*Queue)(nil)
)

// Bounds of SQS on one SendMessageBatch.
const (
	maxEntries = 10
	maxBytes   = 1 << 20
)

// maxGroup is the length of a message group's name, SQS's own bound.
const maxGroup = 128

// Send implements inbox.Queue. One receipt is one SendMessage.
func (q *Queue) Send(ctx context.Context, receipts ...inbox.Receipt) error {
	var entries []types.SendMessageBatchRequestEntry
	size := 0
	for n, receipt := range receipts {
		text, err := Encode(receipt)
		if err != nil {
			return err
		}
		if len(entries) == maxEntries || size+len(text) > maxBytes {
			if err := q.sendBatch(ctx, entries); err != nil {
				return err
			}
			entries, size = nil, 0
		}
		size += len(text)
		entries = append(entries, types.SendMessageBatchRequestEntry{
			Id:             aws.String(strconv.Itoa(n)),
			MessageBody:    &text,
			MessageGroupId: aws.String(group(receipt)),
		})
	}
	return q.sendBatch(ctx, entries)
}

func (q *Queue) sendBatch(ctx context.Context, entries []types.SendMessageBatchRequestEntry) error {
	switch len(entries) {
	case 0:
		return nil
	case 1:
		_, err := q.Client.SendMessage(ctx, &sqs.SendMessageInput{
			QueueUrl:       &q.EventsURL,
			MessageBody:    entries[0].MessageBody,
			MessageGroupId: entries[0].MessageGroupId,
		})
		return err
	}
	out, err := q.Client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.EventsURL, Entries: entries})
	if err != nil {
		return err
	}
	var errs []error
	for _, failed := range out.Failed {
		errs = append(errs, fmt.Errorf("send one of %d messages: %s", len(entries), aws.ToString(failed.Code)))
	}
	return errors.Join(errs...)
}

// group names the message group of a receipt. On a standard queue it orders
// nothing; it keeps one noisy account from delaying the others.
func group(receipt inbox.Receipt) string {
	name := receipt.Provider() + "." + url.PathEscape(receipt.Account())
	return name[:min(len(name), maxGroup)]
}

// Waiting implements inbox.Queue.
func (q *Queue) Waiting(ctx context.Context) (int, error) {
	name := types.QueueAttributeNameApproximateNumberOfMessages
	out, err := q.Client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl:       &q.EventsURL,
		AttributeNames: []types.QueueAttributeName{name},
	})
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(out.Attributes[string(name)])
}

// decideWithin is how long, in seconds, a dead letter stays out of sight while
// the sweeper decides about it: longer than the sweeper may run.
const decideWithin = 60

// Receive implements inbox.DeadLetters.
func (q *Queue) Receive(ctx context.Context, most int) ([]inbox.DeadLetter, error) {
	out, err := q.Client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:            &q.DeadLettersURL,
		MaxNumberOfMessages: int32(min(most, maxEntries)), //nolint:gosec // at most ten
		VisibilityTimeout:   decideWithin,
	})
	if err != nil {
		return nil, err
	}
	var letters []inbox.DeadLetter
	for _, found := range out.Messages {
		receipt, err := Decode(aws.ToString(found.Body))
		letters = append(letters, inbox.DeadLetter{
			Receipt: receipt,
			Foreign: err != nil,
			Handle:  aws.ToString(found.ReceiptHandle),
		})
	}
	return letters, nil
}

// Delete implements inbox.DeadLetters.
func (q *Queue) Delete(ctx context.Context, letter inbox.DeadLetter) error {
	_, err := q.Client.DeleteMessage(ctx, &sqs.DeleteMessageInput{
		QueueUrl:      &q.DeadLettersURL,
		ReceiptHandle: &letter.Handle,
	})
	return err
}

// Return implements inbox.DeadLetters.
func (q *Queue) Return(ctx context.Context, letter inbox.DeadLetter) error {
	return q.setVisibility(ctx, q.DeadLettersURL, letter.Handle, 0)
}

// Postpone keeps a delivered event out of sight for a while, in whole seconds;
// none means that it is delivered again at once.
func (q *Queue) Postpone(ctx context.Context, handle string, wait time.Duration) error {
	return q.setVisibility(ctx, q.EventsURL, handle, wait)
}

func (q *Queue) setVisibility(ctx context.Context, queue, handle string, wait time.Duration) error {
	_, err := q.Client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl:          &queue,
		ReceiptHandle:     &handle,
		VisibilityTimeout: int32(wait / time.Second), //nolint:gosec // at most 15 minutes
	})
	return err
}
