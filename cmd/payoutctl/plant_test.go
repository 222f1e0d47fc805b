package main_test

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/rogpeppe/go-internal/testscript"

	"payout-callbacks/cmd/payoutctl/internal/send"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// planter damages the tables of a local stack.
type planter struct {
	*testscript.TestScript

	store *dynamostore.Store
}

// plant is a command of scripts: plant DAMAGE ID. For a payout: altered, deleted,
// damaged, no-effect (a receipt marked as applied), receipt-deleted. For a cid of
// Cregis: held, as by a version that does not know status 6, and unindexed, which is
// held without an index entry; both set HELD to its id.
func plant(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: plant DAMAGE ID")
	}
	p := planter{ts, storeOf(ts)}
	id := args[1]
	switch args[0] {
	case "altered":
		p.update(p.store.Payouts, id, "", "SET progress = :value", "delayed")
	case "damaged":
		p.update(p.store.Payouts, id, "", "SET #status = :value", "paid")
	case "deleted":
		p.remove(p.store.Payouts, id, "")
	case "receipt-deleted":
		p.remove(p.store.Receipts, id, p.receipts(id)[0].Key.Receipt)
	case "no-effect":
		p.update(p.store.Receipts, id, p.create(id).Receipt, "SET #state = :value REMOVE #dueShard, dueAt", "applied")
	case "unindexed":
		p.held(id)
		p.update(p.store.Receipts, p.Getenv("HELD"), string(inbox.Held), "REMOVE #dueShard, dueAt", "")
	case "held":
		p.held(id)
	default:
		ts.Fatalf("unknown damage")
	}
}

func storeOf(ts *testscript.TestScript) *dynamostore.Store {
	text, err := os.ReadFile(ts.Getenv("PAYOUT_CALLBACKS_STACK"))
	ts.Check(err)
	var stack struct{ EndpointURL, Region, ReceiptsTable, PayoutsTable string }
	ts.Check(json.Unmarshal(text, &stack))
	return &dynamostore.Store{
		Client: dynamodb.NewFromConfig(aws.Config{
			Region: stack.Region, BaseEndpoint: &stack.EndpointURL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		}),
		Receipts: stack.ReceiptsTable, Payouts: stack.PayoutsTable,
	}
}

func (p planter) receipts(id string) []inbox.Receipt {
	var all []inbox.Receipt
	for receipt, err := range (&dynamostore.Reader{Client: p.store.Client, Receipts: p.store.Receipts}).ReceiptsOf(context.Background(), payout.ID(id)) {
		p.Check(err)
		all = append(all, receipt)
	}
	return all
}

// create stores a receipt without sending a message.
func (p planter) create(id string) inbox.Key {
	receipt := inbox.NewReceipt(payout.Event{ID: payout.ID(id), Status: payout.Succeeded, BlockHeight: 7}, []byte(`{"planted":true}`), "planted", time.Now())
	receipt.DueAt = receipt.DueAt.Add(time.Hour) // not due for the sweeper
	_, err := p.store.Create(context.Background(), receipt)
	p.Check(err)
	return receipt.Key
}

func (p planter) held(cid string) {
	example, err := send.ReadExample("cregis-payout.json")
	p.Check(err)
	number, err := send.ParseChange("cid:=" + cid)
	p.Check(err)
	status, err := send.ParseChange("status:=6")
	p.Check(err)
	body, err := send.Edit(example, number, status)
	p.Check(err)
	receipt := inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "cregis", Type: payout.TypePayout, Account: demoProject, Subject: body, Reason: "unknown-status", Note: "status is 6",
	}, body, "planted", time.Now())
	_, err = p.store.Create(context.Background(), receipt)
	p.Check(err)
	p.Setenv("HELD", receipt.Key.Payout)
}

func (p planter) update(table, id, receipt, expression, value string) {
	input := &dynamodb.UpdateItemInput{
		TableName: &table, Key: keyOf(id, receipt), UpdateExpression: &expression,
		ExpressionAttributeNames: map[string]string{},
	}
	for _, name := range []string{"state", "status", "dueShard"} {
		if strings.Contains(expression, "#"+name) {
			input.ExpressionAttributeNames["#"+name] = name
		}
	}
	if len(input.ExpressionAttributeNames) == 0 {
		input.ExpressionAttributeNames = nil
	}
	if value != "" {
		input.ExpressionAttributeValues = map[string]types.AttributeValue{":value": &types.AttributeValueMemberS{Value: value}}
	}
	_, err := p.store.Client.UpdateItem(context.Background(), input)
	p.Check(err)
}

func (p planter) remove(table, id, receipt string) {
	_, err := p.store.Client.DeleteItem(context.Background(), &dynamodb.DeleteItemInput{TableName: &table, Key: keyOf(id, receipt)})
	p.Check(err)
}

func keyOf(id, receipt string) map[string]types.AttributeValue {
	key := map[string]types.AttributeValue{"payout": &types.AttributeValueMemberS{Value: id}}
	if receipt != "" {
		key["receipt"] = &types.AttributeValueMemberS{Value: receipt}
	}
	return key
}
