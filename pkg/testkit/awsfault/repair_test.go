package awsfault_test

import (
	"testing"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/repair"
	"payout-callbacks/pkg/payout"
)

// repairs returns the operations of an operator, through the client with the faults.
func (w *world) repairs() *repair.Repairs {
	reader := dynamostore.Reader{Client: w.store.Client, Receipts: w.store.Receipts, Payouts: w.store.Payouts}
	return &repair.Repairs{Store: &dynamostore.Editor{Reader: reader}, Inbox: w.box}
}

func (w *world) changedBy() inbox.ChangedBy { return inbox.NewChangedBy("alice", "why", w.now) }

// A release succeeds also if its second attempt finds what the first one wrote.
func TestRelease_TemporaryFault(t *testing.T) {
	t.Parallel()
	for name, fault := range temporary {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.accept(w.held())
			w.db.Next(putItem, fault)
			w.db.Next(updateItem, fault)
			outcome, err := w.repairs().Release(t.Context(), w.held(), w.receipt(1), w.changedBy())
			if err != nil || outcome != repair.Released {
				t.Errorf("%s, %v, want released", outcome, err)
			}
			w.settle()
			w.wantApplied(1)
		})
	}
}

// A failed release loses nothing and can be run again.
func TestRelease_RunAgain(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{putItem, updateItem, sendReceipt} {
		for name, fault := range permanent() {
			t.Run(operation+"/"+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.accept(w.held())
				layer := w.db
				if operation == sendReceipt {
					layer = w.queues
				}
				layer.Always(operation, fault)
				outcome, err := w.repairs().Release(t.Context(), w.held(), w.receipt(1), w.changedBy())
				if (err == nil) != (operation == sendReceipt) {
					t.Errorf("%s, %v", outcome, err)
				}
				layer.Stop()
				outcome, err = w.repairs().Release(t.Context(), w.held(), w.receipt(1), w.changedBy())
				if err != nil || outcome != repair.Released && outcome != repair.Moved {
					t.Errorf("run again: %s, %v", outcome, err)
				}
				w.settle()
				w.wantApplied(1)
			})
		}
	}
}

func TestRebuild_TemporaryFault(t *testing.T) {
	t.Parallel()
	for name, fault := range temporary {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.accept(w.receipt(1))
			w.consume()
			id := w.receipt(1).Event.ID
			repairs := w.repairs()
			read, err := repairs.Store.StoredPayout(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			damaged := read.Record
			damaged.Progress = payout.Delayed
			if done, err := repairs.Store.Rewrite(t.Context(), damaged, read, w.changedBy()); err != nil || !done {
				t.Fatal(done, err)
			}
			w.db.Next(putItem, fault)
			plan, err := repairs.Rebuild(t.Context(), id, w.changedBy())
			if err != nil || plan.Verdict != repair.Differs {
				t.Errorf("%s, %v", plan.Verdict, err)
			}
			w.settle()
		})
	}
}
