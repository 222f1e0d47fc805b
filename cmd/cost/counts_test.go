package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/app"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/config"
	"payout-callbacks/pkg/provider/providertest"
	"payout-callbacks/pkg/telemetry"
	"payout-callbacks/pkg/templatetest"
)

// The examples are those that the providers document.
var documented = map[string][]string{
	"cregis": {"payout-status-6", "sub-address-example"},
	"pivot":  {"bulk-done", "single-success"},
}

var demoKeys = callback.Keys{
	"1382528827416576":                     {Current: "f502a9ac9ca54327986f29c03b271491"},
	"922e39ab-7565-49f6-b84f-fb56122821ae": {Current: "a key"},
}

// What the table of counts says is what the functions do: each documented
// example is sent through them as new, as a duplicate and as a later event of
// its payout, and every request that leaves them is looked at.
func TestTheCountsAreWhatTheFunctionsDo(t *testing.T) {
	var examples []counts
	for _, provider := range app.Providers() {
		for _, name := range documented[provider.Name()] {
			one := measure(t, provider, name)
			t.Logf("%s: %+v", name, one)
			for what, size := range map[string]int64{"receipt": one.Receipt, "payout": one.Payout, "entry": one.UnappliedEntry} {
				if writeUnits(size) != 1 {
					t.Errorf("%s: a %s of %d bytes is more than one write unit, and the bill is of means", name, what, size)
				}
			}
			examples = append(examples, one)
		}
	}
	got := mean(examples)
	fromTemplate(t, &got)
	if diff := cmp.Diff(counted, got, cmp.Comparer(alike)); diff != "" {
		t.Errorf("counts.go says -, the code does +:\n%s\nthen: go run ./cmd/cost --write docs/COST.md", diff)
	}
}

// alike lets a size move by a twentieth: how long something took has more or
// fewer digits, and times lose their last zeros.
func alike(a, b int64) bool { return max(a, b)-min(a, b) <= max(a, b)/20 }

// measure sends one example through the functions.
func measure(t *testing.T, provider app.SigningProvider, name string) counts {
	t.Helper()
	aws := &recorder{t: t}
	event := aws.gatewayEvent(provider, name)
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "8f507cfc-1111-4f25-8e0d-2b8d1f0e9b2c"})
	stack := aws.stack()
	serve := stack.Callbacks(provider, known{})
	accept := func() {
		if answer, err := serve(ctx, event); err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: answered %d, %v", name, answer.StatusCode, err)
		}
	}
	var told counts

	accept()
	put := aws.only("PutItem")
	told.AcceptPuts, told.AcceptSends = aws.count("PutItem"), aws.count("SendMessage")
	message := aws.only("SendMessage").MessageBody
	told.Message, told.NewLine = int64(len(message)), aws.taken()

	batch := events.SQSEvent{Records: []events.SQSMessage{{MessageId: "059f36b4-87a3-44ab-83d2-661975830a7d", Body: message}}}
	apply := func() {
		if answer, err := stack.Batch(ctx, batch); err != nil || len(answer.BatchItemFailures) > 0 {
			t.Fatalf("%s: not applied: %v, %v", name, answer, err)
		}
	}
	apply()
	transaction := aws.only("TransactWriteItems").TransactItems
	told.ApplyTransactions = aws.count("TransactWriteItems")
	if len(transaction) != 2 {
		t.Fatalf("%s: %d items are in the transaction, want the receipt and the payout", name, len(transaction))
	}
	update, record := transaction[0].Update, transaction[1].Put.Item
	told.DeliveryLine, told.BatchLine = aws.lines()

	told.UnappliedEntry = sizeOf(pick(put.Item, "payout", "receipt", "due", "dueAt", "acceptedAt"))
	receipt := maps.Clone(put.Item)
	maps.DeleteFunc(receipt, func(field string, _ value) bool { return strings.HasPrefix(field, "due") })
	receipt["state"], receipt["outcome"], receipt["appliedAt"] =
		update.ExpressionAttributeValues[":applied"], update.ExpressionAttributeValues[":outcome"], update.ExpressionAttributeValues[":now"]
	told.Receipt, told.Payout = sizeOf(receipt), sizeOf(record)
	told.ReferenceEntry = sizeOf(pick(record, "payout", "reference"))

	aws.refuse("ConditionalCheckFailedException", map[string]any{"Item": receipt})
	accept()
	told.DuplicatePuts, told.DuplicateLine = aws.count("PutItem"), aws.taken()
	if sends := aws.count("SendMessage"); sends != 0 {
		t.Errorf("%s: a duplicate is sent %d times", name, sends)
	}

	aws.refuse("TransactionCanceledException", map[string]any{"CancellationReasons": []any{
		map[string]any{"Code": "None"}, map[string]any{"Code": "ConditionalCheckFailed", "Item": record},
	}})
	apply()
	told.LaterTransactions = aws.count("TransactWriteItems")
	aws.taken()

	if _, err := stack.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	told.SweepQueries, told.SweepReceives = aws.count("Query"), aws.count("ReceiveMessage")
	told.SweepLine = aws.taken()
	return told
}

