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

// The first put and the first send of a function use connections that are open.
func TestConnect_FirstRequestReusesConnection(t *testing.T) {
	for name, test := range map[string]struct {
		connect func(context.Context, aws.Config) func()
		request func(context.Context, aws.Config) error
	}{
		"DynamoDB": {functions.ConnectDynamoDB, put},
		"SQS":      {functions.ConnectSQS, send},
	} {
		t.Run(name, func(t *testing.T) {
			var opened, requests atomic.Int64
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if requests.Add(1); r.Header.Get("Authorization") == "" {
					w.WriteHeader(http.StatusForbidden) // as AWS answers unsigned requests
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
			local := settings
			local.Endpoint = server.URL
			sdk := functions.NewAWSConfig(local)
			functions.Parallel(test.connect(t.Context(), sdk))
			if opened.Load() != 1 || requests.Load() != 1 {
				t.Fatalf("start: %d connections and %d requests, want 1 and 1", opened.Load(), requests.Load())
			}
			if err := test.request(t.Context(), sdk); err != nil {
				t.Fatal(err)
			}
			if opened.Load() != 1 || requests.Load() != 2 {
				t.Errorf("first request: %d connections and %d requests, want 1 and 2", opened.Load(), requests.Load())
			}
		})
	}
}

// hosts records the hosts of requests and answers none.
type hosts struct{ seen []string }

func (h *hosts) Do(request *http.Request) (*http.Response, error) {
	h.seen = append(h.seen, request.URL.Scheme+"://"+request.URL.Host)
	return nil, context.Canceled
}

// Without a configured endpoint, connect resolves the same one as the SDK.
func TestConnect_EndpointOfTheSDK(t *testing.T) {
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
			t.Errorf("%s: connect and the request go to %q, want the same host", name, client.seen)
		}
	}
}

// A function starts even if a service is down, or accepts a connection and never
// answers.
func TestConnect_ServiceDown(t *testing.T) {
	release := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer silent.Close()
	defer close(release)
	for name, endpoint := range map[string]string{"silent": silent.URL, "down": "http://127.0.0.1:1", "no URL": "::"} {
		local := settings
		local.Endpoint = endpoint
		sdk := functions.NewAWSConfig(local)
		sdk.HTTPClient = httpclient.New(50 * time.Millisecond)
		t.Logf("%s: without the timeout of an attempt, this test would not end", name)
		functions.Parallel(functions.ConnectDynamoDB(t.Context(), sdk), functions.ConnectSQS(t.Context(), sdk))
	}
}
