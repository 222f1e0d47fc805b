package functions

import (
	"context"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"payout-callbacks/pkg/aws/apigateway"
	"payout-callbacks/pkg/aws/secrets"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/config"
	"payout-callbacks/pkg/lambda/consumer"
	"payout-callbacks/pkg/lambda/publisher"
	"payout-callbacks/pkg/provider/cregis"
)

// answerWithin is the longest that a provider waits for its answer.
const answerWithin = 4 * time.Second

// sweepReserve is the last part of the sweeper's time, which is kept for its
// lines of log and metric.
const sweepReserve = 2 * time.Second

// ServeCallbacks runs the function that answers one provider's callbacks.
func RunIngress(provider callback.Provider) {
	ctx := context.Background()
	stack, sdk := start(config.Ingress)
	name := stack.Config.KeysSecretPrefix + provider.Name()
	keys := secrets.NewKeys(secretsmanager.NewFromConfig(sdk), name, time.Now)
	keys.OnFlaw = func(ctx context.Context, flaw error) { stack.Recorder.RecordUnusableKeys(ctx, provider.Name(), flaw) }
	// Without keys the function still starts, and answers 503 until there are some.
	parallel(connectDynamoDB(ctx, sdk), connectSQS(ctx, sdk), func() {
		if _, err := keys.Keys(ctx); err != nil {
			stack.Recorder.RecordMissingKeys(ctx, provider.Name(), err)
		}
	})
	lambda.Start(stack.HandleCallbacks(provider, keys))
}

// ServeCregis runs the function that answers Cregis's callbacks.
func ServeCregis() {
	settings, err := config.LoadCregis(os.Getenv)
	if err != nil {
		fail(err)
	}
	RunIngress(cregis.New(settings.KnownFields, settings.ReferencePattern))
}

// Consume runs the function that applies what the queue delivers.
func RunConsumer() {
	stack, sdk := start(config.Consumer)
	connectDynamoDB(context.Background(), sdk)()
	lambda.Start(stack.HandleBatch)
}

// Sweep runs the function that sends again what was not applied in time.
func RunSweeper() {
	stack, _ := start(config.Sweeper)
	lambda.Start(stack.HandleSweep)
}

// Publish runs the function that tells other services what changed of payouts.
// It is handed its bus: imported here, EventBridge's SDK would be in every
// function, and be initialised there.
func RunPublisher[B publisher.Bus](newBus func(sdk aws.Config, name string) B) {
	stack, sdk := start(config.Publisher)
	stack.Bus = newBus(sdk, stack.Config.PayoutBusName)
	lambda.Start(stack.HandleStream)
}

// Callbacks returns the function that answers one provider's callbacks.
func (s Stack) HandleCallbacks(provider callback.Provider, keys callback.KeySource,
) func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	handler := &callback.Handler{Provider: provider, Keys: keys, Inbox: s.Inbox, Now: s.Inbox.Now}
	return func(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		started := time.Now()
		answerCtx, cancel := context.WithTimeout(ctx, answerWithin)
		defer cancel()
		result := handler.Handle(answerCtx, apigateway.Request(event))
		s.Recorder.RecordCallback(ctx, provider.Name(), result, time.Since(started))
		return apigateway.Response(result.Reply), nil
	}
}

// Batch is the function that applies what the queue delivers.
func (s Stack) HandleBatch(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	started := time.Now()
	c := &consumer.Consumer{Inbox: s.Inbox, Queue: s.Queue}
	deliveries := c.Consume(ctx, batch)
	s.Recorder.RecordBatch(ctx, deliveries, time.Since(started))
	return consumer.Response(deliveries), nil
}

// Sweep is the function that sends again what was not applied in time. The
// schedule does not look at what it answers; an operator who runs it does.
func (s Stack) HandleSweep(ctx context.Context) (inbox.SweepResult, error) {
	started := time.Now()
	work, cancel := inbox.WithReserve(ctx, sweepReserve)
	defer cancel()
	result, err := s.Inbox.Sweep(work, s.Config.SweepLimit)
	s.Recorder.RecordSweep(ctx, result, time.Since(started), err)
	return result, err
}

// Publish is the function that tells other services what changed of payouts.
// Where nothing got through, it fails as a whole, so that Lambda counts it.
func (s Stack) HandleStream(ctx context.Context, batch events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
	started := time.Now()
	p := &publisher.Publisher{Bus: s.Bus}
	published := p.Publish(ctx, batch)
	s.Recorder.RecordPublish(ctx, published, time.Since(started))
	if len(published.Published) == 0 && published.Err != nil {
		return events.DynamoDBEventResponse{}, published.Err
	}
	return published.Response(), nil
}
