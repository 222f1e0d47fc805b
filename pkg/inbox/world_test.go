package inbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/memory"
)

var errDown = errors.New("down")

// world is an inbox with stores in memory that can be taken down, a consumer and a
// clock that the test sets.
type world struct {
	*testing.T
	now          time.Time
	store        *memory.Store
	queue        *memory.Queue
	box          *inbox.Inbox
	storeDown    bool
	sendDown     bool
	refuse       func(inbox.Receipt) error // returns the queue's error for a receipt; nil if it takes all
	puts, sends  int
	transactions int
	acknowledged []inbox.Key
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), store: &memory.Store{}}
	now := func() time.Time { return w.now }
	w.queue = &memory.Queue{Now: now, Visibility: 3 * time.Minute, MaxReceives: 10}
	w.box = &inbox.Inbox{Store: faultyStore{w.store, w}, Queue: faultyQueue{w.queue, w}, DeadLetters: w.queue, Now: now}
	return w
}

type faultyStore struct {
	*memory.Store
	w *world
}

func (s faultyStore) Create(ctx context.Context, r inbox.Receipt) (inbox.Existing, error) {
	s.w.puts++
	if s.w.storeDown {
		return inbox.Existing{}, errDown
	}
	return s.Store.Create(ctx, r)
}

func (s faultyStore) Apply(ctx context.Context, c inbox.Change) (*inbox.ConditionFailed, error) {
	s.w.transactions++
	if s.w.storeDown {
		return nil, errDown
	}
	return s.Store.Apply(ctx, c)
}

func (s faultyStore) Due(ctx context.Context, now time.Time, limit int) ([]inbox.DueReceipt, error) {
	if s.w.storeDown {
		return nil, errDown
	}
	return s.Store.Due(ctx, now, limit)
}

type faultyQueue struct {
	*memory.Queue
	w *world
}

func (q faultyQueue) Send(ctx context.Context, receipts ...inbox.Receipt) error {
	q.w.sends++
	if q.w.sendDown {
		return errDown
	}
	if q.w.refuse == nil {
		return q.Queue.Send(ctx, receipts...)
	}
	refused := inbox.SendError{}
	for i, receipt := range receipts {
		if err := q.w.refuse(receipt); err != nil {
			refused[i] = err
		} else if err := q.Queue.Send(ctx, receipt); err != nil {
			return err
		}
	}
	return refused.ErrorOrNil()
}

func (w *world) accept(r inbox.Receipt) inbox.AcceptResult {
	w.Helper()
	accepted, err := w.box.Accept(w.Context(), r)
	if err != nil {
		w.Fatal(err)
	}
	w.acknowledged = append(w.acknowledged, r.Key)
	w.check(false)
	return accepted
}

// consume delivers all visible messages once, as the consumer would.
func (w *world) consume() {
	w.Helper()
	for _, message := range w.queue.Deliver(100) {
		if message.Unreadable {
			w.queue.Nack(message.Handle, 0)
			continue
		}
		if _, err := w.box.Apply(w.Context(), message.Receipt); err != nil {
			w.queue.Nack(message.Handle, 30*time.Second)
			continue
		}
		w.queue.Ack(message.Handle)
	}
	w.check(false)
}

func (w *world) sweep() inbox.SweepResult {
	w.Helper()
	result, err := w.box.Sweep(w.Context(), 100)
	if err != nil {
		w.Fatal(err)
	}
	w.check(false)
	return result
}

func (w *world) check(settled bool) {
	w.Helper()
	state := inboxtest.State{Receipts: w.store.Receipts(), Records: w.store.Records()}
	for _, message := range w.queue.Messages() {
		if !message.Unreadable {
			state.Queued = append(state.Queued, message.Receipt)
		}
	}
	for _, wrong := range inboxtest.Check(state, w.acknowledged, settled) {
		w.Errorf("%s\n%s", wrong, state.Dump())
	}
}

func (w *world) receipt(status payout.Status, edit ...func(*payout.Event)) inbox.Receipt {
	e := payout.Event{ID: "cregis/payout/1382528827416576/1391751691788288", Status: status, Amount: "1.1"}
	for _, item := range edit {
		item(&e)
	}
	return inbox.NewReceipt(e, []byte("{}"), "0a1b2c3d", w.now)
}

func (w *world) held() inbox.Receipt {
	return inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "cregis", Type: payout.TypePayout, Account: "1", Subject: []byte("s"), Reason: "unknown-status"},
		[]byte("{}"), "0a1b2c3d", w.now)
}

func (w *world) wantStatus(want payout.Status) {
	w.Helper()
	if got := w.store.Record(w.receipt(payout.Succeeded).Event.ID).Status(); got != want {
		w.Errorf("payout: got %q, want %q", got, want)
	}
}

func (w *world) wantCalls(puts, sends, transactions int) {
	w.Helper()
	if w.puts != puts || w.sends != sends || w.transactions != transactions {
		w.Errorf("got %d puts, %d sends and %d transactions, want %d, %d and %d",
			w.puts, w.sends, w.transactions, puts, sends, transactions)
	}
	w.puts, w.sends, w.transactions = 0, 0, 0
}
