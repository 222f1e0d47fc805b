package main

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go/middleware"

	"payout-callbacks/pkg/lambda/functions"
)

// Timeouts of the functions in template.yaml, and how often the sweeper runs.
const (
	consumerTimeout = 30 * time.Second
	sweeperTimeout  = 50 * time.Second
	sweepEvery      = time.Minute
	consumers       = 5
)

// lambda does what Lambda does: it polls the queue for the consumer and runs
// the sweeper by the clock.
type lambda struct {
	newStack func() functions.Stack // for each instance
	poller   *sqs.Client
	queue    string
}

// run goes on until ctx ends, and returns when what was begun is done.
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
		for wait(ctx, sweepEvery/speedup) {
			invocation, cancel := context.WithTimeout(context.WithoutCancel(ctx), sweeperTimeout)
			_, _ = sweeper.HandleSweep(invocation) // it says in its log what went wrong; the next run is the retry
			cancel()
		}
	})
	running.Wait()
}

// poll hands one batch to the consumer and deletes what it does not complain of.
func (l lambda) poll(ctx context.Context, consumer functions.Stack) {
	out, err := l.poller.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:                    &l.queue,
		MaxNumberOfMessages:         10,
		WaitTimeSeconds:             1,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameApproximateReceiveCount},
	})
	if err != nil || len(out.Messages) == 0 {
		wait(ctx, 20*time.Millisecond)
		return
	}
	invocation, cancel := context.WithTimeout(context.WithoutCancel(ctx), consumerTimeout)
	defer cancel()
	response, err := consumer.HandleBatch(invocation, batchOf(out.Messages))
	if err != nil {
		return
	}
	failed := map[string]bool{}
	for _, failure := range response.BatchItemFailures {
		failed[failure.ItemIdentifier] = true
	}
	var done []types.DeleteMessageBatchRequestEntry
	for _, message := range out.Messages {
		if !failed[*message.MessageId] {
			done = append(done, types.DeleteMessageBatchRequestEntry{Id: message.MessageId, ReceiptHandle: message.ReceiptHandle})
		}
	}
	if len(done) > 0 {
		// What is not deleted is delivered again.
		_, _ = l.poller.DeleteMessageBatch(invocation, &sqs.DeleteMessageBatchInput{QueueUrl: &l.queue, Entries: done})
	}
}

func batchOf(messages []types.Message) events.SQSEvent {
	var batch events.SQSEvent
	for _, message := range messages {
		batch.Records = append(batch.Records, events.SQSMessage{
			MessageId:     aws.ToString(message.MessageId),
			ReceiptHandle: aws.ToString(message.ReceiptHandle),
			Body:          aws.ToString(message.Body),
			Attributes:    message.Attributes,
		})
	}
	return batch
}

// hurry has SQS keep messages out of sight for as long as the schedule says, at
// the schedule's speed.
func hurry(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("hurry",
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