// fromTemplate counts what the template has.
func fromTemplate(t *testing.T, told *counts) {
	t.Helper()
	template := templatetest.Load(t)
	for name, resource := range template.Resources {
		switch resource.Type {
		case "AWS::ApiGatewayV2::Integration":
			told.Ingresses++
		case "AWS::CloudWatch::Dashboard":
			told.Dashboards++
		case "AWS::SecretsManager::Secret":
			told.Secrets++
		case "AWS::Logs::MetricFilter":
			told.Metrics++
		case "AWS::CloudWatch::Alarm":
			looksAt, several := resource.Properties["Metrics"].([]any)
			told.AlarmMetrics++
			if several {
				told.AlarmMetrics += int64(len(looksAt)) - 2 // the expression is none
			}
		case "AWS::Lambda::EventSourceMapping":
			if name == "EventsToConsumer" {
				told.BatchSize = int64(resource.Properties["BatchSize"].(uint64))
			}
		}
	}
	for _, metric := range telemetry.Metrics() {
		told.Metrics++
		if metric.PerProvider {
			told.Metrics += int64(len(app.Providers()))
		}
	}
	told.Memory = int64(template.Globals["Function"].(map[string]any)["MemorySize"].(uint64))
	told.Pollers = int64(template.Parameters["ConsumerConcurrency"]["Default"].(uint64))
	told.AccessLine = accessLine(t, template.Resources["CallbackStage"].Properties["AccessLogSettings"].(map[string]any)["Format"].(string))
}

// accessLine is the size of a line of the gateway's, with values of the usual length.
func accessLine(t *testing.T, format string) int64 {
	t.Helper()
	line := strings.NewReplacer(
		"$context.requestId", "JKJaXmPLvHcESHA=", "$context.requestTime", "21/Nov/2026:09:00:00 +0000",
		"$context.routeKey", "POST /callbacks/cregis/payout", "$context.status", "200",
		"$context.identity.sourceIp", "192.0.2.123", "$context.responseLatency", "42",
		"$context.integration.status", "200", "$context.integration.requestId", "8f507cfc-1111-4f25-8e0d-2b8d1f0e9b2c",
		"$context.error.message", "-", "$context.integration.error", "-",
	).Replace(format)
	if strings.Contains(line, "$") {
		t.Fatalf("no value for a variable of the access log: %s", line)
	}
	return int64(len(line))
}

// mean of what was measured, rounded up.
func mean(all []counts) counts {
	var of counts
	to := reflect.ValueOf(&of).Elem()
	for field := range to.NumField() {
		sum := int64(0)
		for _, one := range all {
			sum += reflect.ValueOf(one).Field(field).Int()
		}
		to.Field(field).SetInt(ceil(sum, int64(len(all))))
	}
	return of
}

type known struct{}

func (known) Keys(context.Context) (callback.Keys, error)          { return demoKeys, nil }
func (known) Refresh(context.Context) (callback.Keys, bool, error) { return demoKeys, false, nil }

// recorder stands for AWS: it does what it is asked, unless it is told to
// refuse the next write, and keeps every request and every line of log.
type recorder struct {
	t        *testing.T
	requests []request
	refusal  string
	log      bytes.Buffer
}

// request is the part of a request that is looked at.
type request struct {
	operation     string
	Item          map[string]value
	MessageBody   string
	TransactItems []struct {
		Update struct{ ExpressionAttributeValues map[string]value }
		Put    struct{ Item map[string]value }
	}
}

