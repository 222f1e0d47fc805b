package functions_test

import (
	"context"
	"net/http"
	"path"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/providertest"
	"payout-callbacks/pkg/testkit/templatetest"
)

// timedFunction is a function of the template and one invocation of it.
type timedFunction struct {
	resource string
	invoke   func(ctx context.Context, stack functions.Stack, keys callback.KeySource) error
	given    map[string]time.Duration // by operation, the longest deadline of a request
	took     time.Duration            // the longest that the invocation takes, whatever hangs
}

func timedFunctions(t *testing.T) []timedFunction {
	t.Helper()
	genuine := map[string]time.Duration{"GetSecretValue": time.Second, "PutItem": 2 * time.Second, "SendMessage": time.Second}
	forged := map[string]time.Duration{"GetSecretValue": time.Second}
	timed := []timedFunction{
		{"ConsumerFunction", consume, map[string]time.Duration{
			"GetItem": 28 * time.Second, "TransactWriteItems": 28 * time.Second, "ChangeMessageVisibility": time.Second,
		}, 29 * time.Second},
		{"SweeperFunction", sweep, map[string]time.Duration{
			"Query": 48 * time.Second, "GetQueueAttributes": 48 * time.Second, "UpdateItem": 48 * time.Second, "SendMessageBatch": 48 * time.Second,
			"ReceiveMessage": 48 * time.Second, "PutItem": 2 * time.Second, "DeleteMessage": 48 * time.Second, "ChangeMessageVisibility": 48 * time.Second,
		}, 48 * time.Second},
		{"PublisherFunction", publish, map[string]time.Duration{"PutEvents": 28 * time.Second}, 28 * time.Second},
		{"ExpectedFunction", expect, map[string]time.Duration{
			"GetItem": 8 * time.Second, "TransactWriteItems": 8 * time.Second, "Query": 8 * time.Second,
		}, 8 * time.Second},
		{"ReconcilerFunction", run, map[string]time.Duration{
			"Query": 55 * time.Second, "GetItem": 55 * time.Second, "UpdateItem": 55 * time.Second, "Scan": 55 * time.Second,
			"GetSecretValue": time.Second, "ask": 20 * time.Second,
		}, 57 * time.Second},
	}
	for resource, example := range map[string]string{"CregisFunction": "payout-one-line", "PivotFunction": "single-success"} {
		name := strings.ToLower(strings.TrimSuffix(resource, "Function"))
		for key, given := range map[callback.Key]map[string]time.Duration{"": genuine, "forged": forged} {
			invoke := func(ctx context.Context, stack functions.Stack, keys callback.KeySource) error {
				return sendExample(ctx, stack, keys, signedExample(t, name, example, key))
			}
			timed = append(timed, timedFunction{resource, invoke, given, 4 * time.Second})
		}
	}
	return timed
}

// Each request has a deadline that leaves the function time to answer, even if an
// earlier request hangs until its own deadline.
func TestRequests_Deadlines(t *testing.T) {
	template := templatetest.Load(t)
	for _, function := range timedFunctions(t) {
		seconds, ok := template.Resources[function.resource].Properties["Timeout"].(uint64)
		if !ok {
			t.Fatalf("%s has no timeout", function.resource)
		}
		hangs := []string{"", everything}
		for operation := range function.given {
			hangs = append(hangs, operation)
		}
		for _, operation := range hangs {
			synctest.Test(t, func(t *testing.T) { checkDeadlines(t, function, time.Duration(seconds)*time.Second, operation) })
		}
	}
}

// slowKeys blocks until the context ends.
type slowKeys struct{}

