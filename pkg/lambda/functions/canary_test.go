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
	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/lambda/telemetry"
	"payout-callbacks/pkg/notification"
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/testkit/memory"
	"payout-callbacks/pkg/testkit/providertest"
	"payout-callbacks/pkg/testkit/traffic"
)

// No line may hold the canaries. The text stands for any value, the number for any
// amount or id.
const (
	canary       = "canary-7131313"
	canaryNumber = json.Number("7131313")
)

// I9: each vector, and each vector with a canary in each of its fields, goes
// through all functions, signed with a key that is a canary, while the table and
// the queue work and while they fail. No line holds a part of it, except the
// payout's id and the account that a refused callback names.
func TestLines_NoPartOfACallback(t *testing.T) {
	for _, provider := range providers.All() {
		vectors, err := providertest.Load(os.DirFS(path.Join("..", "..", "provider", provider.Name(), "testdata")))
		if err != nil {
			t.Fatal(err)
		}
		accounts := accountFields(vectors)
		for _, vector := range vectors {
			t.Run(provider.Name()+"/"+vector.Name, func(t *testing.T) {
				checkLines(t, provider, vector, accounts)
			})
		}
	}
}

func checkLines(t *testing.T, provider provider.Description, vector providertest.Vector, accounts []string) {
	t.Helper()
	callbacks := 0
	for n, v := range variants(vector.Body, provider.IDFields) {
		vector.Body = v.body
		broken := []string{"", "table", "queue", "both"}
		if n > 0 {
			broken = broken[n%4:][:1] // the original body meets all faults, each canary one of them
		}
		for _, faults := range broken {
			for _, line := range linesOf(t, provider, vector, faults) {
				checkLine(t, line, v, accounts)
				callbacks++
			}
		}
	}
	if callbacks == 0 {
		t.Error("no line was written")
	}
}

// variant is a body and its values that no line may hold.
type variant struct {
	body     []byte
	field    string // has the canary
	secret   []string
	idFields []string // a payout's id holds them
}