func (r *recorder) stack() app.Stack {
	sdk := aws.Config{
		Region: "us-east-1", RetryMaxAttempts: 1, HTTPClient: r,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	return app.NewStack(config.Config{
		ReceiptsTable: "receipts", PayoutsTable: "payouts", EventsQueueURL: "https://sqs.us-east-1.amazonaws.com/1/events",
		DeadLetterQueueURL: "https://sqs.us-east-1.amazonaws.com/1/dead", MetricsNamespace: "PayoutCallbacks/payout-callbacks", SweepLimit: 1000,
	}, app.Clients{DynamoDB: dynamodb.NewFromConfig(sdk), SQS: sqs.NewFromConfig(sdk)}, &r.log)
}

// Do implements the SDK's HTTP client.
func (r *recorder) Do(asked *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(asked.Body)
	if err != nil {
		return nil, err
	}
	_, operation, _ := strings.Cut(asked.Header.Get("X-Amz-Target"), ".")
	one := request{operation: operation}
	if err := json.Unmarshal(body, &one); err != nil {
		r.t.Error(err)
	}
	r.requests = append(r.requests, one)
	status, answer := http.StatusOK, "{}"
	switch {
	case operation == "SendMessage":
		sum := md5.Sum([]byte(one.MessageBody))
		answer = fmt.Sprintf(`{"MD5OfMessageBody":"%s","MessageId":"1"}`, hex.EncodeToString(sum[:]))
	case r.refusal != "":
		status, answer, r.refusal = http.StatusBadRequest, r.refusal, ""
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(answer)), Request: asked,
	}, nil
}

// refuse the next request with an error of DynamoDB.
func (r *recorder) refuse(code string, with map[string]any) {
	with["__type"] = "com.amazonaws.dynamodb.v20120810#" + code
	text, err := json.Marshal(with)
	if err != nil {
		r.t.Fatal(err)
	}
	r.refusal = string(text)
}

func (r *recorder) count(operation string) int64 {
	n := int64(0)
	for _, one := range r.requests {
		if one.operation == operation {
			n++
		}
	}
	return n
}

func (r *recorder) only(operation string) request {
	r.t.Helper()
	n := slices.IndexFunc(r.requests, func(one request) bool { return one.operation == operation })
	if n < 0 {
		r.t.Fatalf("no %s among %v", operation, r.requests)
	}
	return r.requests[n]
}

// taken is the size of the one line that was written; requests and lines are forgotten.
func (r *recorder) taken() int64 {
	first, _ := r.lines()
	return first
}

// lines are the sizes of the first two lines that were written.
func (r *recorder) lines() (first, second int64) {
	written := bytes.Split(bytes.TrimSpace(r.log.Bytes()), []byte("\n"))
	first = int64(len(written[0]))
	if len(written) > 1 {
		second = int64(len(written[1]))
	}
	r.log.Reset()
	r.requests = nil
	return first, second
}

func (r *recorder) gatewayEvent(provider app.SigningProvider, name string) events.APIGatewayV2HTTPRequest {
	r.t.Helper()
	vectors, err := providertest.Load(os.DirFS(filepath.Join(templatetest.Root(r.t), "pkg", "provider", provider.Name(), "testdata")))
	if err != nil {
		r.t.Fatal(err)
	}
	at := slices.IndexFunc(vectors, func(one providertest.Vector) bool { return one.Name == name })
	if at < 0 {
		r.t.Fatalf("%s has no vector %s", provider.Name(), name)
	}
	body, header, err := vectors[at].Signed(provider, demoKeys)
	if err != nil {
		r.t.Fatal(err)
	}
	headers := map[string]string{}
	for field := range header {
		headers[field] = header.Get(field)
	}
	return events.APIGatewayV2HTTPRequest{
		RouteKey: fmt.Sprintf("POST /callbacks/%s/%s", provider.Name(), vectors[at].Type), Headers: headers, Body: string(body),
	}
}

// value is an attribute as DynamoDB is sent it.
type value struct {
	S    *string          `json:",omitempty"`
	N    *string          `json:",omitempty"`
	B    []byte           `json:",omitempty"`
	NULL bool             `json:",omitempty"`
	M    map[string]value `json:",omitempty"`
	L    []value          `json:",omitempty"`
}

func pick(item map[string]value, names ...string) map[string]value {
	picked := map[string]value{}
	for _, name := range names {
		if found, ok := item[name]; ok {
			picked[name] = found
		}
	}
	return picked
}

// sizeOf counts as DynamoDB does: names and values in UTF-8, a number in about
// half as many bytes as it has digits, a map or list with three bytes and one
// for each element.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func sizeOf(item map[string]value) int64 {
	size := int64(0)
	for name, value := range item {
		size += int64(len(name)) + value.size()
	}
	return size
}

func (v value) size() int64 {
	switch {
	case v.S != nil:
		return int64(len(*v.S))
	case v.N != nil:
		return int64(len(strings.Trim(*v.N, "0"))+1)/2 + 1
	case v.M != nil:
		return 3 + int64(len(v.M)) + sizeOf(v.M)
	case v.L != nil:
		size := 3 + int64(len(v.L))
		for _, element := range v.L {
			size += element.size()
		}
		return size
	}
	return int64(max(len(v.B), 1))
}
