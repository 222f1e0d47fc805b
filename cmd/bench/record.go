package main

import (
	"context"
	"io"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/middleware"

	"payout-callbacks/pkg/app"
)

// recorder notes what the functions ask of AWS and answers that all went well,
// so that a floor can ask the same.
type recorder struct {
	mu     sync.Mutex
	inputs []any
}

// stack returns the functions over a recorder: nothing they ask reaches anybody.
func (w *world) recorded() (app.Stack, *recorder) {
	r := &recorder{}
	clients := app.Clients{
		DynamoDB: dynamodb.New(w.clients.DynamoDB.Options(), func(o *dynamodb.Options) { o.APIOptions = append(o.APIOptions, r.intercept) }),
		SQS:      sqs.New(w.clients.SQS.Options(), func(o *sqs.Options) { o.APIOptions = append(o.APIOptions, r.intercept) }),
	}
	return app.NewStack(w.settings, clients, io.Discard), r
}

func (r *recorder) intercept(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("record",
		func(_ context.Context, in middleware.InitializeInput, _ middleware.InitializeHandler,
		) (out middleware.InitializeOutput, meta middleware.Metadata, err error) {
			r.mu.Lock()
			r.inputs = append(r.inputs, in.Parameters)
			r.mu.Unlock()
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

// asked returns what was asked of one kind, in order.
func asked[T any](r *recorder) []T {
	var found []T
	for _, input := range r.inputs {
		if one, ok := input.(T); ok {
			found = append(found, one)
		}
	}
	return found
}
