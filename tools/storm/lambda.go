package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go/middleware"

	"payout-callbacks/pkg/lambda/functions"
)

// The timeout of the consumer and the schedule of the sweeper in template.yaml.
const (
	consumerTimeout = 30 * time.Second
	sweepEvery      = time.Minute
	consumers       = 5
)

// lambda does what Lambda and the scheduler do: it polls the queue for the
// consumer and runs the sweeper.
type lambda struct {
	newStack func() functions.Stack // for each instance
	poller   *sqs.Client
	queue    string
}

// run works until ctx ends, and returns when the invocations have ended.
func (l lambda) run(ctx context.Context) {
	var running sync.WaitGroup
	for range consumers {
		running.Go(func() {
			consumer := l.newStack()
			for ctx.Err() == nil {
				l.poll(ctx, consumer)
			}
		})
	}
	running.Go(func() {
		sweeper := l.newStack()
		for sleep(ctx, sweepEvery/speedup) {
			// Without a deadline, which the sweep would compare with the fast clock. The next run is the retry.
			_, _ = sweeper.HandleSweep(context.WithoutCancel(ctx))
		}
	})
	running.Wait()
}

// poll passes a batch to the consumer and deletes the messages that succeed. The
// others are delivered again.
func (l lambda) poll(ctx context.Context, consumer functions.Stack) {
	out, err := l.poller.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:                    &l.queue,
		MaxNumberOfMessages:         10,
		WaitTimeSeconds:             1,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameApproximateReceiveCount},
	})
	if err != nil || len(out.Messages) == 0 {
		sleep(ctx, 20*time.Millisecond)
		return
	}
	invocation, cancel := context.WithTimeout(context.WithoutCancel(ctx), consumerTimeout)
	defer cancel()
	var batch events.SQSEvent
	for _, message := range out.Messages {
		batch.Records = append(batch.Records, events.SQSMessage{
			MessageId:     aws.ToString(message.MessageId),
			ReceiptHandle: aws.ToString(message.ReceiptHandle),
			Body:          aws.ToString(message.Body),
			Attributes:    message.Attributes,
		})
	}
	response, err := consumer.HandleBatch(invocation, batch)
	if err != nil {
		return
	}
	var succeeded []types.DeleteMessageBatchRequestEntry
	for _, message := range out.Messages {
		if !slices.Contains(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: *message.MessageId}) {
			succeeded = append(succeeded, types.DeleteMessageBatchRequestEntry{Id: message.MessageId, ReceiptHandle: message.ReceiptHandle})
		}
	}
	if len(succeeded) > 0 {
		_, _ = l.poller.DeleteMessageBatch(invocation, &sqs.DeleteMessageBatchInput{QueueUrl: &l.queue, Entries: succeeded})
	}
}

// shortenVisibility divides the visibility timeouts of requests to SQS by the
// speedup.
func shortenVisibility(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("shortenVisibility",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (middleware.InitializeOutput, middleware.Metadata, error) {
			switch input := in.Parameters.(type) {
			case *sqs.ChangeMessageVisibilityInput:
				input.VisibilityTimeout /= speedup
			case *sqs.ReceiveMessageInput:
				if input.VisibilityTimeout > 0 {
					input.VisibilityTimeout = max(1, input.VisibilityTimeout/speedup)
				}
			}
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
}
