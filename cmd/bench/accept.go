package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	awslambda "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// ingress is the function that answers Cregis's callbacks, event bytes in,
// response bytes out.
func (w *world) ingress() awslambda.Handler {
	return awslambda.NewHandler(w.stack.Callbacks(providerNamed("cregis"), fixedKeys(accountKeys["cregis"])))
}

func answered(ctx context.Context, handler awslambda.Handler, event []byte) error {
	answer, err := handler.Invoke(ctx, event)
	if err == nil && !strings.Contains(string(answer), `"statusCode":200`) {
		err = fmt.Errorf("answered %s", answer)
	}
	return err
}

// requestsOf returns what the function would ask of AWS for each event.
func (w *world) requestsOf(ctx context.Context, callbacks [][]byte) ([]*dynamodb.PutItemInput, []*sqs.SendMessageInput, error) {
	stack, recorder := w.recorded()
	handler := awslambda.NewHandler(stack.Callbacks(providerNamed("cregis"), fixedKeys(accountKeys["cregis"])))
	for _, event := range callbacks {
		if err := answered(ctx, handler, event); err != nil {
			return nil, nil, err
		}
	}
	return asked[*dynamodb.PutItemInput](recorder), asked[*sqs.SendMessageInput](recorder), nil
}

type (
	times    = []time.Duration
	request  = events.APIGatewayV2HTTPRequest
	response = events.APIGatewayV2HTTPResponse
)

var done = response{StatusCode: 200, Body: "success"}

// accept compares a callback's acceptance with a function that makes one put,
// without a condition, and one send of as many bytes, and does nothing else.
func accept(ctx context.Context, w *world) ([]row, error) {
	var rows []row
	for _, one := range []struct {
		workers     int
		conditional bool
		against     string
		p50, p99    float64
	}{
		{1, false, "one put, one send", 1.05, 1.10},
		{1, true, "the same, the put with its condition", 1.05, 1.10},
		{16, false, "one put, one send", 1.05, 1.10},
	} {
		ours, floor, err := turns(w.few(61, 1),
			func() (times, error) { return w.acceptOurs(ctx, one.workers) },
			func() (times, error) { return w.acceptFloor(ctx, one.workers, one.conditional) })
		if err != nil {
			return nil, err
		}
		what := fmt.Sprintf("accept, %d at once", one.workers)
		for _, at := range []struct {
			name    string
			q       float64
			bound   float64
			compare func(q float64, ours, floor [][]time.Duration) (spread, time.Duration, time.Duration)
		}{{"p50", 0.50, one.p50, ratioAt}, {"p99", 0.99, one.p99, tailRatio}} {
			ratio, a, b := at.compare(at.q, ours, floor)
			rows = append(rows, newRow(what+", "+at.name, one.against, ratio, at.bound).of(a, b))
		}
	}
	return rows, nil
}

// perRound is how many callbacks one side takes before it is the other's turn.
const perRound = 100

func (w *world) acceptOurs(ctx context.Context, workers int) (times, error) {
	callbacks, err := w.events(w.few(perRound, 20))
	if err != nil {
		return nil, err
	}
	handler := w.ingress()
	return inPlaces(workers, len(callbacks), func(n int) error { return answered(ctx, handler, callbacks[n]) })
}

func (w *world) acceptFloor(ctx context.Context, workers int, conditional bool) (times, error) {
	callbacks, err := w.events(w.few(perRound, 20))
	if err != nil {
		return nil, err
	}
	puts, sends, err := w.requestsOf(ctx, callbacks)
	if err != nil {
		return nil, err
	}
	return inPlaces(workers, len(callbacks), func(n int) error {
		put := puts[n]
		if !conditional {
			put = &dynamodb.PutItemInput{TableName: puts[n].TableName, Item: puts[n].Item}
		}
		bare := awslambda.NewHandler(func(ctx context.Context, _ request) (response, error) {
			if _, err := w.clients.DynamoDB.PutItem(ctx, put); err != nil {
				return response{}, err
			}
			_, err := w.clients.SQS.SendMessage(ctx, sends[n])
			return done, err
		})
		return answered(ctx, bare, callbacks[n])
	})
}

// duplicate compares the acceptance of what was applied before with a function
// that makes one put whose condition is refused.
func duplicate(ctx context.Context, w *world) ([]row, error) {
	callbacks, err := w.events(w.few(perRound, 20))
	if err != nil {
		return nil, err
	}
	puts, sends, err := w.requestsOf(ctx, callbacks)
	if err != nil {
		return nil, err
	}
	handler := w.ingress()
	for n := range callbacks {
		if err := answered(ctx, handler, callbacks[n]); err != nil {
			return nil, err
		}
		if err := w.consumed(ctx, []string{*sends[n].MessageBody}); err != nil {
			return nil, err
		}
	}
	ours, floor, err := turns(w.few(61, 1),
		func() (times, error) {
			return inPlaces(1, len(callbacks), func(n int) error { return answered(ctx, handler, callbacks[n]) })
		},
		func() (times, error) {
			return inPlaces(1, len(callbacks), func(n int) error {
				bare := awslambda.NewHandler(func(ctx context.Context, _ request) (response, error) {
					_, err := w.clients.DynamoDB.PutItem(ctx, puts[n])
					if _, refused := errors.AsType[*types.ConditionalCheckFailedException](err); !refused {
						return response{}, fmt.Errorf("want it refused: %w", err)
					}
					return done, nil
				})
				return answered(ctx, bare, callbacks[n])
			})
		})
	if err != nil {
		return nil, err
	}
	ratio, a, b := ratioAt(0.50, ours, floor)
	return []row{newRow("accept a duplicate, p50", "one refused put", ratio, 1.05).of(a, b)}, nil
}
