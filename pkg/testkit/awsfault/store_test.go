package awsfault_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/testkit/awsfault"
)

// Names of operations in the SDK.
const (
	putItem     = "PutItem"
	transact    = "TransactWriteItems"
	updateItem  = "UpdateItem"
	query       = "Query"
	sendReceipt = "SendMessage"
	sendMany    = "SendMessageBatch"
)

// temporary are the faults that a retry of the SDK resolves.
var temporary = map[string]awsfault.Fault{
	"500":                    awsfault.ServerError,
	"503":                    awsfault.Unavailable,
	"connection cut":         awsfault.Cut,
	"no answer":              awsfault.Late,
	"500 after commit":       awsfault.Applied(awsfault.ServerError),
	"cut after commit":       awsfault.Applied(awsfault.Cut),
	"no answer after commit": awsfault.Applied(awsfault.Late),
}

// throttling are faults after which the SDK waits for up to a second.
var throttling = map[string]awsfault.Fault{"throttled": awsfault.Throttled, "over capacity": awsfault.OverCapacity}

// permanent returns faults for every attempt.
func permanent() map[string]awsfault.Fault {
	all := map[string]awsfault.Fault{"denied": awsfault.Denied}
	maps.Copy(all, temporary)
	maps.Copy(all, throttling)
	return all
}

func TestAccept_StoreFailsOnce(t *testing.T) {
	t.Parallel()
	for name, fault := range temporary {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for n, receipt := range []inbox.Receipt{w.receipt(1), w.held()} {
				w.db.Next(putItem, fault)
				// After a commit, the second attempt finds the receipt of the first.
				if accepted := w.accept(receipt); accepted.Acceptance != inbox.AcceptedNew {
					t.Errorf("receipt %d: accepted as %q (%v)", n, accepted.Acceptance, accepted.Fault)
				}
			}
			w.db.Next(transact, fault)
			w.consume()
			if got := w.db.Attempts(transact); got != 2 {
				t.Errorf("%d attempts of the transaction, want 2", got)
			}
			w.settle()
			w.wantApplied(1)
		})
	}
}

// While DynamoDB is down, the queue gets the whole receipt.
func TestAccept_StoreDown(t *testing.T) {
	t.Parallel()
	faults := permanent()
	faults["in conflict"] = awsfault.InConflict
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.db.Always("", fault)
			w.accept(w.receipt(1)) // the acceptance depends on whether a put was applied
			w.accept(w.held())
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if outcome, err := w.box.Apply(ctx, w.receipt(1)); err == nil {
				t.Errorf("apply: got %q, want an error: no attempt had a response", outcome)
			}
			w.settle()
			w.wantApplied(1)
		})
	}
}

func TestAccept_StoreThrottled(t *testing.T) {
	t.Parallel()
	for name, fault := range throttling {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.db.Next(putItem, fault)
			w.wantAccepted(w.receipt(1), inbox.AcceptedNew)
			w.db.Next(transact, fault)
			w.settle()
			w.wantApplied(1)
		})
	}
}

func TestApply_TransactionHangs(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]awsfault.Fault{
		"not applied": awsfault.Hang,
		"applied":     awsfault.Applied(awsfault.Hang),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.wantAccepted(w.receipt(1), inbox.AcceptedNew)
			w.db.Always(transact, fault)
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			if outcome, err := w.box.Apply(ctx, w.receipt(1)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %q, %v, want DeadlineExceeded", outcome, err)
			}
			w.settle()
			w.wantApplied(1)
		})
	}
}

// A put that hangs leaves time for the send. Tests in pkg/lambda/functions check the
// times with a virtual clock.
func TestAccept_PutHangs(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]awsfault.Fault{
		"not applied": awsfault.Hang,
		"applied":     awsfault.Applied(awsfault.Hang),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.db.Always(putItem, fault)
			w.wantAccepted(w.receipt(1), inbox.AcceptedQueueOnly)
			w.settle()
			w.wantApplied(1)
		})
	}
}

func TestAccept_StoreAndQueueHang(t *testing.T) {
	w := newWorld(t)
	w.db.Always(putItem, awsfault.Hang)
	w.queues.Always(sendReceipt, awsfault.Hang)
	w.wantAcceptError(w.receipt(1))
	w.settle()
	w.wantApplied(0)
}

// If requests of the sweeper fail, no receipt is lost.
func TestSweep_StoreDown(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{query, updateItem} {
		for name, fault := range map[string]awsfault.Fault{
			"down":              awsfault.Denied,
			"down after commit": awsfault.Applied(awsfault.Denied),
		} {
			t.Run(operation+" "+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.queues.Always(sendReceipt, awsfault.Denied)
				for n := range 12 {
					w.wantAccepted(w.receipt(n), inbox.AcceptedStoreOnly)
				}
				w.queues.Stop()
				w.now = w.now.Add(inbox.FirstDue)
				w.db.Always(operation, fault)
				if result, err := w.box.Sweep(t.Context(), 100); err == nil {
					t.Errorf("got %+v, want an error", result)
				}
				w.settle()
				w.wantApplied(12)
			})
		}
	}
}

// wantApplied checks the number of applied receipts, which is the sum of versions.
func (w *world) wantApplied(want int64) {
	w.Helper()
	var got int64
	for _, record := range w.state().Records {
		got += record.Version
	}
	if got != want {
		w.Errorf("%d receipts are applied, want %d", got, want)
	}
}
