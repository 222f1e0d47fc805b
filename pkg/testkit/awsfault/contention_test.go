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

// contentions are the errors for concurrent transactions that the SDK does not retry.
var contentions = map[string]awsfault.Fault{
	"the receipt":                         awsfault.Cancelled("TransactionConflict", "None"),
	"the payout":                          awsfault.Cancelled("None", "TransactionConflict"),
	"the payout, with a failed condition": awsfault.Cancelled("ConditionalCheckFailed", "TransactionConflict"),
	"the same transaction, still running": awsfault.InProgress,
}

func TestApply_Contention(t *testing.T) {
	t.Parallel()
	for name, fault := range contentions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.wantAccepted(w.receipt(1), inbox.AcceptedNew)
			w.db.Next(transact, fault, fault, fault)
			outcome, err := w.box.Apply(t.Context(), w.receipt(1))
			if err != nil || outcome != inbox.ApplyChanged {
				t.Errorf("got %q, %v, want changed after three retries", outcome, err)
			}
			if got := w.db.Attempts(transact); got != 4 {
				t.Errorf("%d attempts, want 4", got)
			}
			w.settle()
			w.wantApplied(1)
		})
	}
}

// The response of an applied transaction is lost, and its retry finds it running:
// both have the same token, so it is applied once.
func TestApply_ContentionWithItself(t *testing.T) {
	w := newWorld(t)
	w.wantAccepted(w.receipt(1), inbox.AcceptedNew)
	w.db.Next(transact, awsfault.Applied(awsfault.Cut), awsfault.InProgress, awsfault.Cancelled("TransactionConflict", "TransactionConflict"))
	if outcome, err := w.box.Apply(t.Context(), w.receipt(1)); err != nil || outcome != inbox.ApplyChanged {
		t.Errorf("got %q, %v, want changed", outcome, err)
	}
	w.settle()
	w.wantApplied(1)
}

func TestApply_EndlessContention(t *testing.T) {
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

func TestApply_ContentionAndContextEnds(t *testing.T) {
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
		t.Errorf("%d attempts, want 1", got)
	}
	w.settle()
	w.wantApplied(1)
}

// A second delivery can arrive while the consumer applies the first. The table works,
// so the receipt must neither count as accepted by the queue only, which raises an
// alarm, nor be answered with 503.
func TestAccept_Contention(t *testing.T) {
	w := newWorld(t)
	w.wantAccepted(w.receipt(1), inbox.AcceptedNew)
	w.db.Next(putItem, awsfault.InConflict, awsfault.InConflict)
	w.now = w.now.Add(time.Second)
	w.wantAccepted(w.receipt(1), inbox.AcceptedDuplicate)
	w.settle()
	w.wantApplied(1)
}

func TestSweep_Contention(t *testing.T) {
	w := newWorld(t)
	w.wantAccepted(w.receipt(1), inbox.AcceptedNew)
	w.now = w.now.Add(inbox.FirstDue)
	w.db.Next(updateItem, awsfault.InConflict)
	if result, err := w.box.Sweep(t.Context(), 10); err != nil || result.Resent != 1 {
		t.Errorf("got %+v, %v, want 1 resent", result, err)
	}
	w.settle()
	w.wantApplied(1)
}

// 32 consumers apply each of 200 events. Emulators never report a conflict, so every
// seventh transaction gets one.
func TestApply_ConcurrentConsumers(t *testing.T) {
	const consumers, events = 32, 200
	w := newWorld(t)
	w.db.Always(transact, awsfault.Sometimes(7, awsfault.Cancelled("None", "TransactionConflict")))
	receipts := make([]inbox.Receipt, events)
	for n := range receipts {
		receipts[n] = w.receipt(n)
		w.acknowledged = append(w.acknowledged, receipts[n].Key)
	}
	var applied [events]atomic.Int32
	var retries atomic.Int32
	started := time.Now()
	var running sync.WaitGroup
	for range consumers {
		running.Go(func() {
			for n, receipt := range receipts {
				outcome, err := w.box.Apply(t.Context(), receipt)
				for ; err != nil; outcome, err = w.box.Apply(t.Context(), receipt) {
					retries.Add(1) // as a redelivery of the queue
				}
				if outcome != inbox.ApplyDuplicate {
					applied[n].Add(1)
				}
			}
		})
	}
	running.Wait()
	t.Logf("%d applications of %d events in %s: %d transactions, %d redeliveries",
		consumers*events, events, time.Since(started).Round(time.Millisecond), w.db.Attempts(transact), retries.Load())
	for n := range applied {
		if got := applied[n].Load(); got != 1 {
			t.Errorf("event %d was applied by %d consumers, want 1", n, got)
		}
	}
	w.settle()
	w.wantApplied(events)
}
