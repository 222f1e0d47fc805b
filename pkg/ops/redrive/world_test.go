package redrive_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/redrive"
	"payout-callbacks/pkg/payout"
)

var start = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// world is a dead-letter queue, the events queue and the receipts, with faults.
type world struct {
	mu       sync.Mutex
	now      time.Time
	messages map[string]*deadLetter
	events   []redrive.Message
	receipts map[inbox.Key]inbox.State
	fault    func(call string) (before, after error)
	calls    int
}

type deadLetter struct {
	redrive.Message

	visibleAt time.Time
}

func newWorld() *world {
	return &world{now: start, messages: map[string]*deadLetter{}, receipts: map[inbox.Key]inbox.State{}}
}

func (w *world) put(id, body string) {
	w.messages[id] = &deadLetter{redrive.Message{ID: id, Body: body, Group: "g-" + id, Trace: "t-" + id, SentAt: w.now}, time.Time{}}
}

// call makes a call, with the fault of the test.
func (w *world) call(name string, do func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	var before, after error
	if w.fault != nil {
		before, after = w.fault(name)
	}
	if before != nil {
		return before
	}
	if err := do(); err != nil {
		return err
	}
	return after
}

func (w *world) Receive(context.Context) (out []redrive.Message, err error) {
	err = w.call("receive", func() error {
		for _, id := range slices.Sorted(maps.Keys(w.messages)) {
			l := w.messages[id]
			if len(out) < 3 && !l.visibleAt.After(w.now) {
				l.visibleAt = w.now.Add(redrive.VisibilityTimeout)
				l.Receives++
				l.Handle = fmt.Sprintf("%s#%d", id, l.Receives)
				out = append(out, l.Message)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (w *world) Send(_ context.Context, message redrive.Message) error {
	return w.call("send", func() error {
		w.events = append(w.events, message)
		return nil
	})
}

func (w *world) Delete(_ context.Context, message redrive.Message) error {
	return w.call("delete", func() error {
		if l := w.messages[message.ID]; l != nil && l.Handle == message.Handle {
			delete(w.messages, message.ID)
		}
		return nil
	})
}

func (w *world) Return(_ context.Context, message redrive.Message) error {
	return w.call("return", func() error {
		l := w.messages[message.ID]
		if l == nil || l.Handle != message.Handle {
			return errors.New("not in flight")
		}
		l.visibleAt = w.now
		return nil
	})
}

func (w *world) Receipt(_ context.Context, key inbox.Key) (receipt inbox.Receipt, ok bool, err error) {
	err = w.call("receipt", func() error {
		state, exists := w.receipts[key]
		if state == "damaged" {
			return inbox.ErrDamagedReceipt
		}
		receipt, ok = inbox.Receipt{Key: key, State: state}, exists
		return nil
	})
	return receipt, ok || errors.Is(err, inbox.ErrDamagedReceipt), err
}

func (w *world) redriver() *redrive.Redriver { return &redrive.Redriver{Queue: w, Receipts: w} }

// encode returns the message body and the key of a receipt with the number.
func encode(t testing.TB, n int) (string, inbox.Key) {
	t.Helper()
	receipt := inbox.NewReceipt(payout.Event{
		ID: payout.NewID("cregis", payout.TypePayout, "7", fmt.Sprint(n), ""), Status: payout.Succeeded, Amount: "1",
	}, []byte("{}"), "0a1b2c", start)
	text, err := sqsqueue.Encode(receipt)
	if err != nil {
		t.Fatal(err)
	}
	return text, receipt.Key
}

// newMixedWorld returns a queue with messages of every cause.
func newMixedWorld(t testing.TB) *world {
	t.Helper()
	w := newWorld()
	for n, state := range []inbox.State{"", inbox.Received, inbox.Applied, inbox.Held, "damaged", ""} {
		text, key := encode(t, n)
		w.put(fmt.Sprintf("m%d", n), text)
		if state != "" {
			w.receipts[key] = state
		}
	}
	w.put("p1", "hello")
	w.put("p2", `{"v":99}`)
	return w
}
