package sqsqueue_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/templatetest"
)

func TestQueue_Contract(t *testing.T) {
	client := templatetest.SQS(t)
	inboxtest.RunQueue(t, func(t *testing.T) inboxtest.Harness {
		queue := &sqsqueue.Queue{
			Client:         client,
			EventsURL:      templatetest.NewQueue(t, client, "events"),
			DeadLettersURL: templatetest.NewQueue(t, client, "dead-letters"),
		}
		return inboxtest.Harness{
			Queue:       queue,
			DeadLetters: queue,
			ReceiveAll:  func(t *testing.T) []inbox.Receipt { return receiveAll(t, client, queue.EventsURL) },
			DeadLetter: func(t *testing.T, receipt *inbox.Receipt) {
				text := "not a message of ours"
				if receipt != nil {
					text = encode(t, *receipt)
				}
				send(t, client, queue.DeadLettersURL, text)
			},
		}
	})
}

func send(t *testing.T, client *sqs.Client, url, text string) {
	t.Helper()
	if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &text}); err != nil {
		t.Fatal(err)
	}
}

func receiveAll(t *testing.T, client *sqs.Client, url string) []inbox.Receipt {
	t.Helper()
	var receipts []inbox.Receipt
	for {
		out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return receipts
		}
		for _, message := range out.Messages {
			receipt, err := sqsqueue.Decode(*message.Body)
			if err != nil {
				t.Fatal(err)
			}
			receipts = append(receipts, receipt)
			if _, err := client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: message.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func encode(t *testing.T, receipt inbox.Receipt) string {
	t.Helper()
	text, err := sqsqueue.Encode(receipt)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
