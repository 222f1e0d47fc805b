package functions_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/lambda/config"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/testkit/providertest"
	"payout-callbacks/pkg/testkit/templatetest"
	"payout-callbacks/pkg/testkit/traffic"
)

// counter is an HTTP client in place of AWS. It counts requests by operation and
// answers each from answers, or with a success.
type counter struct {
	mu      sync.Mutex
	counts  map[string]int
	last    string                       // body of the last message sent
	answers map[string]func() (int, any) // by name of the operation
}

func (c *counter) Do(request *http.Request) (*http.Response, error) {
	_, name, _ := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[name]++
	code, answer := http.StatusOK, any(map[string]any{})
	if reply, ok := c.answers[name]; ok {
		code, answer = reply()
	} else if name == "SendMessage" {
		var sent struct{ MessageBody string }
		if err := json.Unmarshal(body, &sent); err != nil {
			return nil, err
		}
		c.last = sent.MessageBody
		sum := md5.Sum([]byte(sent.MessageBody))
		answer = map[string]any{"MD5OfMessageBody": hex.EncodeToString(sum[:]), "MessageId": "1"}
	}
	text, err := json.Marshal(answer)
	return &http.Response{
		StatusCode: code, ContentLength: int64(len(text)), Request: request,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(bytes.NewReader(text)),
	}, err
}

// wantCounts checks the requests since its last call.
func (c *counter) wantCounts(t *testing.T, want map[string]int) {
	t.Helper()
	if !maps.Equal(c.counts, want) {
		t.Errorf("requests: %v, want %v", c.counts, want)
	}
	clear(c.counts)
}

func newStack(aws *counter) functions.Stack {
	sdk := functions.NewAWSConfig(settings)
	sdk.HTTPClient = aws
	return functions.NewStack(config.Config{
		ReceiptsTable: "receipts", PayoutsTable: "payouts", EventsQueueURL: "https://queue/events", MetricsNamespace: "test", SweepLimit: 10,
	}, functions.Clients{DynamoDB: dynamodb.NewFromConfig(sdk), SQS: sqs.NewFromConfig(sdk)}, io.Discard)
}

// ingress returns the handler of Cregis's callbacks, and a documented callback as
// an event of API Gateway.
func ingress(t testing.TB, aws *counter) (lambda.Handler, []byte) {
	keys := callback.Keys{"1382528827416576": {Current: "f502a9ac9ca54327986f29c03b271491"}}
	vectors, err := providertest.Load(os.DirFS(filepath.Join(templatetest.Root(t), "pkg", "provider", "cregis", "testdata")))
	if err != nil {
		t.Fatal(err)
	}
	for _, vector := range vectors {
		if vector.Name != "payout-status-6" {
			continue
		}
		body, _, err := vector.Signed(cregis.Provider{}, keys)
		if err != nil {
			t.Fatal(err)
		}
		event, err := json.Marshal(events.APIGatewayV2HTTPRequest{
			RouteKey: "POST /callbacks/cregis/payout", Headers: map[string]string{"content-type": "application/json"}, Body: string(body),
		})
		if err != nil {
			t.Fatal(err)
		}
		return lambda.NewHandler(newStack(aws).HandleCallbacks(cregis.Provider{}, traffic.Keys(keys))), event
	}
	t.Fatal("vector payout-status-6 is missing")
	return nil, nil
}

func invoke(t testing.TB, function lambda.Handler, event []byte, want string) {
	t.Helper()
	answer, err := function.Invoke(t.Context(), event)
	if err != nil || !strings.Contains(string(answer), want) {
		t.Fatalf("answered %s, %v, want %s", answer, err, want)
	}
}

const conditionFailed = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"

// An adapter sends no request to AWS besides those that tests of pkg/inbox count.
func TestRequests_Callback(t *testing.T) {
	aws := &counter{counts: map[string]int{}, answers: map[string]func() (int, any){}}
	function, event := ingress(t, aws)
	invoke(t, function, event, `"statusCode":200`)
	aws.wantCounts(t, map[string]int{"PutItem": 1, "SendMessage": 1})

	batch, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{MessageId: "1", Body: aws.last}}})
	if err != nil {
		t.Fatal(err)
	}
	consumer := lambda.NewHandler(newStack(aws).HandleBatch)
	invoke(t, consumer, batch, `{"batchItemFailures":[]}`)
	aws.wantCounts(t, map[string]int{"GetItem": 1, "TransactWriteItems": 1})

	known := map[string]any{"payout": text("cregis/payout/1/1"), "receipt": text("succeeded/1"), "state": text("applied")}
	aws.answers["PutItem"] = func() (int, any) {
		return http.StatusBadRequest, map[string]any{"__type": conditionFailed, "Item": known}
	}
	invoke(t, function, event, `"statusCode":200`)
	aws.wantCounts(t, map[string]int{"PutItem": 1})

	// A second delivery of the message finds the receipt applied.
	aws.answers["TransactWriteItems"] = func() (int, any) {
		failed := map[string]any{"Code": "ConditionalCheckFailed", "Item": known}
		return http.StatusBadRequest, map[string]any{
			"__type":              "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
			"CancellationReasons": []any{failed, map[string]any{"Code": "None"}},
		}
	}
	invoke(t, consumer, batch, `{"batchItemFailures":[]}`)
	aws.wantCounts(t, map[string]int{"GetItem": 1, "TransactWriteItems": 1})
}

// If the read was stale, the first transaction fails and returns the payout; the second
// one merges into it.
func TestRequests_StaleRead(t *testing.T) {
	aws := &counter{counts: map[string]int{}, answers: map[string]func() (int, any){}}
	function, event := ingress(t, aws)
	invoke(t, function, event, `"statusCode":200`)
	clear(aws.counts)
	stored := map[string]any{"payout": text("cregis/payout/1/1"), "version": map[string]string{"N": "3"}}
	aws.answers["TransactWriteItems"] = func() (int, any) {
		delete(aws.answers, "TransactWriteItems")
		return http.StatusBadRequest, map[string]any{
			"__type":              "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
			"CancellationReasons": []any{map[string]any{"Code": "None"}, map[string]any{"Code": "ConditionalCheckFailed", "Item": stored}},
		}
	}
	batch, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{MessageId: "1", Body: aws.last}}})
	if err != nil {
		t.Fatal(err)
	}
	invoke(t, lambda.NewHandler(newStack(aws).HandleBatch), batch, `{"batchItemFailures":[]}`)
	aws.wantCounts(t, map[string]int{"GetItem": 1, "TransactWriteItems": 2})
}

// A sweep with nothing to do queries each shard of both indexes and the
// dead-letter queue once.
func TestRequests_Sweep(t *testing.T) {
	aws := &counter{counts: map[string]int{}}
	invoke(t, lambda.NewHandler(newStack(aws).HandleSweep), []byte("{}"), `"due":0`)
	aws.wantCounts(t, map[string]int{"Query": 32, "ReceiveMessage": 1})
}

func text(value string) map[string]string { return map[string]string{"S": value} }

// The bound, from event bytes to response bytes with the SDK, is a little above
// the last measurement, so that additions to this path are noticed.
func TestHandleCallbacks_Allocations(t *testing.T) {
	const limit = 1200
	aws := &counter{counts: map[string]int{}}
	function, event := ingress(t, aws)
	got := testing.AllocsPerRun(200, func() { invoke(t, function, event, `"statusCode":200`) })
	t.Logf("%.0f allocations", got)
	if got > limit {
		t.Errorf("%.0f allocations, want at most %d", got, limit)
	}
}
