package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
	"payout-callbacks/pkg/testkit/memory"
	"payout-callbacks/pkg/testkit/providertest"
	"payout-callbacks/pkg/testkit/templatetest"
)

// billed has the write units of each table and index, as DynamoDB reports them. It also
// has what DynamoDB bills and does not report: refused writes, as "refused". Reads of
// items are "reads", in read units.
type billed map[string]float64

// install makes a client request the consumed capacity of each write and of each read of
// an item, and adds it up.
func (b billed) install(options *dynamodb.Options) {
	options.APIOptions = append(options.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("billed", b.handle), middleware.Before)
	})
}

func (b billed) handle(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
) (middleware.InitializeOutput, middleware.Metadata, error) {
	writes := 1.0
	switch input := in.Parameters.(type) {
	case *dynamodb.GetItemInput:
		input.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	case *dynamodb.PutItemInput:
		input.ReturnConsumedCapacity = types.ReturnConsumedCapacityIndexes
	case *dynamodb.UpdateItemInput:
		input.ReturnConsumedCapacity = types.ReturnConsumedCapacityIndexes
	case *dynamodb.TransactWriteItemsInput:
		input.ReturnConsumedCapacity = types.ReturnConsumedCapacityIndexes
		writes = 2 * float64(len(input.TransactItems))
	}
	out, meta, err := next.HandleInitialize(ctx, in)
	switch result := out.Result.(type) {
	case *dynamodb.GetItemOutput:
		b["reads"] += *result.ConsumedCapacity.CapacityUnits
	case *dynamodb.PutItemOutput:
		b.add(result.ConsumedCapacity)
	case *dynamodb.UpdateItemOutput:
		b.add(result.ConsumedCapacity)
	case *dynamodb.TransactWriteItemsOutput:
		for i := range result.ConsumedCapacity {
			b.add(&result.ConsumedCapacity[i])
		}
	}
	if isRefused(err) {
		b["refused"] += writes
	}
	return out, meta, err
}

// isRefused reports whether a condition failed. A refused write is billed like one that
// is done, without the indexes; the items of these tests are below a kilobyte.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html#WorkingWithItems.ConditionalUpdate
func isRefused(err error) bool {
	_, isWrite := errors.AsType[*types.ConditionalCheckFailedException](err)
	_, isTransaction := errors.AsType[*types.TransactionCanceledException](err)
	return isWrite || isTransaction
}

// writeUnits returns the sum of all but reads.
func (b billed) writeUnits() float64 {
	total := 0.0
	for name, units := range b {
		if name != "reads" {
			total += units
		}
	}
	return total
}

func (b billed) add(cost *types.ConsumedCapacity) {
	if cost == nil {
		return
	}
	table, _, _ := strings.Cut(*cost.TableName, "-")
	b[table] += *cost.CapacityUnits
	for index, globalSecondaryIndex := range cost.GlobalSecondaryIndexes {
		b[index] += *globalSecondaryIndex.CapacityUnits
		b[table] -= *globalSecondaryIndex.CapacityUnits
	}
}

func (b billed) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(b)) {
		parts = append(parts, fmt.Sprintf("%s %g", name, b[name]))
	}
	return fmt.Sprintf("%g (%s)", b.writeUnits(), strings.Join(parts, ", "))
}

