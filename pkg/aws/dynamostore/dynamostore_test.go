package dynamostore_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/templatetest"
)

func TestStore_Contract(t *testing.T) { inboxtest.RunStore(t, harnesses(t)) }

func TestEditor_Contract(t *testing.T) { inboxtest.RunRepairs(t, harnesses(t)) }

func TestStore_ReconcileContract(t *testing.T) { inboxtest.RunReconcile(t, harnesses(t)) }

func TestAccounts_Contract(t *testing.T) {
	client := templatetest.DynamoDB(t)
	inboxtest.RunAccounts(t, func(t *testing.T) reconcile.Accounts {
		return &dynamostore.Accounts{Client: client, Table: templatetest.NewTable(t, client, "AccountsTable")}
	})
}

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
			DamageRecord: func(t *testing.T, id payout.ID) {
				if _, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
					TableName:                 &store.Payouts,
					Key:                       map[string]types.AttributeValue{"payout": &types.AttributeValueMemberS{Value: string(id)}},
					UpdateExpression:          aws.String("SET claims.amount = :amounts"),
					ExpressionAttributeValues: map[string]types.AttributeValue{":amounts": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberS{Value: "x"}}}},
				}); err != nil {
					t.Fatal(err)
				}
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