// variants returns the original body, and one with a canary in each of its fields.
func variants(body []byte, idFields []string) []variant {
	var decoded any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&decoded) != nil || decoder.More() {
		return []variant{{body: body, idFields: idFields}}
	}
	all := []variant{{body: body, secret: values("", decoded, idFields), idFields: idFields}}
	var walk func(name string, value any, set func(any))
	walk = func(name string, value any, set func(any)) {
		plant := func(canary any) {
			set(canary)
			text, err := json.Marshal(decoded)
			if err == nil {
				all = append(all, variant{body: text, field: name, secret: values("", decoded, idFields), idFields: idFields})
			}
			set(value)
		}
		switch value := value.(type) {
		case map[string]any:
			for field, inner := range value {
				walk(field, inner, func(next any) { value[field] = next })
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

// values returns the values of a body, except those that are part of an id and
// those that are too short to search for.
func values(name string, value any, idFields []string) []string {
	var texts []string
	add := func(text string) {
		if len(text) >= 7 && !slices.Contains(idFields, name) {
			texts = append(texts, text)
		}
	}
	switch value := value.(type) {
	case map[string]any:
		for field, inner := range value {
			texts = append(texts, values(field, inner, idFields)...)
		}
	case []any:
		for _, inner := range value {
			texts = append(texts, values(name, inner, idFields)...)
		}
	case json.Number:
		add(value.String())
	case string:
		add(value)
	}
	return texts
}

// accountFields returns the fields that hold the account by which a vector is signed. The
// line of a refused callback holds it.
func accountFields(vectors []providertest.Vector) []string {
	var names []string
	var walk func(name string, value any, account string)
	walk = func(name string, value any, account string) {
		if members, ok := value.(map[string]any); ok {
			for field, inner := range members {
				walk(field, inner, account)
			}
		} else if fmt.Sprint(value) == account {
			names = append(names, name)
		}
	}
	for _, vector := range vectors {
		var decoded any
		decoder := json.NewDecoder(bytes.NewReader(vector.Body))
		decoder.UseNumber()
		if vector.Account != "" && decoder.Decode(&decoded) == nil {
			walk("", decoded, vector.Account)
		}
	}
	return names
}

func checkLine(t *testing.T, line []byte, v variant, accounts []string) {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(line, &fields); err != nil {
		t.Fatalf("the line is not JSON: %s", line)
	}
	for name := range fields {
		metric := slices.ContainsFunc(telemetry.Metrics(), func(m telemetry.Metric) bool { return m.Name == name })
		if !metric && !slices.Contains(telemetry.Fields(), name) {
			t.Errorf("telemetry.Fields has no %s: %s", name, line)
		}
	}
	for name, from := range map[string][]string{"payout": v.idFields, "claimed_account": accounts} {
		value, _ := fields[name].(string)
		if !slices.Contains(from, v.field) && strings.Contains(value, string(canaryNumber)) {
			t.Errorf("%s is in %s: %s", v.field, name, line)
		}
		delete(fields, name)
	}
	rest, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range append(v.secret, canary, string(canaryNumber)) {
		if bytes.Contains(rest, []byte(secret)) {
			t.Errorf("canary in %q: %q is in %s", v.field, secret, rest)
		}
	}
}

// linesOf sends a callback through all functions and returns their lines.
func linesOf(t *testing.T, provider provider.Description, vector providertest.Vector, faults string) [][]byte {
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
	serve := stack.HandleCallbacks(provider, traffic.Keys(keys))
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

// gatewayEvents returns the callback forged, and as its provider sends it with a
// canary in a header.
func gatewayEvents(t *testing.T, provider provider.Description, vector providertest.Vector, keys callback.Keys) []events.APIGatewayV2HTTPRequest {
	t.Helper()
	route := fmt.Sprintf("POST /callbacks/%s/%s", provider.Name(), vector.Type)
	headers := map[string]string{"X-Canary": canary}
	requests := []events.APIGatewayV2HTTPRequest{{RouteKey: route, Headers: map[string]string{"X-Api-Key": canary}, Body: string(vector.Body)}}
	body, header, err := vector.Signed(provider, keys)
	if err != nil {
		return requests // it cannot be signed
	}
	for name := range header {
		headers[name] = header.Get(name)
	}
	return append(requests, events.APIGatewayV2HTTPRequest{RouteKey: route, Headers: headers, Body: string(body)})
}

// unreachableStack returns a stack whose clients cannot connect.
func unreachableStack(out *bytes.Buffer) functions.Stack {
	unreachable := aws.Config{Region: "us-east-1", BaseEndpoint: aws.String("http://127.0.0.1:1"), RetryMaxAttempts: 1}
	return functions.NewStack(config.Config{MetricsNamespace: "test", SweepLimit: 100},
		functions.Clients{DynamoDB: dynamodb.NewFromConfig(unreachable), SQS: sqs.NewFromConfig(unreachable)}, out)
}

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

// I9: no line of the publisher holds a value of a payout, readable or damaged,
// whether the bus fails or not.
func TestLines_NoPartOfAPayout(t *testing.T) {
	for _, amount := range []string{"7131313.5", canary} {
		for _, fault := range []error{nil, errDown} {
			var out bytes.Buffer
			stack := unreachableStack(&out)
			stack.Bus = faultyBus{fault}
			_, _ = stack.HandleStream(t.Context(), newChange(amount)) // Lambda logs the error
			v := variant{field: "claims"}
			for line := range bytes.Lines(out.Bytes()) {
				checkLine(t, line, v, nil)
			}
			if out.Len() == 0 {
				t.Error("no line was written")
			}
		}
	}
}

// newChange returns a batch of the stream with a payout that has succeeded. Its
// claims are canaries.
func newChange(amount string) events.DynamoDBEvent {
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

func (b faultyBus) Publish(_ context.Context, notifications []notification.Notification) (int, error) {
	if b.fault != nil {
		return 0, b.fault
	}
	return len(notifications), nil
}
