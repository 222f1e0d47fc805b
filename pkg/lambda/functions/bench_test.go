package functions_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/middleware"

	"payout-callbacks/pkg/aws/httpclient"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/lambda/config"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/testkit/providertest"
	"payout-callbacks/pkg/testkit/templatetest"
)

// The benchmarks are pairs: side=ours is the function, side=floor is a function
// that only sends the same requests with the same client. `make bench` runs the
// sides alternately and prints the ratios.

const benchBatch = 10

// benchmark is the application on new tables and a new queue of the emulator.
type benchmark struct {
	clients functions.Clients
	config  config.Config
	body    string
	next    int
}

func newBenchmark(b *testing.B) *benchmark {
	b.Helper()
	b.Setenv("AWS_NEW_RETRIES_2026", "true")
	patient := httpclient.New(30 * time.Second)
	db := templatetest.DynamoDB(b, func(o *dynamodb.Options) { o.HTTPClient = patient })
	queue := templatetest.SQS(b, func(o *sqs.Options) { o.HTTPClient = patient })
	vectors, err := providertest.Load(os.DirFS(filepath.Join("..", "..", "provider", "cregis", "testdata")))
	if err != nil {
		b.Fatal(err)
	}
	at := slices.IndexFunc(vectors, func(v providertest.Vector) bool { return v.Name == "payout-status-6" })
	return &benchmark{
		clients: functions.Clients{DynamoDB: db, SQS: queue},
		config: config.Config{
			ReceiptsTable:    templatetest.NewTable(b, db, "ReceiptsTable"),
			PayoutsTable:     templatetest.NewTable(b, db, "PayoutsTable"),
			EventsQueueURL:   templatetest.NewQueue(b, queue, "bench"),
			MetricsNamespace: "bench",
		},
		body: string(vectors[at].Body),
	}
}

func (w *benchmark) stack() functions.Stack {
	return functions.NewStack(w.config, w.clients, io.Discard)
}

func (w *benchmark) ingress(stack functions.Stack) lambda.Handler {
	return lambda.NewHandler(stack.HandleCallbacks(cregis.Provider{}, demoKeys{}))
}

// callbacks returns signed callbacks, each for a new payout.
func (w *benchmark) callbacks(b *testing.B, count int) [][]byte {
	b.Helper()
	all := make([][]byte, count)
	for i := range all {
		w.next++
		body := strings.Replace(w.body, "1391751691788288", strconv.Itoa(1_000_000_000_000_000+w.next), 1)
		if body == w.body {
			b.Fatal("the example has no cid 1391751691788288")
		}
		signed, header, err := cregis.Provider{}.Sign([]byte(body), demoKey)
		if err != nil {
			b.Fatal(err)
		}
		all[i], err = json.Marshal(events.APIGatewayV2HTTPRequest{
			RouteKey: "POST /callbacks/cregis/payout", RawPath: "/callbacks/cregis/payout",
			Headers: map[string]string{"content-type": header.Get("Content-Type")}, Body: string(signed),
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return all
}

const (
	demoAccount              = "1382528827416576"
	demoKey     callback.Key = "f502a9ac9ca54327986f29c03b271491"
)

type demoKeys struct{}

func (demoKeys) Keys(context.Context) (callback.Keys, error) {
	return callback.Keys{demoAccount: {Current: demoKey}}, nil
}

func (d demoKeys) Refresh(ctx context.Context) (callback.Keys, bool, error) {
	keys, err := d.Keys(ctx)
	return keys, false, err
}

func mustInvoke(b *testing.B, handler lambda.Handler, event []byte, want string) {
	b.Helper()
	answer, err := handler.Invoke(b.Context(), event)
	if err != nil || !strings.Contains(string(answer), want) {
		b.Fatalf("answered %s, %v; want %s", answer, err, want)
	}
}

const (
	accepted = `"statusCode":200`
	consumed = `"batchItemFailures":[]`
)

// recorder records the requests of a function instead of sending them.
type recorder struct {
	mu     sync.Mutex
	inputs []any
}

func (r *recorder) clients(clients functions.Clients) functions.Clients {
	return functions.Clients{
		DynamoDB: dynamodb.New(clients.DynamoDB.Options(), func(o *dynamodb.Options) { o.APIOptions = append(o.APIOptions, r.intercept) }),
		SQS:      sqs.New(clients.SQS.Options(), func(o *sqs.Options) { o.APIOptions = append(o.APIOptions, r.intercept) }),
	}
}

func (r *recorder) intercept(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("record", func(
		_ context.Context, in middleware.InitializeInput, _ middleware.InitializeHandler,
	) (out middleware.InitializeOutput, meta middleware.Metadata, err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.inputs = append(r.inputs, in.Parameters)
		switch in.Parameters.(type) {
		case *dynamodb.PutItemInput:
			out.Result = &dynamodb.PutItemOutput{}
		case *dynamodb.TransactWriteItemsInput:
			out.Result = &dynamodb.TransactWriteItemsOutput{}
		case *sqs.SendMessageInput:
			out.Result = &sqs.SendMessageOutput{}
		}
		return out, meta, nil
	}), middleware.Before)
}

func inputsOf[T any](r *recorder) []T {
	var inputs []T
	for _, input := range r.inputs {
		if typed, ok := input.(T); ok {
			inputs = append(inputs, typed)
		}
	}
	return inputs
}

// requests returns the put and the message that the function sends for each callback.
func (w *benchmark) requests(b *testing.B, callbacks [][]byte) ([]*dynamodb.PutItemInput, []*sqs.SendMessageInput) {
	b.Helper()
	recorded := &recorder{}
	handler := w.ingress(functions.NewStack(w.config, recorded.clients(w.clients), io.Discard))
	for _, event := range callbacks {
		mustInvoke(b, handler, event, accepted)
	}
	return inputsOf[*dynamodb.PutItemInput](recorded), inputsOf[*sqs.SendMessageInput](recorded)
}

// BenchmarkAccept compares accepting a callback with one conditional put and one
// send.
func BenchmarkAccept(b *testing.B) {
	w := newBenchmark(b)
	b.Run("side=ours", func(b *testing.B) {
		callbacks, handler := w.callbacks(b, b.N), w.ingress(w.stack())
		b.ResetTimer()
		for _, event := range callbacks {
			mustInvoke(b, handler, event, accepted)
		}
	})
	b.Run("side=floor", func(b *testing.B) {
		callbacks := w.callbacks(b, b.N)
		puts, sends := w.requests(b, callbacks)
		b.ResetTimer()
		for i, event := range callbacks {
			mustInvoke(b, lambda.NewHandler(func(ctx context.Context, _ events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
				if _, err := w.clients.DynamoDB.PutItem(ctx, puts[i]); err != nil {
					return events.APIGatewayV2HTTPResponse{}, err
				}
				_, err := w.clients.SQS.SendMessage(ctx, sends[i])
				return events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: "success"}, err
			}), event, accepted)
		}
	})
}

// BenchmarkAcceptDuplicate compares accepting a duplicate with one conditional put
// that fails.
func BenchmarkAcceptDuplicate(b *testing.B) {
	w := newBenchmark(b)
	event := w.callbacks(b, 1)[0]
	puts, sends := w.requests(b, [][]byte{event})
	mustInvoke(b, w.ingress(w.stack()), event, accepted)
	mustInvoke(b, lambda.NewHandler(w.stack().HandleBatch), batchOf(b, *sends[0].MessageBody), consumed)
	b.Run("side=ours", func(b *testing.B) {
		handler := w.ingress(w.stack())
		for b.Loop() {
			mustInvoke(b, handler, event, accepted)
		}
	})
	b.Run("side=floor", func(b *testing.B) {
		handler := lambda.NewHandler(func(ctx context.Context, _ events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
			_, err := w.clients.DynamoDB.PutItem(ctx, puts[0])
			if _, failed := errors.AsType[*types.ConditionalCheckFailedException](err); !failed {
				return events.APIGatewayV2HTTPResponse{}, fmt.Errorf("the condition of the put did not fail: %w", err)
			}
			return events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: "success"}, nil
		})
		for b.Loop() {
			mustInvoke(b, handler, event, accepted)
		}
	})
}

