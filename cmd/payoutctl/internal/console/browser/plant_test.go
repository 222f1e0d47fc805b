package browser_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/cmd/payoutctl/internal/send"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/localstack"
	"payout-callbacks/pkg/payout"
)

// root is the emulator's root user.
var root = credentials.NewStaticCredentialsProvider("test", "test", "")

func storeOf(stack localstack.Stack) *dynamostore.Store {
	return &dynamostore.Store{
		Client:   dynamodb.New(dynamodb.Options{Region: stack.Region, BaseEndpoint: aws.String(stack.EndpointURL), Credentials: root}),
		Receipts: stack.ReceiptsTable, Payouts: stack.PayoutsTable,
	}
}

// payoutID returns the id of a Cregis payout of the demo account.
func payoutID(cid string) payout.ID {
	return payout.NewID("cregis", payout.TypePayout, demoProject, cid, "")
}

// plantHeld stores a held callback that today's code understands, as after an update, and returns the payout's id.
func plantHeld(t *testing.T, reason callback.Reason) payout.ID {
	t.Helper()
	stack, err := readStack()
	if err != nil {
		t.Fatal(err)
	}
	cid := newID()
	body, err := send.ReadExample("cregis-payout.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, argument := range []string{"cid:=" + cid, "status:=6"} {
		change, err := send.ParseChange(argument)
		if err != nil {
			t.Fatal(err)
		}
		if body, err = send.Edit(body, change); err != nil {
			t.Fatal(err)
		}
	}
	held := inbox.HeldCallback{
		Provider: "cregis", Type: payout.TypePayout, Account: demoProject, Subject: body, Reason: string(reason), Note: "planted by a test",
	}
	if _, err := storeOf(stack).Create(t.Context(), inbox.NewHeldReceipt(held, body, "planted", time.Now())); err != nil {
		t.Fatal(err)
	}
	return payoutID(cid)
}

// plantDeadLetter sends a dead-letter message with an event, and returns the payout's id.
func plantDeadLetter(t *testing.T) payout.ID {
	t.Helper()
	stack, err := readStack()
	if err != nil {
		t.Fatal(err)
	}
	id := payoutID(newID())
	receipt := inbox.NewReceipt(payout.Event{ID: id, Status: payout.Succeeded, Amount: "1.1"}, []byte(`{"planted":true}`), "planted", time.Now())
	text, err := sqsqueue.Encode(receipt)
	if err != nil {
		t.Fatal(err)
	}
	client := sqs.New(sqs.Options{Region: stack.Region, BaseEndpoint: aws.String(stack.EndpointURL), Credentials: root})
	if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &stack.DeadLetterQueueURL, MessageBody: &text}); err != nil {
		t.Fatal(err)
	}
	return id
}
