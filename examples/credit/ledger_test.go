package main

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	published "payout-callbacks/pkg/notification"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/templatetest"
)

// If several payouts succeed under one reference, the order is credited once, and
// the entries of the other payouts have review set.
func TestService_CreditsOrderOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		books := newMemory()
		books.fault = func() (bool, bool) {
			how := rapid.IntRange(0, 5).Draw(t, "fault")
			return how != 0, how <= 1
		}
		payouts := rapid.SliceOfN(rapid.SampledFrom([]string{"p1", "p2", "p3"}), 1, 12).Draw(t, "payouts")
		right := false
		for n, item := range payouts {
			amount := rapid.SampledFrom([]string{"2.5", "2.6", ""}).Draw(t, "amount")
			received := notification{Schema: 1, Payout: item, Version: int64(n + 1), Status: "succeeded", Amount: amount, Currency: "TRX", Reference: "order"}
			for (service{books}).handle(context.Background(), received) != nil {
			}
			right = right || amount == "2.5"
		}
		if right != (len(books.credits) == 1) || len(books.credits) > 1 {
			t.Fatalf("credited %v, ordered amount seen: %t", books.credits, right)
		}
		for name, got := range books.entries {
			if got.Credited == "" && !got.Review {
				t.Fatalf("%s succeeded, is not credited, and is not marked for a person", name)
			}
		}
	})
}

func TestLedger_ConcurrentCredits(t *testing.T) {
	client := templatetest.DynamoDB(t)
	books := &ledger{client: client, table: templatetest.UniqueName("ledger"), orders: templatetest.UniqueName("orders")}
	for table, key := range map[string]string{books.table: "payout", books.orders: "reference"} {
		if _, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: &table, BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &key, AttributeType: types.ScalarAttributeTypeS}},
			KeySchema:            []types.KeySchemaElement{{AttributeName: &key, KeyType: types.KeyTypeHash}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &books.orders, Item: map[string]types.AttributeValue{
		"reference": text("order"), "amount": text("2.50"), "currency": text("TRX"),
	}}); err != nil {
		t.Fatal(err)
	}
	record, _ := payout.Record{}.Apply(payout.Event{ID: paid, Status: payout.Succeeded, Amount: "2.5", Currency: "TRX", Reference: "order"})
	n, _ := published.FromRecord(record, time.Time{})
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() { service{books}.deliver(t, n) })
	}
	running.Wait()
	got, err := books.read(t.Context(), string(paid))
	want := entry{Payout: string(paid), Version: 1, Status: "succeeded", Reference: "order", Credited: "2.5", Currency: "TRX"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if err := books.write(t.Context(), entry{}, want); !errors.Is(err, errRaced) {
		t.Errorf("a second first entry: %v", err)
	}
	if err := books.write(t.Context(), entry{Version: 2, Credited: "2.5"}, want); !errors.Is(err, errRaced) {
		t.Errorf("an entry in the place of another than was read: %v", err)
	}
	if ordered, err := books.order(t.Context(), "order"); err != nil || ordered.Payout != string(paid) {
		t.Errorf("the order is %+v, %v", ordered, err)
	}
	for _, reference := range []string{"order", "order-9"} { // credited for another payout, never ordered
		other := entry{Payout: "other", Version: 1, Status: "succeeded", Reference: reference, Credited: "2.5", Currency: "TRX"}
		if err := books.write(t.Context(), entry{}, other); !errors.Is(err, errRaced) {
			t.Errorf("a credit for the order %s: %v", reference, err)
		}
	}
}