func batchOf(b *testing.B, messages ...string) []byte {
	b.Helper()
	var batch events.SQSEvent
	for i, message := range messages {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: strconv.Itoa(i), Body: message})
	}
	event, err := json.Marshal(batch)
	if err != nil {
		b.Fatal(err)
	}
	return event
}

// batches accepts callbacks and returns their messages in batches.
func (w *benchmark) batches(b *testing.B, count int) [][]byte {
	b.Helper()
	callbacks := w.callbacks(b, count*benchBatch)
	puts, sends := w.requests(b, callbacks)
	for _, put := range puts {
		if _, err := w.clients.DynamoDB.PutItem(b.Context(), put); err != nil {
			b.Fatal(err)
		}
	}
	var batches [][]byte
	for group := range slices.Chunk(sends, benchBatch) {
		messages := make([]string, len(group))
		for i, send := range group {
			messages[i] = *send.MessageBody
		}
		batches = append(batches, batchOf(b, messages...))
	}
	return batches
}

// BenchmarkConsume compares a batch of ten messages with ten concurrent
// transactions that have the same conditions.
func BenchmarkConsume(b *testing.B) {
	w := newBenchmark(b)
	b.Run("side=ours", func(b *testing.B) {
		batches, handler := w.batches(b, b.N), lambda.NewHandler(w.stack().HandleBatch)
		b.ResetTimer()
		for _, batch := range batches {
			mustInvoke(b, handler, batch, consumed)
		}
	})
	b.Run("side=floor", func(b *testing.B) {
		batches := w.batches(b, b.N)
		transactions := make([][]*dynamodb.TransactWriteItemsInput, b.N)
		for i, batch := range batches {
			recorded := &recorder{}
			mustInvoke(b, lambda.NewHandler(functions.NewStack(w.config, recorded.clients(w.clients), io.Discard).HandleBatch), batch, consumed)
			transactions[i] = inputsOf[*dynamodb.TransactWriteItemsInput](recorded)
		}
		b.ResetTimer()
		for i, batch := range batches {
			mustInvoke(b, lambda.NewHandler(func(ctx context.Context, _ events.SQSEvent) (events.SQSEventResponse, error) {
				return events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}, w.transact(ctx, transactions[i])
			}), batch, consumed)
		}
	})
}

func (w *benchmark) transact(ctx context.Context, transactions []*dynamodb.TransactWriteItemsInput) error {
	errs := make([]error, len(transactions))
	var running sync.WaitGroup
	for i, input := range transactions {
		running.Go(func() { _, errs[i] = w.clients.DynamoDB.TransactWriteItems(ctx, input) })
	}
	running.Wait()
	return errors.Join(errs...)
}
