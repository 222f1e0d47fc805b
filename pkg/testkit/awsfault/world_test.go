package awsfault_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/middleware"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/awsfault"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/templatetest"
)

// The SDK's newer retries, as in template.yaml: four attempts in about 0.1 s.
func TestMain(m *testing.M) {
	if err := os.Setenv("AWS_NEW_RETRIES_2026", "true"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// world is an inbox with the real adapters, on new tables and queues, with a fault
// layer in each client, and clients without one.
type world struct {
	*testing.T
	now          time.Time
	db, queues   *awsfault.Layer
	store        *dynamostore.Store
	queue        *sqsqueue.Queue
	box          *inbox.Inbox
	directDB     *dynamodb.Client
	directQueues *sqs.Client
	acknowledged []inbox.Key
}

func newWorld(t *testing.T, onQueues ...func(*middleware.Stack) error) *world {
	w := &world{
		T: t, now: time.Date(2026, 11, 21, 9, 0, 0, 123e6, time.UTC),
		db: &awsfault.Layer{}, queues: &awsfault.Layer{},
		directDB: templatetest.DynamoDB(t), directQueues: templatetest.SQS(t),
	}
	w.store = &dynamostore.Store{
		Client:   templatetest.DynamoDB(t, func(o *dynamodb.Options) { o.APIOptions = append(o.APIOptions, w.db.Install) }),
		Receipts: templatetest.NewTable(t, w.directDB, "ReceiptsTable"),
		Payouts:  templatetest.NewTable(t, w.directDB, "PayoutsTable"),
	}
	w.queue = &sqsqueue.Queue{
		Client: templatetest.SQS(t, func(o *sqs.Options) {
			o.APIOptions = append(append(o.APIOptions, w.queues.Install), onQueues...)
		}),
		EventsURL:      templatetest.NewQueue(t, w.directQueues, "events"),
		DeadLettersURL: templatetest.NewQueue(t, w.directQueues, "dead-letters"),
	}
	w.box = &inbox.Inbox{Store: w.store, Queue: w.queue, DeadLetters: w.queue, Now: func() time.Time { return w.now }}
	return w
}

// receipt returns the n-th receipt. Each payout has five.
func (w *world) receipt(n int) inbox.Receipt {
	id := payout.NewID("cregis", payout.TypePayout, "1382528827416576", strconv.Itoa(n/5), "")
	event := payout.Event{ID: id, Status: payout.Pending, Amount: "1.1", BlockHeight: uint64(n)}
	return inbox.NewReceipt(event, []byte(`{"n": 1}`), "0a1b2c3d", w.now)
}

func (w *world) held() inbox.Receipt {
	return inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "pivot", Type: payout.TypePayout, Account: "922e39ab", Subject: []byte("subject"), Reason: "unknown-event",
	}, []byte("\xff"), "0a1b2c3d", w.now)
}

func (w *world) accept(r inbox.Receipt) inbox.AcceptResult {
	w.Helper()
	accepted, err := w.box.Accept(w.Context(), r)
	if err != nil {
		w.Fatal(err)
	}
	w.acknowledged = append(w.acknowledged, r.Key)
	return accepted
}

func (w *world) wantAccepted(r inbox.Receipt, want inbox.Acceptance) {
	w.Helper()
	if got := w.accept(r); got.Acceptance != want {
		w.Errorf("accepted as %q (%v), want %q", got.Acceptance, got.Fault, want)
	}
}

// wantAcceptError checks that a receipt cannot be accepted.
func (w *world) wantAcceptError(r inbox.Receipt) {
	w.Helper()
	if accepted, err := w.box.Accept(w.Context(), r); err == nil {
		w.Errorf("accepted as %q, want an error: nothing is durable", accepted.Acceptance)
	}
}

// settle stops the faults and lets time pass, so that the queue delivers its messages
// and the sweeper resends lost ones. Then it checks all invariants, and that no
// message is left.
func (w *world) settle() {
	w.Helper()
	w.db.Stop()
	w.queues.Stop()
	for range 3 {
		w.consume()
		w.now = w.now.Add(time.Hour)
		if result, err := w.box.Sweep(w.Context(), 1000); err != nil {
			w.Fatalf("sweep: %+v, %v", result, err)
		}
	}
	w.consume()
	state := w.state()
	for _, violation := range inboxtest.Check(state, w.acknowledged, true) {
		w.Errorf("%s\n%s", violation, state.Dump())
	}
}

// consume applies the messages of the queue and deletes them.
func (w *world) consume() {
	w.Helper()
	for {
		out, err := w.directQueues.ReceiveMessage(w.Context(), &sqs.ReceiveMessageInput{QueueUrl: &w.queue.EventsURL, MaxNumberOfMessages: 10})
		if err != nil {
			w.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return
		}
		for _, message := range out.Messages {
			receipt, err := sqsqueue.Decode(*message.Body)
			if err != nil {
				w.Fatal(err)
			}
			if _, err := w.box.Apply(w.Context(), receipt); err != nil {
				w.Fatal(err)
			}
			_, err = w.directQueues.DeleteMessage(w.Context(), &sqs.DeleteMessageInput{QueueUrl: &w.queue.EventsURL, ReceiptHandle: message.ReceiptHandle})
			if err != nil {
				w.Fatal(err)
			}
		}
	}
}

// state reads both tables.
func (w *world) state() inboxtest.State {
	w.Helper()
	state, err := awsfault.ReadState(w.Context(), &dynamostore.Reader{Client: w.directDB, Receipts: w.store.Receipts, Payouts: w.store.Payouts})
	if err != nil {
		w.Fatal(err)
	}
	return state
}
