package app

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/gateway"
	"payout-callbacks/pkg/secret"
	"payout-callbacks/pkg/sqsqueue"
)

// answerWithin is the longest that a provider waits for its answer.
const answerWithin = 4 * time.Second

// ServeCallbacks runs the function that answers one provider's callbacks.
func ServeCallbacks(provider callback.Provider) {
	ctx := context.Background()
	stack := must(newStack())
	name := stack.config.KeysSecretPrefix + provider.Name()
	keys := secret.NewKeys(secretsmanager.NewFromConfig(stack.aws), name, time.Now)
	// Read here, where Lambda gives full CPU and no provider waits. Without
	// keys the function still starts, and answers 503 until there are some.
	if _, err := keys.Keys(ctx); err != nil {
		stack.recorder.NoKeys(ctx, provider.Name(), err)
	}
	handler := &callback.Handler{Provider: provider, Keys: keys, Inbox: stack.inbox, Now: time.Now}
	lambda.Start(func(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		started := time.Now()
		answerCtx, cancel := context.WithTimeout(ctx, answerWithin)
		defer cancel()
		result := handler.Handle(answerCtx, gateway.Request(event))
		stack.recorder.Callback(ctx, provider.Name(), result, time.Since(started))
		return gateway.Response(result.Reply), nil
	})
}

// Consume runs the function that applies what the queue delivers.
func Consume() {
	stack := must(newStack())
	consumer := &sqsqueue.Consumer{Inbox: stack.inbox, Queue: stack.queue}
	lambda.Start(func(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
		deliveries := consumer.Consume(ctx, batch)
		for _, delivery := range deliveries {
			stack.recorder.Delivery(ctx, delivery)
		}
		return sqsqueue.Failures(deliveries), nil
	})
}

// Sweep runs the function that sends again what was not applied in time.
func Sweep() {
	stack := must(newStack())
	lambda.Start(func(ctx context.Context) error {
		started := time.Now()
		swept, err := stack.inbox.Sweep(ctx, stack.config.SweepLimit)
		stack.recorder.Sweep(ctx, swept, time.Since(started), err)
		return err
	})
}
