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

// Names of the operations, as the SDK has them.
const (
	putItem     = "PutItem"
	transact    = "TransactWriteItems"
	updateItem  = "UpdateItem"
	query       = "Query"
	sendReceipt = "SendMessage"
	sendMany    = "SendMessageBatch"
)

// passing are the faults that the SDK outlives by trying again.
var passing = map[string]awsfault.Fault{
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

// lasting are faults in every attempt.
func lasting() map[string]awsfault.Fault {
	all := map[string]awsfault.Fault{"denied": awsfault.Denied}
	maps.Copy(all, passing)
	maps.Copy(all, throttling)
	return all
}

func TestAPassingFaultOfTheTableIsOutlived(t *testing.T) {
	t.Parallel()
	for name, fault := range passing {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for n, receipt := range []inbox.Receipt{w.receipt(1), w.held()} {
				w.db.Next(putItem, fault)
				// After a commit the second attempt meets the first: its own receipt.
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

// While DynamoDB is down, each attempt ends one way or another; the queue takes
// the receipt, whole.
func TestALastingFaultOfTheTableIsNoSuccess(t *testing.T) {
	t.Parallel()
	faults := lasting()
	faults["in conflict"] = awsfault.InConflict
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.db.Always("", fault)
			w.accept(w.receipt(1)) // as what, depends on whether a put got through
			w.accept(w.held())
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if outcome, err := w.box.Apply(ctx, w.receipt(1)); err == nil {
				t.Errorf("apply: got %q, want an error: no attempt had an answer", outcome)
			}
			w.settle()
			w.wantApplied(1)
		})
	}
}

func TestAThrottledTableIsWaitedFor(t *testing.T) {
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

func TestATransactionThatIsNotAnsweredIsAnErrorAndAppliedOnce(t *testing.T) {
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
				t.Errorf("got %q, %v, want the deadline's error", outcome, err)
			}
			w.settle()
			w.wantApplied(1)
		})
	}
}

// A put that hangs does not use up the time of the send. How long each takes is
// held in pkg/lambda/functions, under a virtual clock.
func TestAPutThatIsNotAnsweredLeavesTimeForTheQueue(t *testing.T) {
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

func TestBothHangingIsAnError(t *testing.T) {
	w := newWorld(t)
	w.db.Always(putItem, awsfault.Hang)
	w.queues.Always(sendReceipt, awsfault.Hang)
	w.refused(w.receipt(1))
	w.settle()
	w.wantApplied(0)
}

// What the sweeper asks the table fails: nothing is skipped for good.
func TestASweepUnderFaultsLosesNothing(t *testing.T) {
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
					t.Errorf("swept %+v without an error", result)
				}
				w.settle()
				w.wantApplied(12)
			})
		}
	}
}

// wantApplied checks how many receipts were applied, as their records count them.
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
