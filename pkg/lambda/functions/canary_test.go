package functions_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/config"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/lambda/telemetry"
	"payout-callbacks/pkg/notification"
	"payout-callbacks/pkg/testkit/memory"
	"payout-callbacks/pkg/testkit/providertest"
)

// canary is what no line may hold. As text it stands for any value, as a number
// for any amount or id.
const (
	canary       = "canary-7131313"
	canaryNumber = json.Number("7131313")
)

// What makes up a payout's id, and so stands in lines as part of it.
var identity = []string{"pid", "cid", "merchantId", "uuid", "referenceId"}

// The fields that name an account, which stands in the line of a refusal.
var accounts = []string{"pid", "merchantId"}

// I9: every vector, and every vector with a canary in each field in turn, under
// keys that are canaries, through every function, while the stores work and
// while they fail: nothing of it stands in a line, but for the payout's id
// and the account that a refused callback names.
func TestNoLineHoldsAnythingOfACallback(t *testing.T) {
	for _, provider := range functions.Providers() {
		vectors, err := providertest.Load(os.DirFS(path.Join("..", "..", "provider", provider.Name(), "testdata")))
		if err != nil {
			t.Fatal(err)
		}
		for _, vector := range vectors {
			t.Run(provider.Name()+"/"+vector.Name, func(t *testing.T) {
				watch(t, provider, vector)
			})
		}
	}
}

func watch(t *testing.T, provider functions.SigningProvider, vector providertest.Vector) {
	t.Helper()
	callbacks := 0
	for n, v := range variants(vector.Body) {
		vector.Body = v.body
		broken := []string{"", "table", "queue", "both"}
		if n > 0 {
			broken = broken[n%4:][:1] // the body as it is meets them all, each canary one of them
		}
		for _, faults := range broken {
			for _, line := range linesOf(t, provider, vector, faults) {
				inspect(t, line, v)
				callbacks++
			}
		}
	}
	if callbacks == 0 {
		t.Error("no line was written at all")
	}
}

// variant is a body, and what of it must not be seen.
type variant struct {
	body   []byte
	field  string // that holds the canary
	secret []string
}

// variants are the body as it is, and with a canary in each of its fields.
func variants(body []byte) []variant {
	var decoded any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&decoded) != nil || decoder.More() {
		return []variant{{body: body}}
	}
	all := []variant{{body: body, secret: values("", decoded)}}
	var walk func(name string, value any, set func(any))
	walk = func(name string, value any, set func(any)) {
		plant := func(canary any) {
			set(canary)
			text, err := json.Marshal(decoded)
			if err == nil {
				all = append(all, variant{body: text, field: name, secret: values("", decoded)})
			}
			set(value)
		}
		switch of := value.(type) {
		case map[string]any:
			for field, inner := range of {
				walk(field, inner, func(next any) { of[field] = next })
			}
		case json.Number:
			plant(canaryNumber)
			plant(canary)
		case string:
			plant(canary)
			plant(string(canaryNumber))
		default:
			plant(canary)
		}
	}
	walk("", decoded, func(any) {})
	return all
}

// values lists what a body says, but for what is part of an id and for what is
// so short that it occurs anywhere.
func values(name string, value any) []string {
	var texts []string
	add := func(text string) {
		if len(text) >= 7 && !slices.Contains(identity, name) {
			texts = append(texts, text)
		}
	}
	switch of := value.(type) {
	case map[string]any:
		for field, inner := range of {
			texts = append(texts, values(field, inner)...)
		}
	case []any:
		for _, inner := range of {
			texts = append(texts, values(name, inner)...)
		}
	case json.Number:
		add(of.String())
	case string:
		add(of)
	}
	return texts
}

func inspect(t *testing.T, line []byte, v variant) {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(line, &fields); err != nil {
		t.Fatalf("a line is no JSON: %s", line)
	}
	for name := range fields {
		metric := slices.ContainsFunc(telemetry.Metrics(), func(m telemetry.Metric) bool { return m.Name == name })
		if !metric && !slices.Contains(telemetry.Fields(), name) {
			t.Errorf("the field %s is not among those that may be written: %s", name, line)
		}
	}
	for name, from := range map[string][]string{"payout": identity, "claimed_account": accounts} {
		value, _ := fields[name].(string)
		if !slices.Contains(from, v.field) && strings.Contains(value, string(canaryNumber)) {
			t.Errorf("%s stands in %s: %s", v.field, name, line)
		}
		delete(fields, name)
	}
	rest, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range append(v.secret, canary, string(canaryNumber)) {
		if bytes.Contains(rest, []byte(secret)) {
			t.Errorf("with the canary in %q, %q stands in %s", v.field, secret, rest)
		}
	}
}

// linesOf sends a callback through every function and returns what they wrote.
func linesOf(t *testing.T, provider functions.SigningProvider, vector providertest.Vector, faults string) [][]byte {
	t.Helper()
	var out bytes.Buffer
	now := time.UnixMilli(1795251600123).UTC()
	world := &faulty{Store: &memory.Store{}, broken: faults}
	queue := &memory.Queue{Now: func() time.Time { return now }}
	stack := unreachableStack(&out)
	stack.Inbox = &inbox.Inbox{
		Store: world, Queue: &faultyQueue{queue, faults}, DeadLetters: queue, Now: func() time.Time { return now },
	}
	keys := callback.Keys{vector.Account: {Current: canary + "-current", Previous: canary + "-previous"}}
	ctx := t.Context()
	serve := stack.HandleCallbacks(provider, known{keys})
	for _, event := range gatewayEvents(t, provider, vector, keys) {
		if _, err := serve(ctx, event); err != nil {
			t.Fatal(err)
		}
	}
	var batch events.SQSEvent
	for _, message := range queue.Messages() {
		text, err := sqsqueue.Encode(message.Receipt)
		if err != nil {
			t.Fatal(err)
		}
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: "1", Body: text}, events.SQSMessage{MessageId: "2", Body: text + canary})
	}
	if _, err := stack.HandleBatch(ctx, batch); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	if _, err := stack.HandleSweep(ctx); err != nil && faults == "" {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
}

