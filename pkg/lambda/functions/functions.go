package functions

import (
	"context"
	"crypto/rand"
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"payout-callbacks/pkg/aws/apigateway"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/aws/secrets"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/config"
	"payout-callbacks/pkg/lambda/consumer"
	"payout-callbacks/pkg/lambda/publisher"
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/reconcile"
)

const (
	// replyTimeout is the longest that a provider waits for the reply.
	replyTimeout = 4 * time.Second
	// queryInterval is the time between two queries of one account. No provider
	// publishes a limit, and your own programs use the same account.
	queryInterval = 500 * time.Millisecond
	// sweepReserve is the part of the sweeper's time that is kept for its log line.
	sweepReserve = 2 * time.Second
)

// RunIngress runs the function that answers the callbacks of a provider. It starts even
// if the keys cannot be read: it answers 503 until they can.
func RunIngress(d provider.Description) {
	ctx := context.Background()
	d = loadProvider(config.Ingress, d)
	stack, sdk := loadStack(config.Ingress)
	keys := secrets.NewKeys(secretsmanager.NewFromConfig(sdk), stack.Config.KeysSecretPrefix+d.Name(), stack.Now)
	keys.OnFlaw = func(ctx context.Context, flaw error) { stack.Recorder.RecordUnusableKeys(ctx, d.Name(), flaw) }
	parallel(connectDynamoDB(ctx, sdk), connectSQS(ctx, sdk), func() {
		if _, err := keys.Keys(ctx); err != nil {
			stack.Recorder.RecordMissingKeys(ctx, d.Name(), err)
		}
	})
	lambda.Start(stack.HandleCallbacks(d.Callbacks, keys))
}

// RunConsumer runs the function that applies the messages of the queue. Of the providers
// it needs which can be asked, as the following functions do.
func RunConsumer(providers ...provider.Description) {
	stack, sdk := loadStack(config.Consumer, providers...)
	connectDynamoDB(context.Background(), sdk)()
	lambda.Start(stack.HandleBatch)
}

// RunSweeper runs the function that sends receipts again that are not applied.
func RunSweeper(providers ...provider.Description) {
	stack, _ := loadStack(config.Sweeper, providers...)
	lambda.Start(stack.HandleSweep)
}

// RunExpected runs the function that accepts what our own services ordered.
func RunExpected(providers ...provider.Description) {
	var expectations []reconcile.Expectations
	for n := range providers {
		providers[n] = loadProvider(config.Expected, providers[n])
		if e := providers[n].Expectations; e != nil {
			expectations = append(expectations, e)
		}
	}
	stack, sdk := loadStack(config.Expected, providers...)
	stack.Expecter = &reconcile.Expecter{
		Inbox: stack.Inbox, Store: stack.Store, Now: stack.Now,
		Providers: expectations,
	}
	connectDynamoDB(context.Background(), sdk)()
	lambda.Start(stack.HandleExpected)
}

// RunReconciler runs the function that asks providers about payouts.
func RunReconciler(providers ...provider.Description) {
	log.SetOutput(reconcile.LogWriter(os.Stderr))
	stack, sdk := loadStack(config.Reconciler, providers...)
	stack.Reconciler = &reconcile.Reconciler{
		Inbox: stack.Inbox, Store: stack.Store,
		Accounts:    &dynamostore.Accounts{Client: dynamodb.NewFromConfig(sdk), Table: stack.Config.AccountsTable},
		Providers:   withQueries(providers),
		Credentials: &secrets.APICredentials{Client: secretsmanager.NewFromConfig(sdk), Prefix: stack.Config.APISecretPrefix},
		Client:      reconcile.NewClient(stack.Config.AWS.Endpoint != ""),
		Limit:       stack.Config.ReconcileLimit,
		Interval:    queryInterval,
		Owner:       rand.Text(),
		Now:         stack.Now,
	}
	lambda.Start(stack.HandleReconcile)
}

// withQueries returns the providers that can be asked.
func withQueries(providers []provider.Description) []reconcile.Provider {
	var queried []reconcile.Provider
	for _, d := range providers {
		if d.Queries != nil {
			queried = append(queried, d.Queries)
		}
	}
	return queried
}

// RunPublisher runs the function that publishes changes of payouts. It takes the
// constructor of the bus so that the SDK's EventBridge client is linked into this
// function only.
func RunPublisher[B publisher.Bus](newBus func(sdk aws.Config, name string) B) {
	stack, sdk := loadStack(config.Publisher)
	stack.Bus = newBus(sdk, stack.Config.PayoutBusName)
	lambda.Start(stack.HandleStream)
}

// HandleCallbacks returns the handler that answers the callbacks of a provider.
func (s Stack) HandleCallbacks(provider callback.Provider, keys callback.KeySource,
) func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	handler := &callback.Handler{Provider: provider, Keys: keys, Inbox: s.Inbox, Now: s.Inbox.Now}
	return func(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		started := s.Now()
		replyCtx, cancel := context.WithTimeout(ctx, replyTimeout)
		defer cancel()
		result := handler.Handle(replyCtx, apigateway.Request(event))
		s.Recorder.RecordCallback(ctx, provider.Name(), result, s.Now().Sub(started))
		return apigateway.Response(result.Reply), nil
	}
}

// HandleBatch applies a batch of messages from the queue.
func (s Stack) HandleBatch(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	started := s.Now()
	c := &consumer.Consumer{Inbox: s.Inbox, Queue: s.Queue}
	deliveries := c.Consume(ctx, batch)
	s.Recorder.RecordBatch(ctx, deliveries, s.Now().Sub(started))
	return consumer.Response(deliveries), nil
}

// HandleSweep runs one sweep. The schedule ignores the result; it is for an
// operator who invokes the function.
func (s Stack) HandleSweep(ctx context.Context) (inbox.SweepResult, error) {
	started := s.Now()
	sweepCtx, cancel := inbox.WithReserve(ctx, sweepReserve)
	defer cancel()
	result, err := s.Inbox.Sweep(sweepCtx, s.Config.SweepLimit)
	s.Recorder.RecordSweep(ctx, result, s.Now().Sub(started), err)
	return result, err
}

// HandleStream publishes the changes in a batch of the stream. If nothing was
// published, it returns an error, so that Lambda counts it.
func (s Stack) HandleStream(ctx context.Context, batch events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
	started := s.Now()
	p := &publisher.Publisher{Bus: s.Bus}
	result := p.Publish(ctx, batch)
	s.Recorder.RecordPublish(ctx, result, s.Now().Sub(started))
	if len(result.Published) == 0 && result.Err != nil {
		return events.DynamoDBEventResponse{}, result.Err
	}
	return result.Response(), nil
}
