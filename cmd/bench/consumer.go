package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	awslambda "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/sqsqueue"
)

const batchSize = 10

// received puts receipts into the store as the ingress does, and returns the
// messages that it would send.
func (w *world) received(ctx context.Context, count int) ([]string, error) {
	provider := providerNamed("cregis")
	messages := make([]string, count)
	_, err := inPlaces(8, count, func(n int) error {
		asked, err := w.request()
		if err != nil {
			return err
		}
		sender, err := provider.Verify(asked, accountKeys["cregis"])
		if err != nil {
			return err
		}
		receipt := callback.NewReceipt(provider, asked, sender, time.Now())
		if _, err := w.stack.Inbox.Store.Create(ctx, receipt); err != nil {
			return err
		}
		messages[n], err = sqsqueue.Encode(receipt)
		return err
	})
	return messages, err
}

// batchOf returns messages as Lambda hands them to a function.
func batchOf(messages []string) ([]byte, error) {
	var batch events.SQSEvent
	for n, message := range messages {
		batch.Records = append(batch.Records, events.SQSMessage{
			MessageId:  fmt.Sprintf("059f36b4-87a3-44ab-83d2-661975830a%02d", n),
			Body:       message,
			Attributes: map[string]string{"ApproximateReceiveCount": "1", "SentTimestamp": "1795262400000", "SenderId": "AROAEXAMPLE:function"},
			AWSRegion:  "us-east-1", EventSource: "aws:sqs", EventSourceARN: "arn:aws:sqs:us-east-1:123456789012:events",
		})
	}
	return json.Marshal(batch)
}

// consumed has the consumer take a batch.
func (w *world) consumed(ctx context.Context, messages []string) error {
	batch, err := batchOf(messages)
	if err != nil {
		return err
	}
	return taken(ctx, awslambda.NewHandler(w.stack.Batch), batch)
}

func taken(ctx context.Context, handler awslambda.Handler, batch []byte) error {
	answer, err := handler.Invoke(ctx, batch)
	if err == nil && string(answer) != `{"batchItemFailures":[]}` {
		err = fmt.Errorf("the consumer answered %s", answer)
	}
	return err
}

// consumer compares a batch with a function that makes the same transactions as
// concurrently, without conditions, and does nothing else.
func consumer(ctx context.Context, w *world) ([]row, error) {
	perRound := w.few(8, 2)
	batches := func() ([][]byte, error) {
		messages, err := w.received(ctx, perRound*batchSize)
		if err != nil {
			return nil, err
		}
		var encoded [][]byte
		for texts := range slices.Chunk(messages, batchSize) {
			batch, err := batchOf(texts)
			if err != nil {
				return nil, err
			}
			encoded = append(encoded, batch)
		}
		return encoded, nil
	}
	var rows []row
	for _, one := range []struct {
		conditional bool
		against     string
	}{{false, "ten transactions of two items"}, {true, "the same, with their conditions"}} {
		ours, floor, err := turns(w.few(61, 1),
			func() (times, error) {
				encoded, err := batches()
				if err != nil {
					return nil, err
				}
				handler := awslambda.NewHandler(w.stack.Batch)
				return inPlaces(1, perRound, func(n int) error { return taken(ctx, handler, encoded[n]) })
			},
			func() (times, error) {
				encoded, err := batches()
				if err != nil {
					return nil, err
				}
				bare, err := w.bareTransactions(ctx, encoded, one.conditional)
				if err != nil {
					return nil, err
				}
				return inPlaces(1, perRound, func(n int) error { return taken(ctx, bare[n], encoded[n]) })
			})
		if err != nil {
			return nil, err
		}
		ratio, a, b := ratioAt(0.50, ours, floor)
		rows = append(rows, newRow("consumer, batch of 10, p50", one.against, ratio, 1.05).of(a, b))
	}
	return rows, nil
}

// bareTransactions returns a function for each batch that writes what the
// consumer would.
func (w *world) bareTransactions(ctx context.Context, batches [][]byte, conditional bool) ([]awslambda.Handler, error) {
	handlers := make([]awslambda.Handler, len(batches))
	for n, batch := range batches {
		stack, recorder := w.recorded()
		if err := taken(ctx, awslambda.NewHandler(stack.Batch), batch); err != nil {
			return nil, err
		}
		inputs := asked[*dynamodb.TransactWriteItemsInput](recorder)
		for _, input := range inputs {
			if !conditional {
				withoutConditions(input)
			}
		}
		handlers[n] = awslambda.NewHandler(func(ctx context.Context, _ events.SQSEvent) (events.SQSEventResponse, error) {
			errs := make([]error, len(inputs))
			var running sync.WaitGroup
			for i, input := range inputs {
				running.Go(func() { _, errs[i] = w.clients.DynamoDB.TransactWriteItems(ctx, input) })
			}
			running.Wait()
			for _, err := range errs {
				if err != nil {
					return events.SQSEventResponse{}, err
				}
			}
			return events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}, nil
		})
	}
	return handlers, nil
}

func withoutConditions(input *dynamodb.TransactWriteItemsInput) {
	for _, one := range input.TransactItems {
		if update := one.Update; update != nil {
			update.ConditionExpression, update.ReturnValuesOnConditionCheckFailure = nil, ""
			update.ExpressionAttributeValues = maps.Clone(update.ExpressionAttributeValues)
			delete(update.ExpressionAttributeValues, ":received") // a value that nothing uses is an error
		}
		if put := one.Put; put != nil {
			put.ConditionExpression, put.ReturnValuesOnConditionCheckFailure = nil, types.ReturnValuesOnConditionCheckFailure("")
		}
	}
}
