package awsfault_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/testkit/awsfault"
)

// What DynamoDB says when transactions meet, and the SDK leaves to its caller.
var meetings = map[string]awsfault.Fault{
	"the receipt":                         awsfault.Cancelled("TransactionConflict", "None"),
	"the payout":                          awsfault.Cancelled("None", "TransactionConflict"),
	"the payout, and the receipt refused": awsfault.Cancelled("ConditionalCheckFailed", "TransactionConflict"),
	"the same transaction, still running": awsfault.InProgress,
}

func TestATransactionThatMeetsAnotherIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, fault := range meetings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.wantAccepted(w.receipt(1), inbox.AcceptedNew)
			w.db.Next(transact, fault, fault, fault)
			outcome, err := w.box.Apply(t.Context(), w.receipt(1))
			if err != nil || outcome != inbox.ApplyChanged {
				t.Errorf("got %q, %v, want it applied after three meetings", outcome, err)
			}
			if got := w.db.Attempts(transact); got != 4 {
				t.Errorf("%d attempts, want 4", got)
			}
			w.settle()
			w.wantApplied(1)
		})
	}
}

// The answer to the transaction that was applied is lost, and its repetition
// meets it running: the token of both is one, so that they are one.
func TestATransactionThatMeetsItselfIsAppliedOnce(t *testing.T) {
	w := newWorld(t)
	w.wantAccepted(w.receipt(1), inbox.AcceptedNew)
	w.db.Next(transact, awsfault.Applied(awsfault.Cut), awsfault.InProgress, awsfault.Cancelled("TransactionConflict", "TransactionConflict"))
	if outcome, err := w.box.Apply(t.Context(), w.receipt(1)); err != nil || outcome != inbox.ApplyChanged {
		t.Errorf("got %q, %v, want it applied", outcome, err)
	}
	w.settle()
	w.wantApplied(1)
}

func TestAnEndlessMeetingIsAnErrorAfterSixTries(t *testing.T) {
	w := newWorld(t)
	w.wantAccepted(w.receipt(1), inbox.AcceptedNew)
	w.db.Always(transact, awsfault.Cancelled("None", "TransactionConflict"))
	outcome, err := w.box.Apply(t.Context(), w.receipt(1))
	if cancelled, ok := errors.AsType[*types.TransactionCanceledException](err); !ok {
		t.Errorf("got %q, %v, want the cancellation", outcome, cancelled)
	}
	if got := w.db.Attempts(transact); got != 6 {
		t.Errorf("%d attempts, want 6", got)
	}
	w.settle()
	w.wantApplied(1)
}

func TestTheRetriesOfAMeetingEndWithTheContext(t *testing.T) {
	w := newWorld(t)
	w.wantAccepted(w.receipt(1), inbox.AcceptedNew)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.db.Always(transact, func(ctx context.Context, send awsfault.Send) (awsfault.Response, error) {
		cancel()
		return awsfault.Cancelled("None", "TransactionConflict")(ctx, send)
	})
	if outcome, err := w.box.Apply(ctx, w.receipt(1)); err == nil {
		t.Errorf("got %q, want an error", outcome)
	}
	if got := w.db.Attempts(transact); got != 1 {
		t.Errorf("%d attempts, want 1: nobody waits any more", got)
	}
	w.settle()
	w.wantApplied(1)
}

// A second delivery may come in the very moment in which the consumer applies
// the first. The table is well then: neither may the receipt count as accepted
// by the queue alone, which calls a person, nor may it be told to come again.
func TestAPutThatMeetsATransactionIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.wantAccepted(w.receipt(1), inbox.AcceptedNew)
	w.db.Next(putItem, awsfault.InConflict, awsfault.InConflict)
	w.now = w.now.Add(time.Second)
	w.wantAccepted(w.receipt(1), inbox.AcceptedDuplicate)
	w.settle()
	w.wantApplied(1)
}

func TestAClaimThatMeetsATransactionIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.wantAccepted(w.receipt(1), inbox.AcceptedNew)
	w.now = w.now.Add(inbox.FirstDue)
	w.db.Next(updateItem, awsfault.InConflict)
	if result, err := w.box.Sweep(t.Context(), 10); err != nil || result.Resent != 1 {
		t.Errorf("got %+v, %v, want it sent", result, err)
	}
	w.settle()
	w.wantApplied(1)
}

// Emulators never report a conflict, so every seventh transaction is made to
// meet one besides those that meet by themselves.
func TestThirtyTwoConsumersApplyEachOfTwoHundredEventsOnce(t *testing.T) {
	const consumers, events = 32, 200
	w := newWorld(t)
	w.db.Always(transact, awsfault.Sometimes(7, awsfault.Cancelled("None", "TransactionConflict")))
	receipts := make([]inbox.Receipt, events)
	for n := range receipts {
		receipts[n] = w.receipt(n)
		w.acknowledged = append(w.acknowledged, receipts[n].Key)
	}
	var applied [events]atomic.Int32
	var again atomic.Int32
	started := time.Now()
	var running sync.WaitGroup
	for range consumers {
		running.Go(func() {
			for n, receipt := range receipts {
				outcome, err := w.box.Apply(t.Context(), receipt)
				for ; err != nil; outcome, err = w.box.Apply(t.Context(), receipt) {
					again.Add(1) // the queue would deliver it again
				}
				if outcome != inbox.ApplyDuplicate {
					applied[n].Add(1)
				}
			}
		})
	}
	running.Wait()
	t.Logf("%d applications of %d events in %s: %d transactions, %d deliveries more",
		consumers*events, events, time.Since(started).Round(time.Millisecond), w.db.Attempts(transact), again.Load())
	for n := range applied {
		if got := applied[n].Load(); got != 1 {
			t.Errorf("event %d was applied by %d consumers, want 1", n, got)
		}
	}
	w.settle()
	w.wantApplied(events)
}
