package dynamostore_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/templatetest"
)

func TestStore_Contract(t *testing.T) { inboxtest.RunStore(t, harnesses(t)) }

func TestEditor_Contract(t *testing.T) { inboxtest.RunRepairs(t, harnesses(t)) }

func harnesses(t *testing.T) func(t *testing.T) inboxtest.Harness {
	client := templatetest.DynamoDB(t)
	return func(t *testing.T) inboxtest.Harness {
		store := newStore(t, client)
		return inboxtest.Harness{
			Store:   store,
			Repairs: &dynamostore.Editor{Reader: dynamostore.Reader{Client: client, Receipts: store.Receipts, Payouts: store.Payouts}},
			Receipt: func(t *testing.T, key inbox.Key) inbox.Receipt {
				receipt, err := store.Receipt(t.Context(), key)
				if err != nil {
					t.Fatal(err)
				}
				return receipt
			},
			Record: func(t *testing.T, id payout.ID) payout.Record {
				record, err := store.Record(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				return record
			},
		}
	}
}

// newStore returns a store with new tables like the template's.
func newStore(t *testing.T, client *dynamodb.Client) *dynamostore.Store {
	t.Helper()
	return &dynamostore.Store{
		Client:   client,
		Receipts: templatetest.NewTable(t, client, "ReceiptsTable"),
		Payouts:  templatetest.NewTable(t, client, "PayoutsTable"),
	}
}
