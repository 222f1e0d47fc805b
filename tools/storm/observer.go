package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/config"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
)

// observer reads the tables and queues without the proxies.
type observer struct {
	sqs    *sqs.Client
	queues []string
	reader *dynamostore.Reader
}

func newObserver(direct functions.Clients, c config.Config) observer {
	return observer{direct.SQS, []string{c.EventsQueueURL, c.DeadLetterQueueURL}, &dynamostore.Reader{
		Client: direct.DynamoDB, Receipts: c.ReceiptsTable, Payouts: c.PayoutsTable,
	}}
}

// drainTimeout is how long the queue may take to drain after the last outage.
const drainTimeout = 2 * time.Minute

// awaitDrained waits until no message is queued and no receipt is unapplied.
func (o observer) awaitDrained(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, drainTimeout, errors.New("the queue is not drained in time"))
	defer cancel()
	for idle := 0; idle < 2; { // twice in a row, because messages move between the queues
		isIdle, err := o.isIdle(ctx)
		if err != nil {
			return err
		}
		idle++
		if !isIdle {
			idle = 0
		}
		if !sleep(ctx, 250*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
	return nil
}

func (o observer) isIdle(ctx context.Context) (bool, error) {
	for _, queue := range o.queues {
		messages, err := o.countMessages(ctx, queue)
		if err != nil || messages > 0 {
			return false, err
		}
	}
	for _, err := range o.reader.Unapplied(ctx, inbox.Received) {
		return false, err
	}
	return true, nil
}

func (o observer) countMessages(ctx context.Context, queue string) (int, error) {
	counts := []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	}
	out, err := o.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &queue, AttributeNames: counts})
	if err != nil {
		return 0, fmt.Errorf("count messages: %w", err)
	}
	total := 0
	for _, name := range counts {
		count, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			return 0, fmt.Errorf("count messages: %w", err)
		}
		total += count
	}
	return total, nil
}

// state reads both tables.
func (o observer) state(ctx context.Context) (inboxtest.State, error) {
	var state inboxtest.State
	for stored, err := range o.reader.List(ctx, dynamostore.Filter{}) {
		if err != nil {
			return state, err
		}
		state.Records = append(state.Records, stored.Record)
	}
	seen := map[payout.ID]bool{}
	for scanned, err := range o.reader.ScanReceipts(ctx, time.Time{}, time.Time{}) {
		if err != nil {
			return state, err
		}
		id := payout.ID(scanned.Key.Payout)
		if seen[id] {
			continue
		}
		seen[id] = true
		for receipt, err := range o.reader.ReceiptsOf(ctx, id) { // a scan leaves the bodies out
			if err != nil {
				return state, err
			}
			state.Receipts = append(state.Receipts, receipt)
		}
	}
	return state, nil
}
