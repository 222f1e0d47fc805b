package functions_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/sync/errgroup"

	"payout-callbacks/pkg/aws/httpclient"
	"payout-callbacks/pkg/lambda/config"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/testkit/templatetest"
	"payout-callbacks/pkg/testkit/traffic"
)

// The benchmarks are pairs: side=ours is the function, side=floor only sends the
// same requests with the same client. `make bench` runs the sides alternately and
// prints the ratios.

const benchBatch = 10

// benchmark is the application on new tables and a new queue of the emulator.
type benchmark struct {
	clients functions.Clients
	config  config.Config
	next    int
}

func newBenchmark(b *testing.B) *benchmark {
	b.Helper()
	b.Setenv("AWS_NEW_RETRIES_2026", "true")
	patient := httpclient.New(30 * time.Second)
	db := templatetest.DynamoDB(b, func(o *dynamodb.Options) { o.HTTPClient = patient })
	queue := templatetest.SQS(b, func(o *sqs.Options) { o.HTTPClient = patient })
	return &benchmark{
		clients: functions.Clients{DynamoDB: db, SQS: queue},
		config: config.Config{
			ReceiptsTable:    templatetest.NewTable(b, db, "ReceiptsTable"),
			PayoutsTable:     templatetest.NewTable(b, db, "PayoutsTable"),
			EventsQueueURL:   templatetest.NewQueue(b, queue, "bench"),
			MetricsNamespace: "bench",
		},
	}
}

func (w *benchmark) ingress(clients functions.Clients) lambda.Handler {
	stack := functions.NewStack(w.config, clients, io.Discard)
	return lambda.NewHandler(stack.HandleCallbacks(cregis.Provider{}, traffic.StreamKeys("cregis")))
}

func (w *benchmark) consumer(clients functions.Clients) lambda.Handler {
	return lambda.NewHandler(functions.NewStack(w.config, clients, io.Discard).HandleBatch)
}

const (
	accepted = `"statusCode":200`
	consumed = `"batchItemFailures":[]`
)

// callbacks returns signed callbacks, each for a new payout.
func (w *benchmark) callbacks(b *testing.B, count int) [][]byte {
	b.Helper()
	all := make([][]byte, count)
	for i := range all {
		w.next++
		event, err := traffic.CregisEvent(w.next)
		if err != nil {
			b.Fatal(err)
		}
		all[i] = event
	}
	return all
}

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
		case *dynamodb.GetItemInput:
			out.Result = &dynamodb.GetItemOutput{}
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
	handler := w.ingress(recorded.clients(w.clients))
	for _, event := range callbacks {
		invoke(b, handler, event, accepted)
	}
	return inputsOf[*dynamodb.PutItemInput](recorded), inputsOf[*sqs.SendMessageInput](recorded)
}

// BenchmarkAccept compares accepting a callback with one conditional put and one
// send.
func BenchmarkAccept(b *testing.B) {
	w := newBenchmark(b)
	b.Run("side=ours", func(b *testing.B) {
		callbacks, handler := w.callbacks(b, b.N), w.ingress(w.clients)
		b.ResetTimer()
		for _, event := range callbacks {
			invoke(b, handler, event, accepted)
		}
	})
	b.Run("side=floor", func(b *testing.B) {
		puts, sends := w.requests(b, w.callbacks(b, b.N))
		b.ResetTimer()
		for i, put := range puts {
			if _, err := w.clients.DynamoDB.PutItem(b.Context(), put); err != nil {
				b.Fatal(err)
			}
			if _, err := w.clients.SQS.SendMessage(b.Context(), sends[i]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkAcceptDuplicate compares accepting a duplicate with one conditional put
// that fails.
func BenchmarkAcceptDuplicate(b *testing.B) {
	w := newBenchmark(b)
	events := w.callbacks(b, 1)
	puts, sends := w.requests(b, events)
	invoke(b, w.ingress(w.clients), events[0], accepted)
	invoke(b, w.consumer(w.clients), batchOf(b, sends), consumed)
	b.Run("side=ours", func(b *testing.B) {
		handler := w.ingress(w.clients)
		for b.Loop() {
			invoke(b, handler, events[0], accepted)
		}
	})
	b.Run("side=floor", func(b *testing.B) {
		for b.Loop() {
			_, err := w.clients.DynamoDB.PutItem(b.Context(), puts[0])
			if _, failed := errors.AsType[*types.ConditionalCheckFailedException](err); !failed {
				b.Fatalf("the condition of the put did not fail: %v", err)
			}
		}
	})
}

func batchOf(b *testing.B, sends []*sqs.SendMessageInput) []byte {
	b.Helper()
	var batch events.SQSEvent
	for i, send := range sends {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: strconv.Itoa(i), Body: *send.MessageBody})
	}
	event, err := json.Marshal(batch)
	if err != nil {
		b.Fatal(err)
	}
	return event
}

// batches stores receipts and returns their messages in batches.
func (w *benchmark) batches(b *testing.B, count int) [][]byte {
	b.Helper()
	puts, sends := w.requests(b, w.callbacks(b, count*benchBatch))
	for _, put := range puts {
		if _, err := w.clients.DynamoDB.PutItem(b.Context(), put); err != nil {
			b.Fatal(err)
		}
	}
	var batches [][]byte
	for group := range slices.Chunk(sends, benchBatch) {
		batches = append(batches, batchOf(b, group))
	}
	return batches
}

// BenchmarkConsume compares a batch of ten messages with the same reads and
// transactions, ten at once.
func BenchmarkConsume(b *testing.B) {
	w := newBenchmark(b)
	b.Run("side=ours", func(b *testing.B) {
		batches, handler := w.batches(b, b.N), w.consumer(w.clients)
		b.ResetTimer()
		for _, batch := range batches {
			invoke(b, handler, batch, consumed)
		}
	})
	b.Run("side=floor", func(b *testing.B) {
		recorded := &recorder{}
		handler := w.consumer(recorded.clients(w.clients))
		for _, batch := range w.batches(b, b.N) {
			invoke(b, handler, batch, consumed)
		}
		gets, transactions := inputsOf[*dynamodb.GetItemInput](recorded), inputsOf[*dynamodb.TransactWriteItemsInput](recorded)
		b.ResetTimer()
		for n := 0; n < len(gets); n += benchBatch {
			var running errgroup.Group
			for i := n; i < n+benchBatch; i++ {
				running.Go(func() error {
					_, err := w.clients.DynamoDB.GetItem(b.Context(), gets[i])
					_, applyErr := w.clients.DynamoDB.TransactWriteItems(b.Context(), transactions[i])
					return errors.Join(err, applyErr)
				})
			}
			if err := running.Wait(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