// The write units of a callback, as DynamoDB bills them; docs/PERFORMANCE.md explains
// each.
func TestCallbackWriteUnits(t *testing.T) {
	for _, example := range []struct {
		provider providertest.Provider
		name     string
		keys     callback.Keys
		accepted billed
		applied  billed
	}{
		{
			cregis.Provider{}, "payout-status-6", callback.Keys{"1382528827416576": {Current: "f502a9ac9ca54327986f29c03b271491"}},
			billed{"ReceiptsTable": 1, "unapplied": 1}, billed{"ReceiptsTable": 2, "PayoutsTable": 2, "unapplied": 1, "reference": 1, "reads": 0.5},
		},
		{
			pivot.Provider{}, "single-success", callback.Keys{"922e39ab-7565-49f6-b84f-fb56122821ae": {Current: "a key"}},
			billed{"ReceiptsTable": 1, "unapplied": 1}, billed{"ReceiptsTable": 2, "PayoutsTable": 2, "unapplied": 1, "reference": 1, "reads": 0.5},
		},
		{
			pivot.Provider{}, "bulk-done", callback.Keys{"922e39ab-7565-49f6-b84f-fb56122821ae": {Current: "a key"}},
			billed{"ReceiptsTable": 1, "unapplied": 1}, billed{"ReceiptsTable": 2, "PayoutsTable": 2, "unapplied": 1, "reads": 0.5},
		},
	} {
		t.Run(example.provider.Name()+"/"+example.name, func(t *testing.T) {
			cost := billed{}
			store := newBilledStore(t, cost)
			box := &inbox.Inbox{Store: store, Queue: &memory.Queue{Now: time.Now, MaxReceives: 1}, Now: time.Now}
			receipt := exampleReceipt(t, example.provider, example.name, example.keys)
			if _, err := box.Accept(t.Context(), receipt); err != nil {
				t.Fatal(err)
			}
			t.Logf("accept: %s", cost)
			if !maps.Equal(cost, example.accepted) {
				t.Errorf("accept costs %s, want %s", cost, example.accepted)
			}
			clear(cost)
			if outcome, err := box.Apply(t.Context(), receipt); err != nil || outcome != inbox.ApplyChanged {
				t.Fatalf("%s, %v", outcome, err)
			}
			t.Logf("apply: %s", cost)
			if !maps.Equal(cost, example.applied) {
				t.Errorf("apply costs %s, want %s", cost, example.applied)
			}
		})
	}
}

func newBilledStore(t *testing.T, cost billed) *Store {
	t.Helper()
	plain := templatetest.DynamoDB(t)
	return &Store{
		Client:   templatetest.DynamoDB(t, cost.install),
		Receipts: templatetest.NewTable(t, plain, "ReceiptsTable"),
		Payouts:  templatetest.NewTable(t, plain, "PayoutsTable"),
	}
}

// The number of queries does not grow with the number of due receipts.
func TestDue_Queries(t *testing.T) {
	plain := templatetest.DynamoDB(t)
	var counts [2]int
	for run, waiting := range []int{100, 1500} {
		queries := 0
		count := func(options *dynamodb.Options) {
			options.APIOptions = append(options.APIOptions, func(stack *middleware.Stack) error {
				return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("count", func(ctx context.Context, in middleware.InitializeInput,
					next middleware.InitializeHandler,
				) (middleware.InitializeOutput, middleware.Metadata, error) {
					queries++
					return next.HandleInitialize(ctx, in)
				}), middleware.Before)
			})
		}
		receipts := templatetest.NewTable(t, plain, "ReceiptsTable")
		fill(t, plain, receipts, waiting)
		store := &Store{Client: templatetest.DynamoDB(t, count), Receipts: receipts}
		due, err := store.Due(t.Context(), now.Add(time.Hour), 64)
		if err != nil || len(due) != 64 {
			t.Fatalf("%d due, %v", len(due), err)
		}
		for i, d := range due {
			if want := now.Add(time.Duration(i) * time.Millisecond); !d.DueAt.Equal(want) {
				t.Fatalf("%d receipts: number %d is due at %s, want %s", waiting, i, d.DueAt, want)
			}
		}
		counts[run] = queries
	}
	if counts[0] != counts[1] || counts[0] != shards {
		t.Errorf("%d queries with 100 due receipts, %d with 1,500, want %d both times", counts[0], counts[1], shards)
	}
}

// fill writes receipts that are due a millisecond apart, unordered.
func fill(t *testing.T, client *dynamodb.Client, table string, count int) {
	t.Helper()
	var writes []types.WriteRequest
	for n := range count {
		id := payout.NewID("cregis", payout.TypePayout, "1", fmt.Sprint(n), "")
		receipt := inbox.NewReceipt(payout.Event{ID: id, Status: payout.Succeeded}, nil, "", now)
		receipt.DueAt = now.Add(time.Duration(n*7919%count) * time.Millisecond) // 7919 is prime, so each time occurs once
		encoded, err := encodeReceipt(receipt)
		if err != nil {
			t.Fatal(err)
		}
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: encoded}})
	}
	for group := range slices.Chunk(writes, 25) {
		if _, err := client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{table: group},
		}); err != nil {
			t.Fatal(err)
		}
	}
}
