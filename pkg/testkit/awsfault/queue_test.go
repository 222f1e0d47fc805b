package awsfault_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/testkit/awsfault"
)

func TestAccept_QueueFailsOnce(t *testing.T) {
	t.Parallel()
	for name, fault := range temporary {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.queues.Next(sendReceipt, fault)
			w.wantAccepted(w.receipt(1), inbox.AcceptedNew)
			if got := w.queues.Attempts(sendReceipt); got != 2 {
				t.Errorf("%d attempts, want 2", got)
			}
			w.settle()
			w.wantApplied(1)
		})
	}
}

func TestAccept_QueueDown(t *testing.T) {
	t.Parallel()
	faults := permanent()
	faults["hangs"], faults["hangs after commit"] = awsfault.Hang, awsfault.Applied(awsfault.Hang)
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.queues.Always(sendReceipt, fault)
			w.wantAccepted(w.receipt(1), inbox.AcceptedStoreOnly)
			w.settle()
			w.wantApplied(1)
		})
	}
}

func TestAccept_StoreAndQueueDown(t *testing.T) {
	t.Parallel()
	for name, fault := range permanent() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.db.Always("", awsfault.Denied)
			w.queues.Always("", fault)
			w.wantAcceptError(w.receipt(1))
			w.wantAcceptError(w.held())
			w.settle() // a message that was reported as failed may have been sent: it is applied once
		})
	}
}

// The sweeper claims ten receipts, and sends them in one request.
func TestSweep_PartialBatch(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		begin func(*world)
		sent  int
	}{
		"some sent":              {func(*world) {}, 4 + 2}, // of ten, and of two
		"500":                    {func(w *world) { w.queues.Always(sendMany, awsfault.ServerError) }, 0},
		"all sent, no response":  {func(w *world) { w.queues.Always(sendMany, awsfault.Applied(awsfault.Late)) }, 0},
		"none sent, no response": {func(w *world) { w.queues.Always(sendMany, awsfault.Late) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, awsfault.PartialBatch(4))
			w.queues.Always(sendReceipt, awsfault.Denied)
			for n := range 12 {
				w.wantAccepted(w.receipt(n), inbox.AcceptedStoreOnly)
			}
			w.queues.Stop()
			w.now = w.now.Add(inbox.FirstDue)
			test.begin(w)
			if result, err := w.box.Sweep(t.Context(), 100); err == nil || result.Resent != test.sent {
				t.Errorf("got %+v, %v, want an error and %d resent", result, err, test.sent)
			}
			w.queues.Stop()
			w.sweepUntilSent(12)
			w.settle()
			w.wantApplied(12)
		})
	}
}

// sweepUntilSent sweeps every hour: the queue still accepts four messages of a batch.
func (w *world) sweepUntilSent(receipts int) {
	w.Helper()
	for range receipts {
		w.consume()
		w.now = w.now.Add(time.Hour)
		_, _ = w.box.Sweep(w.Context(), 100) // fails as long as a batch has more than four
	}
}

func TestSweep_DeadLetterStoreDown(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]awsfault.Fault{
		"the put fails":                   awsfault.Denied,
		"the put is applied, no response": awsfault.Applied(awsfault.Denied),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.deadLetter(w.receipt(1))
			w.db.Always(putItem, fault)
			if result, err := w.box.Sweep(t.Context(), 10); err == nil || result.Recovered != 0 {
				t.Errorf("got %+v, %v, want an error", result, err)
			}
			if got := w.deadLetters(); got != 1 {
				t.Errorf("%d dead letters, want 1", got)
			}
		})
	}
}

func TestSweep_DeadLetterDeleteFails(t *testing.T) {
	w := newWorld(t)
	w.deadLetter(w.receipt(1))
	w.queues.Always("DeleteMessage", awsfault.Denied)
	if result, err := w.box.Sweep(t.Context(), 10); err == nil || result.Recovered != 0 {
		t.Errorf("got %+v, %v, want an error", result, err)
	}
	w.queues.Stop()
	w.deadLetter(w.receipt(1)) // as if it were visible again
	w.settle()
	w.wantApplied(1)
}

func (w *world) deadLetter(r inbox.Receipt) {
	w.Helper()
	text, err := sqsqueue.Encode(r)
	if err != nil {
		w.Fatal(err)
	}
	if _, err := w.directQueues.SendMessage(w.Context(), &sqs.SendMessageInput{QueueUrl: &w.queue.DeadLettersURL, MessageBody: &text}); err != nil {
		w.Fatal(err)
	}
	w.acknowledged = append(w.acknowledged, r.Key)
}

// deadLetters counts the dead-letter messages, visible or in flight.
func (w *world) deadLetters() int {
	w.Helper()
	out, err := w.directQueues.GetQueueAttributes(w.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &w.queue.DeadLettersURL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		w.Fatal(err)
	}
	total := 0
	for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"} {
		count, err := strconv.Atoi(out.Attributes[name])
		if err != nil {
			w.Fatal(err)
		}
		total += count
	}
	return total
}
