package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/middleware"

	"payout-callbacks/pkg/app"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
)

// sweep compares one run over many receipts that wait with one over few: it
// makes as many requests, allocates as much, and takes the oldest first.
func sweep(ctx context.Context, w *world) ([]row, error) {
	few, many := w.few(1_000, 100), w.few(100_000, 1_000)
	limit := w.few(1_000, 100)
	var runs []swept
	for _, waiting := range []int{few, many} {
		run, err := w.sweepOf(ctx, waiting, limit)
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	exact := func(a, b int64) spread {
		ratio := float64(a) / float64(b)
		return spread{ratio, ratio, ratio}
	}
	what := fmt.Sprintf("sweep of %d, %d waiting", limit, many)
	against := fmt.Sprintf("%d waiting", few)
	return []row{
		newRow(what+", requests", against, exact(runs[1].requests, runs[0].requests), 1.01).of(runs[1].requests, runs[0].requests).
			noting("both took the oldest %d, and these only", limit),
		newRow(what+", bytes allocated", against, exact(runs[1].bytes, runs[0].bytes), 1.1).of(megabytes(runs[1].bytes), megabytes(runs[0].bytes)),
	}, nil
}

type swept struct{ requests, bytes int64 }

// sweepOf puts receipts that are due into tables of their own and sweeps once.
func (w *world) sweepOf(ctx context.Context, waiting, limit int) (swept, error) {
	stores, err := w.newStores(ctx)
	if err != nil {
		return swept{}, err
	}
	oldest := time.Now().Add(-24 * time.Hour).Truncate(time.Second)
	if err := w.load(ctx, stores.ReceiptsTable, waiting, oldest); err != nil {
		return swept{}, err
	}
	var requests atomic.Int64
	last := oldest.Add(time.Duration(limit-1) * time.Millisecond).Add(inbox.FirstDue)
	var younger atomic.Int64
	count := func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("count",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
			) (middleware.InitializeOutput, middleware.Metadata, error) {
				requests.Add(1)
				if claim, ok := in.Parameters.(*dynamodb.UpdateItemInput); ok {
					seen, _ := claim.ExpressionAttributeValues[":seen"].(*types.AttributeValueMemberN)
					if seen != nil && seen.Value > fmt.Sprint(last.UnixMilli()) {
						younger.Add(1)
					}
				}
				return next.HandleInitialize(ctx, in)
			}), middleware.Before)
	}
	stack := app.NewStack(stores, app.Clients{
		DynamoDB: dynamodb.New(w.clients.DynamoDB.Options(), func(o *dynamodb.Options) { o.APIOptions = append(o.APIOptions, count) }),
		SQS:      sqs.New(w.clients.SQS.Options(), func(o *sqs.Options) { o.APIOptions = append(o.APIOptions, count) }),
	}, io.Discard)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	found, err := stack.Inbox.Sweep(ctx, limit)
	runtime.ReadMemStats(&after)
	switch {
	case err != nil:
		return swept{}, err
	case found.Sent != limit || younger.Load() > 0:
		return swept{}, fmt.Errorf("of %d waiting, %d were sent, of them %d that are not of the oldest", waiting, found.Sent, younger.Load())
	}
	return swept{requests: requests.Load(), bytes: int64(after.TotalAlloc - before.TotalAlloc)}, nil
}

// load writes receipts that are due, a millisecond apart, in no order.
func (w *world) load(ctx context.Context, table string, count int, oldest time.Time) error {
	const each = 25 // DynamoDB's own bound
	stack, recorder := w.recorded()
	provider := providerNamed("cregis")
	keys := accountKeys["cregis"]
	for n := range count {
		request, err := w.request()
		if err != nil {
			return err
		}
		sender, err := provider.Verify(request, keys)
		if err != nil {
			return err
		}
		age := time.Duration((n*7919)%count) * time.Millisecond // 7919 is prime: each age once
		if _, err := stack.Inbox.Store.Create(ctx, callback.NewReceipt(provider, request, sender, oldest.Add(age))); err != nil {
			return err
		}
	}
	puts := asked[*dynamodb.PutItemInput](recorder)
	_, err := inPlaces(4, (count+each-1)/each, func(n int) error {
		var writes []types.WriteRequest
		for _, put := range puts[n*each : min(len(puts), (n+1)*each)] {
			writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: put.Item}})
		}
		out, err := w.clients.DynamoDB.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: writes}})
		if err == nil && len(out.UnprocessedItems) > 0 {
			err = errors.New("the emulator left items unwritten")
		}
		return err
	})
	return err
}
