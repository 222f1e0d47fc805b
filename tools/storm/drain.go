package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
)

// drainTimeout is how long the queue may take to drain after the last outage.
const drainTimeout = 2 * time.Minute

// awaitDrained waits until no message is in a queue and no receipt is unapplied.
func awaitDrained(ctx context.Context, client *sqs.Client, reader *dynamostore.Reader, queues ...string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, drainTimeout, errors.New("the queue is not drained in time"))
	defer cancel()
	for idle := 0; idle < 2; idle++ { // twice in a row, because messages move between the queues
		if !sleep(ctx, 250*time.Millisecond) {
			return context.Cause(ctx)
		}
		isIdle, err := isDrained(ctx, client, reader, queues)
		if err != nil {
			return err
		}
		if !isIdle {
			idle = -1
		}
	}
	return nil
}

func isDrained(ctx context.Context, client *sqs.Client, reader *dynamostore.Reader, queues []string) (bool, error) {
	for _, queue := range queues {
		out, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &queue, AttributeNames: []types.QueueAttributeName{
			types.QueueAttributeNameApproximateNumberOfMessages,
			types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
			types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
		}})
		if err != nil {
			return false, fmt.Errorf("count messages: %w", err)
		}
		for _, count := range out.Attributes {
			if count != "0" {
				return false, nil
			}
		}
	}
	for _, err := range reader.Unapplied(ctx, inbox.Received) {
		return false, err
	}
	return true, nil
}
