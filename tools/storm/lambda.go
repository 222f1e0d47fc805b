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

// runLambda does what Lambda and the scheduler do until ctx ends: it polls the
// queue for the consumer and runs the sweeper, each with its own clients. It
// returns when the invocations have ended.
func runLambda(ctx context.Context, newStack func() functions.Stack, poller *sqs.Client, queue string) {
	var running sync.WaitGroup
	for range consumers {
		running.Go(func() {
			consumer := newStack()
			for ctx.Err() == nil {
				poll(ctx, consumer, poller, queue)
			}
		})
	}
	running.Go(func() {
		sweeper := newStack()
		for sleep(ctx, sweepEvery/speedup) {
			// Without a deadline, which the sweep would compare with the fast clock. The next run is the retry.
			_, _ = sweeper.HandleSweep(context.WithoutCancel(ctx))
		}
	})
	running.Wait()
}

// poll passes a batch to the consumer and deletes the messages that succeed. The
// others are delivered again.
func poll(ctx context.Context, consumer functions.Stack, poller *sqs.Client, queue string) {
	out, err := poller.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:                    &queue,
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
	for _, message := range out.Messages {
		isFailed := slices.Contains(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: *message.MessageId})
		if err == nil && !isFailed {
			_, _ = poller.DeleteMessage(invocation, &sqs.DeleteMessageInput{QueueUrl: &queue, ReceiptHandle: message.ReceiptHandle})
		}
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
