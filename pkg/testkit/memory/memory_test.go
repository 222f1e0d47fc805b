package memory_test

import (
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/memory"
)

func TestStore_Contract(t *testing.T) { inboxtest.RunStore(t, newHarness) }

func TestQueue_Contract(t *testing.T) { inboxtest.RunQueue(t, newHarness) }

func TestStore_RepairContract(t *testing.T) { inboxtest.RunRepairs(t, newHarness) }

func TestStore_ReconcileContract(t *testing.T) { inboxtest.RunReconcile(t, newHarness) }

func TestAccounts_Contract(t *testing.T) {
	inboxtest.RunAccounts(t, func(*testing.T) reconcile.Accounts { return &memory.Accounts{} })
}

func newHarness(*testing.T) inboxtest.Harness {
	store := &memory.Store{}
	queue := &memory.Queue{Now: time.Now, Visibility: time.Minute, MaxReceives: 10}
	return inboxtest.Harness{
		Store:       store,
		Queue:       queue,
		DeadLetters: queue,
		Repairs:     store,
		Receipt: func(_ *testing.T, key inbox.Key) inbox.Receipt {
			for _, receipt := range store.Receipts() {
				if receipt.Key == key {
					return receipt
				}
			}
			return inbox.Receipt{}
		},
		Record:       func(_ *testing.T, id payout.ID) payout.Record { return store.Record(id) },
		DamageRecord: func(_ *testing.T, id payout.ID) { store.CorruptRecord(id) },
		ReceiveAll: func(*testing.T) []inbox.Receipt {
			var taken []inbox.Receipt
			for _, message := range queue.Deliver(1000) {
				taken = append(taken, message.Receipt)
				queue.Ack(message.Handle)
			}
			return taken
		},
		DeadLetter: func(_ *testing.T, receipt *inbox.Receipt) {
			if receipt == nil {
				queue.DeadLetter(inbox.DeadLetter{Unreadable: true})
				return
			}
			queue.DeadLetter(inbox.DeadLetter{Receipt: *receipt})
		},
	}
}

func TestQueue_MaxReceives(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	queue := &memory.Queue{Now: func() time.Time { return now }, Visibility: time.Minute, MaxReceives: 2}
	queue.SendUnreadable()
	for n := range 2 {
		if got := len(queue.Deliver(10)); got != 1 {
			t.Fatalf("delivery %d: got %d messages", n+1, got)
		}
		if got := len(queue.Deliver(10)); got != 0 {
			t.Fatalf("while it is hidden: got %d messages", got)
		}
		now = now.Add(time.Minute)
	}
	if got := len(queue.Deliver(10)); got != 0 {
		t.Errorf("a third time: got %d messages", got)
	}
	if live, dead := queue.Depth(); live != 0 || dead != 1 {
		t.Errorf("got %d live and %d dead, want it in the dead-letter queue", live, dead)
	}
}

func TestStore_InvalidKeyPanics(t *testing.T) {
	receipt := inbox.NewReceipt(payout.Event{ID: "cregis/payout/1/2", Status: payout.Succeeded}, nil, "", time.Now())
	receipt.Event.Amount = "2"
	defer func() {
		if recover() == nil {
			t.Error("a receipt with an invalid key was written")
		}
	}()
	_, _ = new(memory.Store).Create(t.Context(), receipt)
}
