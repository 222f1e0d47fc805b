package functions_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/pkg/aws/httpclient"
	"payout-callbacks/pkg/lambda/config"
	"payout-callbacks/pkg/lambda/functions"
)

var settings = config.AWS{Region: "eu-central-1", AccessKeyID: "test", SecretKey: "test"}

func put(ctx context.Context, sdk aws.Config) error {
	_, err := dynamodb.NewFromConfig(sdk).PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String("receipts"), Item: map[string]types.AttributeValue{"payout": &types.AttributeValueMemberS{Value: "1"}},
	})
	return err
}

func send(ctx context.Context, sdk aws.Config) error {
	_, err := sqs.NewFromConfig(sdk).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String("http://queue"), MessageBody: aws.String("{}")})
	return err
}

// The first put of a function finds its connection open, and so does its first
// send: one connection each, of which the TLS is done.
func TestTheFirstRequestFindsItsConnectionOpen(t *testing.T) {
	for name, test := range map[string]struct {
		connect func(context.Context, aws.Config) func()
		request func(context.Context, aws.Config) error
	}{
		"DynamoDB": {functions.ConnectDynamoDB, put},
		"SQS":      {functions.ConnectSQS, send},
	} {
		t.Run(name, func(t *testing.T) {
			var opened, asked atomic.Int64
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1); r.Header.Get("Authorization") == "" {
					w.WriteHeader(http.StatusForbidden) // to whoever asks for nothing, unsigned
				}
				_, _ = w.Write([]byte("{}"))
			}))
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					opened.Add(1)
				}
			}
			server.Start()
			defer server.Close()
			at := settings
			at.Endpoint = server.URL
			sdk := functions.NewAWSConfig(at)
			functions.Parallel(test.connect(t.Context(), sdk))
			if opened.Load() != 1 || asked.Load() != 1 {
				t.Fatalf("%d connections and %d requests to get ready, want one each", opened.Load(), asked.Load())
			}
			if err := test.request(t.Context(), sdk); err != nil {
				t.Fatal(err)
			}
			if opened.Load() != 1 || asked.Load() != 2 {
				t.Errorf("the first request opened a connection of its own: %d, with %d requests", opened.Load(), asked.Load())
			}
		})
	}
}

// hosts notes where requests go and answers none of them.
type hosts struct{ seen []string }

func (h *hosts) Do(request *http.Request) (*http.Response, error) {
	h.seen = append(h.seen, request.URL.Scheme+"://"+request.URL.Host)
	return nil, context.Canceled
}

// Without an endpoint of one's own the SDK finds it, and must find the same.
func TestTheConnectionIsToWhereTheSDKCalls(t *testing.T) {
	for name, steps := range map[string][2]func(context.Context, aws.Config){
		"DynamoDB": {func(ctx context.Context, sdk aws.Config) { functions.ConnectDynamoDB(ctx, sdk)() }, func(ctx context.Context, sdk aws.Config) { _ = put(ctx, sdk) }},
		"SQS":      {func(ctx context.Context, sdk aws.Config) { functions.ConnectSQS(ctx, sdk)() }, func(ctx context.Context, sdk aws.Config) { _ = send(ctx, sdk) }},
	} {
		client := &hosts{}
		sdk := functions.NewAWSConfig(settings)
		sdk.HTTPClient, sdk.RetryMaxAttempts = client, 1
		for _, step := range steps {
			step(t.Context(), sdk)
		}
		if len(client.seen) < 2 || client.seen[0] != client.seen[1] {
			t.Errorf("%s: connected to %q", name, client.seen)
		}
	}
}

// A service that is down, or takes a connection and says nothing, does not keep
// a function from starting.
func TestNothingThatIsWrongOutsideKeepsAFunctionFromStarting(t *testing.T) {
	release := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer silent.Close()
	defer close(release)
	for name, endpoint := range map[string]string{"silent": silent.URL, "down": "http://127.0.0.1:1", "no URL": "::"} {
		at := settings
		at.Endpoint = endpoint
		sdk := functions.NewAWSConfig(at)
		sdk.HTTPClient = httpclient.New(50 * time.Millisecond)
		t.Logf("%s: a function that waits for ever ends with the test's own timeout", name)
		functions.Parallel(functions.ConnectDynamoDB(t.Context(), sdk), functions.ConnectSQS(t.Context(), sdk))
	}
}
