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

func TestAClockThatJumpsBackLosesNothing(t *testing.T) {
	w := newWorld(t)
	w.accept(w.receipt(payout.Succeeded))
	w.queue.DropAll()
	w.now = w.now.Add(inbox.FirstDue)
	accepted := w.now
	w.now = w.now.Add(-24 * time.Hour)
	if result := w.sweep(); result.Due != 0 {
		t.Errorf("a day before: %+v", result)
	}
	w.accept(w.receipt(payout.Failed)) // told by a machine whose clock is a day behind
	w.queue.DropAll()
	w.now = w.now.Add(inbox.FirstDue)
	if r := w.sweep(); r.Resent != 1 {
		t.Errorf("what is due on that clock: %+v", r)
	}
	w.now = accepted
	if item := w.sweep(); item.Resent != 2 {
		t.Errorf("once the clock is right: %+v, want both sent", item)
	}
	w.consume()
	w.wantStatus(payout.Conflicted)
	w.check(true)
}

// A claim under a clock that is behind must not move a receipt into the past
// or far ahead: it is due again within the usual time.
func TestAClaimUnderAClockThatJumpedBackIsDueSoon(t *testing.T) {
	w := newWorld(t)
	ahead := *w.box
	ahead.Now = func() time.Time { return w.now.Add(24 * time.Hour) }
	w.accept(w.receipt(payout.Succeeded))
	w.queue.DropAll()
	if result, err := ahead.Sweep(t.Context(), 10); err != nil || result.Resent != 1 {
		t.Fatalf("under a clock that is a day ahead: %+v, %v", result, err)
	}
	w.queue.DropAll()
	w.now = w.now.Add(25 * time.Hour)
	if r := w.sweep(); r.Resent != 1 {
		t.Errorf("a day and an hour later: %+v, want it sent", r)
	}
	w.consume()
	w.check(true)
}

// batchOf is what Lambda would hand over of these receipts.
func batchOf(t *testing.T, receipts ...inbox.Receipt) events.SQSEvent {
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

func TestTheSameEventTwiceInOneBatchIsAppliedOnce(t *testing.T) {
	for range 100 { // side by side, in whatever order
		w := newWorld(t)
		receipt := w.receipt(payout.Succeeded)
		w.accept(receipt)
		c := &consumer.Consumer{Inbox: w.box, Queue: noPostponing{}}
		w.box.Store = w.store // the counters of the other one are not for many
		deliveries := c.Consume(t.Context(), batchOf(t, receipt, receipt, receipt))
		if failures := consumer.Response(deliveries).BatchItemFailures; len(failures) != 0 {
			t.Fatalf("failures: %v", failures)
		}
		if got := w.store.Record(receipt.Event.ID).Version; got != 1 {
			t.Fatalf("version: got %d, want 1", got)
		}
		w.check(true)
	}
}

// The consumer's time ends in the middle of a batch: what was done is done,
// the rest is named as not done, and is applied once when it comes back.
func TestTheConsumersTimeoutInTheMiddleOfABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		done, hung := w.receipt(payout.Delayed), w.receipt(payout.Succeeded)
		w.accept(done)
		w.accept(hung)
		w.box.Store = hangingStore{w.store, hung.Key}
		c := &consumer.Consumer{Inbox: w.box, Queue: noPostponing{}}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		deliveries := c.Consume(ctx, batchOf(t, done, hung))
		failures := consumer.Response(deliveries).BatchItemFailures
		if ctx.Err() != nil || len(failures) != 1 || failures[0].ItemIdentifier != "b" {
			t.Errorf("failures: got %v, %v, want the second alone, in time", failures, ctx.Err())
		}
		w.box.Store = w.store
		w.consume() // both are still in the queue: Lambda deleted neither
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

// A receipt that a person deletes while its message is on its way comes back
// with the message, which is whole.
func TestAReceiptDeletedByHandBetweenAcceptAndApply(t *testing.T) {
	w := newWorld(t)
	receipt := w.receipt(payout.Succeeded)
	w.accept(receipt)
	w.store.DeleteReceipt(receipt.Key)
	w.now = w.now.Add(time.Hour)
	w.sweep() // and a sweep in between finds nothing to stumble over
	w.consume()
	w.wantStatus(payout.Succeeded)
	w.check(true)
}

// A message of 1 MiB, SQS's own bound, is no message of ours: it goes to the
// dead letters and stays there for a person, and its neighbours are applied.
func TestAMessageOfAMebibyteIsLeftForAPerson(t *testing.T) {
	w := newWorld(t)
	receipt := w.receipt(payout.Succeeded)
	w.accept(receipt)
	batch := batchOf(t, receipt, receipt)
	batch.Records[1].Body = strings.Repeat("x", 1<<20)
	c := &consumer.Consumer{Inbox: w.box, Queue: noPostponing{}}
	deliveries := c.Consume(t.Context(), batch)
	failures := consumer.Response(deliveries).BatchItemFailures
	if len(failures) != 1 || failures[0].ItemIdentifier != "b" || !deliveries[1].Unreadable {
		t.Errorf("failures: got %v, want the large one, as foreign", failures)
	}
	if err := deliveries[1].Err; err == nil || len(err.Error()) > 200 {
		t.Errorf("the error must not hold the text: %d bytes", len(err.Error()))
	}
	w.wantStatus(payout.Succeeded)
}

// The largest receipt that an ingress can make travels whole within SQS's
// bound, whatever bytes it is of.
func TestTheLargestReceiptFitsIntoAMessage(t *testing.T) {
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
		t.Errorf("it does not come back whole: %d bytes, %v", len(got.Body), err)
	}
}
