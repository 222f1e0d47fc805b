package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/config"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
)

// onlooker looks at the tables and queues past the weather.
type onlooker struct {
	direct functions.Clients
	config config.Config
	reader *dynamostore.Reader
}

func newOnlooker(direct functions.Clients, c config.Config) onlooker {
	return onlooker{direct, c, &dynamostore.Reader{
		Client: direct.DynamoDB, Receipts: c.ReceiptsTable, Payouts: c.PayoutsTable,
	}}
}

// patience is how long the queue may take to drain once the weather is fair.
const patience = 2 * time.Minute

// drained waits until nothing is left to do: no message anywhere, in sight or
// not, and no receipt that waits to be applied.
func (o onlooker) drained(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("not drained in time"))
	defer cancel()
	for calm := 0; calm < 2; { // two looks: a message moves between two places
		idle, err := o.idle(ctx)
		switch {
		case err != nil:
			return err
		case idle:
			calm++
		default:
			calm = 0
		}
		if !wait(ctx, 250*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
	return nil
}

func (o onlooker) idle(ctx context.Context) (bool, error) {
	for _, queue := range []string{o.config.EventsQueueURL, o.config.DeadLetterQueueURL} {
		messages, err := o.messages(ctx, queue)
		if err != nil || messages > 0 {
			return false, err
		}
	}
	for _, err := range o.reader.Unapplied(ctx, inbox.Received) {
		return false, err
	}
	return true, nil
}

func (o onlooker) messages(ctx context.Context, queue string) (int, error) {
	out, err := o.direct.SQS.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &queue, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		return 0, fmt.Errorf("count messages: %w", err)
	}
	total := 0
	for _, name := range []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	} {
		count, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			return 0, fmt.Errorf("count messages: %w", err)
		}
		total += count
	}
	return total, nil
}

// state reads both tables whole: what is there, and not what should be.
func (o onlooker) state(ctx context.Context) (inboxtest.State, error) {
	var state inboxtest.State
	for stored, err := range o.reader.List(ctx, dynamostore.Filter{}) {
		if err != nil {
			return state, err
		}
		state.Records = append(state.Records, stored.Record)
	}
	partitions, err := o.partitions(ctx)
	if err != nil {
		return state, err
	}
	for _, partition := range partitions {
		for receipt, err := range o.reader.ReceiptsOf(ctx, partition) {
			if err != nil {
				return state, err
			}
			state.Receipts = append(state.Receipts, receipt)
		}
	}
	return state, nil
}

// partitions lists the first parts of all receipts' keys.
func (o onlooker) partitions(ctx context.Context) ([]payout.ID, error) {
	seen := map[payout.ID]bool{}
	pages := dynamodb.NewScanPaginator(o.direct.DynamoDB, &dynamodb.ScanInput{
		TableName: &o.config.ReceiptsTable, ProjectionExpression: aws.String("payout"), ConsistentRead: aws.Bool(true),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("scan receipts: %w", err)
		}
		for _, item := range page.Items {
			if name, ok := item["payout"].(*dynamotypes.AttributeValueMemberS); ok {
				seen[payout.ID(name.Value)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen)), nil
}