// gatewayEvents are the callback as its provider sends it, forged, and with a
// canary in a header.
func gatewayEvents(t *testing.T, provider functions.SigningProvider, vector providertest.Vector, keys callback.Keys) []events.APIGatewayV2HTTPRequest {
	t.Helper()
	route := fmt.Sprintf("POST /callbacks/%s/%s", provider.Name(), vector.Type)
	headers := map[string]string{"X-Canary": canary}
	apiGatewayV2HTTPRequests := []events.APIGatewayV2HTTPRequest{{RouteKey: route, Headers: map[string]string{"X-Api-Key": canary}, Body: string(vector.Body)}}
	body, header, err := vector.Signed(provider, keys)
	if err != nil {
		return apiGatewayV2HTTPRequests // it cannot carry a signature: it comes without one
	}
	for name := range header {
		headers[name] = header.Get(name)
	}
	return append(apiGatewayV2HTTPRequests, events.APIGatewayV2HTTPRequest{RouteKey: route, Headers: headers, Body: string(body)})
}

// unreachableStack is a stack whose clients reach nothing.
func unreachableStack(out *bytes.Buffer) functions.Stack {
	nowhere := aws.Config{Region: "us-east-1", BaseEndpoint: aws.String("http://127.0.0.1:1"), RetryMaxAttempts: 1}
	return functions.NewStack(config.Config{MetricsNamespace: "test", SweepLimit: 100},
		functions.Clients{DynamoDB: dynamodb.NewFromConfig(nowhere), SQS: sqs.NewFromConfig(nowhere)}, out)
}

type known struct{ keys callback.Keys }

func (k known) Keys(context.Context) (callback.Keys, error)          { return k.keys, nil }
func (k known) Refresh(context.Context) (callback.Keys, bool, error) { return k.keys, false, nil }

var errDown = errors.New("down")

type faulty struct {
	*memory.Store
	broken string
}

func (s *faulty) down() bool { return s.broken == "table" || s.broken == "both" }

func (s *faulty) Create(ctx context.Context, receipt inbox.Receipt) (inbox.Existing, error) {
	if s.down() {
		return inbox.Existing{}, errDown
	}
	return s.Store.Create(ctx, receipt)
}

func (s *faulty) Apply(ctx context.Context, change inbox.Change) (*inbox.ConditionFailed, error) {
	if s.down() {
		return nil, errDown
	}
	return s.Store.Apply(ctx, change)
}

type faultyQueue struct {
	*memory.Queue
	broken string
}

func (q *faultyQueue) Send(ctx context.Context, receipts ...inbox.Receipt) error {
	if q.broken == "queue" || q.broken == "both" {
		return errDown
	}
	return q.Queue.Send(ctx, receipts...)
}

// I9, of the publisher: what stands in the images of a payout, readable or
// damaged, stands in no line, whether the bus takes the notice or not.
func TestNoLineHoldsAnythingOfAPayout(t *testing.T) {
	for _, amount := range []string{"7131313.5", canary} {
		for _, fault := range []error{nil, errDown} {
			var out bytes.Buffer
			stack := unreachableStack(&out)
			stack.Bus = faultyBus{fault}
			_, _ = stack.HandleStream(t.Context(), changed(amount)) // what it returns is told to Lambda, which logs errors
			v := variant{field: "claims"}
			for line := range bytes.Lines(out.Bytes()) {
				inspect(t, line, v)
			}
			if out.Len() == 0 {
				t.Error("no line was written at all")
			}
		}
	}
}

// changed is a stream's record of a payout that became succeeded, and whose
// every claim is a canary.
func changed(amount string) events.DynamoDBEvent {
	claim := func(value string) events.DynamoDBAttributeValue {
		return events.NewListAttribute([]events.DynamoDBAttributeValue{events.NewStringAttribute(value)})
	}
	return events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{{
		EventName: string(events.DynamoDBOperationTypeInsert),
		Change: events.DynamoDBStreamRecord{SequenceNumber: "1", NewImage: map[string]events.DynamoDBAttributeValue{
			"payout":  events.NewStringAttribute("cregis/payout/1/2"),
			"v":       events.NewNumberAttribute("1"),
			"version": events.NewNumberAttribute("1"),
			"claims": events.NewMapAttribute(map[string]events.DynamoDBAttributeValue{
				"status": claim("succeeded"), "amount": claim(amount), "currency": claim(canary), "to": claim(canary),
				"from": claim(canary), "memo": claim(canary), "reference": claim(canary), "txid": claim(canary),
			}),
			"reasons": events.NewMapAttribute(map[string]events.DynamoDBAttributeValue{"succeeded": events.NewStringAttribute(canary)}),
		}},
	}}}
}

type faultyBus struct{ fault error }

func (b faultyBus) Publish(_ context.Context, notices []notification.Notification) (int, error) {
	if b.fault != nil {
		return 0, b.fault
	}
	return len(notices), nil
}
