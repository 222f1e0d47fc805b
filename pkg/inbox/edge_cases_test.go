package inbox_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/consumer"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/memory"
)

func TestSweep_ClockJumpsBack(t *testing.T) {
	w := newWorld(t)
	w.accept(w.receipt(payout.Succeeded))
	w.queue.DropAll()
	w.now = w.now.Add(inbox.FirstDue)
	accepted := w.now
	w.now = w.now.Add(-24 * time.Hour)
	if result := w.sweep(); result.Due != 0 {
		t.Errorf("with the clock a day back: %+v, want nothing due", result)
	}
	w.accept(w.receipt(payout.Failed)) // accepted with the clock a day back
	w.queue.DropAll()
	w.now = w.now.Add(inbox.FirstDue)
	if result := w.sweep(); result.Resent != 1 {
		t.Errorf("on that clock: %+v, want one resent", result)
	}
	w.now = accepted
	if result := w.sweep(); result.Resent != 2 {
		t.Errorf("with the right clock: %+v, want both resent", result)
	}
	w.consume()
	w.wantStatus(payout.Conflicted)
	w.check(true)
}

// A claim by a machine with a wrong clock does not make the receipt due in the far
// future: it is due again within the usual time.
func TestSweep_ClaimedWithClockAhead(t *testing.T) {
	w := newWorld(t)
	ahead := *w.box
	ahead.Now = func() time.Time { return w.now.Add(24 * time.Hour) }
	w.accept(w.receipt(payout.Succeeded))
	w.queue.DropAll()
	if result, err := ahead.Sweep(t.Context(), 10); err != nil || result.Resent != 1 {
		t.Fatalf("with the clock a day ahead: %+v, %v", result, err)
	}
	w.queue.DropAll()
	w.now = w.now.Add(25 * time.Hour)
	if result := w.sweep(); result.Resent != 1 {
		t.Errorf("a day and an hour later: %+v, want it resent", result)
	}
	w.consume()
	w.check(true)
}

// newSQSEvent returns the event with which Lambda delivers these receipts.
func newSQSEvent(t *testing.T, receipts ...inbox.Receipt) events.SQSEvent {
	var batch events.SQSEvent
	for n, receipt := range receipts {
		text, err := sqsqueue.Encode(receipt)
		if err != nil {
			t.Fatal(err)
		}
		name := string(rune('a' + n))
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: name, ReceiptHandle: name, Body: text})
	}
	return batch
}

type noPostponing struct{}

func (noPostponing) Postpone(context.Context, string, time.Duration) error { return nil }

func TestApply_DuplicatesInOneBatch(t *testing.T) {
	for range 100 { // concurrently, in any order
		w := newWorld(t)
		receipt := w.receipt(payout.Succeeded)
		w.accept(receipt)
		c := &consumer.Consumer{Inbox: w.box, Queue: noPostponing{}}
		w.box.Store = w.store // the other store's counters are not safe for concurrent use
		deliveries := c.Consume(t.Context(), newSQSEvent(t, receipt, receipt, receipt))
		if failures := consumer.Response(deliveries).BatchItemFailures; len(failures) != 0 {
			t.Fatalf("failures: %v", failures)
		}
		if got := w.store.Record(receipt.Event.ID).Version; got != 1 {
			t.Fatalf("version: got %d, want 1", got)
		}
		w.check(true)
	}
}

// If the consumer's time ends in the middle of a batch, the receipts that were not
// applied are reported as failed, and are applied once when redelivered.
func TestApply_TimeoutInBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		done, hung := w.receipt(payout.Delayed), w.receipt(payout.Succeeded)
		w.accept(done)
		w.accept(hung)
		w.box.Store = hangingStore{w.store, hung.Key}
		c := &consumer.Consumer{Inbox: w.box, Queue: noPostponing{}}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		deliveries := c.Consume(ctx, newSQSEvent(t, done, hung))
		failures := consumer.Response(deliveries).BatchItemFailures
		if ctx.Err() != nil || len(failures) != 1 || failures[0].ItemIdentifier != "b" {
			t.Errorf("failures: got %v, %v, want only the second, before the deadline", failures, ctx.Err())
		}
		w.box.Store = w.store
		w.consume() // Lambda deleted neither message
		w.wantStatus(payout.Succeeded)
		w.check(true)
	})
}

type hangingStore struct {
	*memory.Store
	key inbox.Key
}

func (s hangingStore) Apply(ctx context.Context, change inbox.Change) (*inbox.ConditionFailed, error) {
	if change.Receipt.Key == s.key {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.Store.Apply(ctx, change)
}

// A receipt that a person deletes before its message is consumed is created again
// from the message.
func TestApply_ReceiptDeletedByHand(t *testing.T) {
	w := newWorld(t)
	receipt := w.receipt(payout.Succeeded)
	w.accept(receipt)
	w.store.DeleteReceipt(receipt.Key)
	w.now = w.now.Add(time.Hour)
	w.sweep() // a sweep in between is not disturbed
	w.consume()
	w.wantStatus(payout.Succeeded)
	w.check(true)
}

// A message of 1 MiB, SQS's limit, is unreadable: it fails, and the other messages of
// its batch are applied.
func TestConsume_LargeUnreadableMessage(t *testing.T) {
	w := newWorld(t)
	receipt := w.receipt(payout.Succeeded)
	w.accept(receipt)
	batch := newSQSEvent(t, receipt, receipt)
	batch.Records[1].Body = strings.Repeat("x", 1<<20)
	c := &consumer.Consumer{Inbox: w.box, Queue: noPostponing{}}
	deliveries := c.Consume(t.Context(), batch)
	failures := consumer.Response(deliveries).BatchItemFailures
	if len(failures) != 1 || failures[0].ItemIdentifier != "b" || !deliveries[1].Unreadable {
		t.Errorf("failures: got %v, want the large one, as unreadable", failures)
	}
	if err := deliveries[1].Err; err == nil || len(err.Error()) > 200 {
		t.Errorf("the error must not hold the text: %d bytes", len(err.Error()))
	}
	w.wantStatus(payout.Succeeded)
}

// The largest receipt that an ingress function can create fits into a message,
// whatever bytes it has.
func TestMessage_LargestReceipt(t *testing.T) {
	w := newWorld(t)
	held := inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "pivot", Type: payout.TypePayout, Account: strings.Repeat("a", 128), Subject: []byte("s"),
		Reason: "too-large", Note: strings.Repeat("\x00", 1<<20),
	}, []byte(strings.Repeat("\xff", 64<<10)), "0a1b2c3d", w.now)
	text, err := sqsqueue.Encode(held)
	if err != nil || len(text) > 1<<20 {
		t.Fatalf("%d bytes, %v", len(text), err)
	}
	if got, err := sqsqueue.Decode(text); err != nil || got.Key != held.Key || len(got.Body) != 64<<10 {
		t.Errorf("decoded receipt differs: %d bytes, %v", len(got.Body), err)
	}
}