func (slowKeys) Keys(ctx context.Context) (callback.Keys, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (slowKeys) Refresh(ctx context.Context) (callback.Keys, bool, error) {
	<-ctx.Done()
	return nil, false, ctx.Err()
}

// A provider gets its answer within four seconds whatever hangs. The function's
// timeout comes well after that.
func TestHandleCallbacks_AnswersWithinFourSeconds(t *testing.T) {
	template := templatetest.Load(t)
	for _, provider := range providers.All() {
		resource := strings.ToUpper(provider.Name()[:1]) + provider.Name()[1:] + "Function"
		timeout, _ := template.Resources[resource].Properties["Timeout"].(uint64)
		synctest.Test(t, func(t *testing.T) {
			started := time.Now()
			stack, _ := timedStack(&timedAWS{})
			got, err := stack.HandleCallbacks(provider, slowKeys{})(t.Context(), events.APIGatewayV2HTTPRequest{Body: "{}"})
			if took := time.Since(started); took != 4*time.Second || got.StatusCode != http.StatusServiceUnavailable || err != nil {
				t.Errorf("%s: answered %d after %s, %v, want 503 after 4s", provider.Name(), got.StatusCode, took, err)
			}
		})
		if timeout < 6 {
			t.Errorf("%s has a timeout of %d s, want at least two seconds more than the answer takes", resource, timeout)
		}
	}
}

func checkDeadlines(t *testing.T, function timedFunction, timeout time.Duration, hangs string) {
	t.Helper()
	started := time.Now()
	ctx, cancel := context.WithDeadline(t.Context(), started.Add(timeout))
	defer cancel()
	aws := &timedAWS{functionEnds: started.Add(timeout), hangs: hangs, answers: timedAnswers(t)}
	stack, keys := timedStack(aws)
	err := function.invoke(ctx, stack, keys)
	if err != nil && hangs == "" {
		t.Errorf("%s: %v", function.resource, err)
	}
	if took := time.Since(started); took > function.took {
		t.Errorf("%s took %s while %s hangs, want at most %s of %s", function.resource, took, hangs, function.took, timeout)
	}
	sent := map[string]bool{}
	for _, call := range aws.calls {
		longest, known := function.given[call.operation]
		switch {
		case call.unbounded:
			t.Errorf("%s: %s has no deadline", function.resource, call.operation)
		case !known || call.given > longest || call.left < time.Second:
			t.Errorf("%s: %s has a deadline of %s and leaves %s of %s, want at most %s, and a second left",
				function.resource, call.operation, call.given, call.left, timeout, longest)
		}
		sent[call.operation] = true
	}
	for operation := range function.given {
		if hangs == "" && !sent[operation] {
			t.Errorf("%s: %s was not sent", function.resource, operation)
		}
	}
}

func consume(ctx context.Context, stack functions.Stack, _ callback.KeySource) error {
	text, err := sqsqueue.Encode(timedReceipt())
	if err != nil {
		return err
	}
	_, err = stack.HandleBatch(ctx, events.SQSEvent{Records: []events.SQSMessage{
		{MessageId: "1", ReceiptHandle: "1", Body: text}, {MessageId: "2", ReceiptHandle: "2", Body: "unreadable"},
	}})
	return err
}

func sweep(ctx context.Context, stack functions.Stack, _ callback.KeySource) error {
	_, err := stack.HandleSweep(ctx)
	return err
}

func publish(ctx context.Context, stack functions.Stack, _ callback.KeySource) error {
	_, err := stack.HandleStream(ctx, events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{inserted("100", "1")}})
	return err
}

// expect sends an expectation without the provider's id, for which the function looks.
func expect(ctx context.Context, stack functions.Stack, _ callback.KeySource) error {
	stack.Expecter = &reconcile.Expecter{
		Inbox: stack.Inbox, Store: stack.Store, Providers: []reconcile.Expectations{cregis.Provider{}}, Now: stack.Now,
	}
	event := events.APIGatewayV2HTTPRequest{Body: `{"provider":"cregis","type":"payout","account":"1382528827416576","reference":"R"}`}
	event.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		IAM: &events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription{UserARN: caller},
	}
	_, err := stack.HandleExpected(ctx, event)
	return err
}

// run runs the reconciler. A lease is released even after the time of a run.
func run(ctx context.Context, stack functions.Stack, _ callback.KeySource) error {
	_, err := stack.HandleReconcile(ctx, reconcile.AskRequest{})
	return err
}

// sendExample sends a callback to the function of its provider.
func sendExample(ctx context.Context, stack functions.Stack, keys callback.KeySource, example providerEvent) error {
	_, err := stack.HandleCallbacks(example.provider, keys)(ctx, example.event)
	return err
}

type providerEvent struct {
	provider provider.Description
	event    events.APIGatewayV2HTTPRequest
}

// signedExample returns a provider's example, signed with the key of its account
// or with a forged one; then the function reads the keys again.
func signedExample(t *testing.T, name, example string, forged callback.Key) providerEvent {
	t.Helper()
	for _, provider := range providers.All() {
		for _, vector := range providertest.Vectors(t, path.Join("..", "..", "provider", provider.Name(), "testdata")) {
			if provider.Name() != name || vector.Name != example {
				continue
			}
			signWith := timedKeys
			if forged != "" {
				signWith = callback.Keys{vector.Account: {Current: forged}}
			}
			return providerEvent{provider, gatewayEvents(t, provider, vector, signWith)[1]}
		}
	}
	t.Fatalf("%s has no example %s", name, example)
	return providerEvent{}
}
