package repair_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/repair"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/memory"
)

var (
	noon     = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	payoutID = payout.NewID("cregis", payout.TypePayout, "7", "1", "")
	alice    = inbox.NewChangedBy("alice", "why", noon)
)

// world is a store and a queue in memory.
type world struct {
	*testing.T
	store *memory.Store
	queue *memory.Queue
	now   time.Time
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, store: &memory.Store{}, now: noon}
	w.queue = &memory.Queue{Now: func() time.Time { return w.now }, Visibility: time.Minute, MaxReceives: 10}
	return w
}

// repairs returns the repairs of one run of payoutctl. Decide, which may be nil,
// returns the fault of each call.
func (w *world) repairs(decide func(call string) inboxtest.Fault) *repair.Repairs {
	if decide == nil {
		decide = func(string) inboxtest.Fault { return inboxtest.None }
	}
	process := &inboxtest.Process{Store: w.store, Queue: w.queue, DeadLetters: w.queue, Decide: decide}
	return &repair.Repairs{
		Store: faultyStore{w.store, process}, Inbox: process.Inbox(func() time.Time { return w.now }),
	}
}

// faultyStore is a repair.Store with the faults of a process.
type faultyStore struct {
	*memory.Store

	p *inboxtest.Process
}

func (f faultyStore) Receipt(ctx context.Context, key inbox.Key) (receipt inbox.Receipt, ok bool, err error) {
	err = f.p.Call(ctx, "Receipt", func() (err error) { receipt, ok, err = f.Store.Receipt(ctx, key); return err })
	return receipt, ok, err
}

func (f faultyStore) StoredPayout(ctx context.Context, id payout.ID) (stored inbox.StoredPayout, err error) {
	err = f.p.Call(ctx, "StoredPayout", func() (err error) { stored, err = f.Store.StoredPayout(ctx, id); return err })
	return stored, err
}

func (f faultyStore) ReceiptsOf(ctx context.Context, id payout.ID) iter.Seq2[inbox.Receipt, error] {
	receipts := f.Store.ReceiptsOf(ctx, id)
	if err := f.p.Call(ctx, "ReceiptsOf", func() error { return nil }); err != nil {
		return func(yield func(inbox.Receipt, error) bool) { yield(inbox.Receipt{}, err) }
	}
	return receipts
}

func (f faultyStore) Close(ctx context.Context, closed inbox.Receipt) (before inbox.State, err error) {
	err = f.p.Call(ctx, "Close", func() (err error) { before, err = f.Store.Close(ctx, closed); return err })
	return before, err
}

func (f faultyStore) Rewrite(ctx context.Context, record payout.Record, read inbox.StoredPayout, changedBy inbox.ChangedBy) (written bool, err error) {
	err = f.p.Call(ctx, "Rewrite", func() (err error) { written, err = f.Store.Rewrite(ctx, record, read, changedBy); return err })
	return written, err
}

func event(status payout.Status, height uint64) payout.Event {
	return payout.Event{ID: payoutID, Status: status, Amount: "1.1", BlockHeight: height}
}

func (w *world) received(e payout.Event) inbox.Receipt {
	return inbox.NewReceipt(e, []byte("a body"), "0a1b2c3d", noon)
}

func (w *world) held() inbox.Receipt {
	return inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "cregis", Type: payout.TypePayout, Account: "7", Subject: []byte("s"), Reason: "unknown-status",
	}, []byte("a body"), "0a1b2c3d", noon)
}

// acceptAndApply accepts receipts, and applies what is in the queue.
func (w *world) acceptAndApply(receipts ...inbox.Receipt) {
	w.Helper()
	repairs := w.repairs(nil)
	for _, receipt := range receipts {
		if _, err := repairs.Inbox.Accept(w.Context(), receipt); err != nil {
			w.Fatal(err)
		}
	}
	w.consume()
}

// consume applies what is in the queue.
func (w *world) consume() {
	w.Helper()
	repairs := w.repairs(nil)
	for _, message := range w.queue.Deliver(100) {
		if _, err := repairs.Inbox.Apply(w.Context(), message.Receipt); err != nil {
			w.Fatal(err)
		}
		w.queue.Ack(message.Handle)
	}
}

// settle runs the consumer and the sweeper, and then checks the invariants.
func (w *world) settle() {
	w.Helper()
	repairs := w.repairs(nil)
	for range 2 {
		w.consume()
		w.now = w.now.Add(time.Hour)
		if _, err := repairs.Inbox.Sweep(w.Context(), 100); err != nil {
			w.Fatal(err)
		}
	}
	w.consume()
	state := inboxtest.State{Receipts: w.store.Receipts(), Records: w.store.Records()}
	for _, violation := range inboxtest.Check(state, nil, true) {
		w.Errorf("%s\n%s", violation, state.Dump())
	}
}

func (w *world) state(key inbox.Key) inbox.State {
	receipt, _, _ := w.store.Receipt(w.Context(), key)
	return receipt.State
}
