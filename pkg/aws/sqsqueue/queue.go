package sqsqueue

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"payout-callbacks/pkg/inbox"
)

// Queue implements inbox.Queue and inbox.DeadLetters with SQS. It is safe for
// concurrent use.
type Queue struct {
	Client         *sqs.Client
	EventsURL      string
	DeadLettersURL string
}

var (
	_ inbox.Queue       = (*Queue)(nil)
	_ inbox.DeadLetters = (*Queue)(nil)
)

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

// sweepVisibility is the visibility timeout, in seconds, of a dead-letter message
// that the sweeper receives: longer than the sweeper may run.
const sweepVisibility = 60

// Receive implements inbox.DeadLetters.
func (q *Queue) Receive(ctx context.Context, limit int) ([]inbox.DeadLetter, error) {
	out, err := q.Client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:            &q.DeadLettersURL,
		MaxNumberOfMessages: int32(min(limit, maxEntries)), //nolint:gosec // at most ten
		VisibilityTimeout:   sweepVisibility,
	})
	if err != nil {
		return nil, err
	}
	var deadLetters []inbox.DeadLetter
	for _, m := range out.Messages {
		receipt, err := Decode(aws.ToString(m.Body))
		deadLetters = append(deadLetters, inbox.DeadLetter{
			Receipt:    receipt,
			Unreadable: err != nil,
			Handle:     aws.ToString(m.ReceiptHandle),
		})
	}
	return deadLetters, nil
}

// Delete implements inbox.DeadLetters.
func (q *Queue) Delete(ctx context.Context, deadLetter inbox.DeadLetter) error {
	_, err := q.Client.DeleteMessage(ctx, &sqs.DeleteMessageInput{
		QueueUrl:      &q.DeadLettersURL,
		ReceiptHandle: &deadLetter.Handle,
	})
	return err
}

// Return implements inbox.DeadLetters.
func (q *Queue) Return(ctx context.Context, deadLetter inbox.DeadLetter) error {
	return q.setVisibility(ctx, q.DeadLettersURL, deadLetter.Handle, 0)
}

// Postpone sets after how many whole seconds a received message becomes visible
// again.
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
