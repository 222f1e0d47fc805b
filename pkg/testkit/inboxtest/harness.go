package inboxtest

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/repair"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// Harness is an implementation of the ports, initially empty, with functions that
// inspect it.
type Harness struct {
	Store       reconcile.Store
	Queue       inbox.Queue
	DeadLetters inbox.DeadLetters
	Repairs     repair.Store // of the same store

	// Receipt and Record read the store without its port. They return zero values for
	// what the store does not hold.
	Receipt func(t *testing.T, key inbox.Key) inbox.Receipt
	Record  func(t *testing.T, id payout.ID) payout.Record
	// DamageRecord makes a payout unreadable; its schedule stays.
	DamageRecord func(t *testing.T, id payout.ID)
	// ReceiveAll receives and deletes all messages of the events queue.
	ReceiveAll func(t *testing.T) []inbox.Receipt
	// DeadLetter puts the message of a receipt into the dead-letter queue, or an
	// unreadable message if receipt is nil.
	DeadLetter func(t *testing.T, receipt *inbox.Receipt)
}

// same compares bodies as a whole, and treats absent and empty as equal.
var same = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.FilterValues(func(a, b []byte) bool { return len(a)+len(b) > 0 }, cmp.Comparer(bytes.Equal)),
}

// start is an arbitrary time, to the millisecond as stores keep it.
var start = time.Date(2026, 11, 21, 9, 0, 0, 123e6, time.UTC)

func event(cid int, status payout.Status, edit ...func(*payout.Event)) payout.Event {
	e := payout.Event{
		ID:     payout.NewID("cregis", payout.TypePayout, "1382528827416576", fmt.Sprint(cid), ""),
		Status: status, Amount: "1.1", Currency: "TRX", Reference: fmt.Sprintf("PAY-%d", cid),
	}
	for _, item := range edit {
		item(&e)
	}
	return e
}

// wholeEvent has a value in every field.
func wholeEvent() payout.Event {
	return payout.Event{
		ID:        payout.NewID("pivot", payout.TypePayout, "922e39ab/7565", "d6a46a2c", "ref % / 1"),
		Reference: "ref % / 1", Status: payout.Succeeded, Reason: "why", Amount: "123456789012345678901234567890.000000000000000001",
		Currency: "IDR", Chain: "195", Token: "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", From: "from", To: "to", Memo: "123", TxID: "0xabc",
		BlockHeight: 18446744073709551615, BlockTime: 1686814482000,
		Totals: payout.Totals{
			Pending: payout.Tally{Count: 1, Amount: "1"}, Succeeded: payout.Tally{Count: 2, Amount: "0.5"},
			Failed: payout.Tally{Count: 3, Amount: "0"}, Cancelled: payout.Tally{Count: 4, Amount: "4"},
		},
	}
}

func received(e payout.Event, body string) inbox.Receipt {
	return inbox.NewReceipt(e, []byte(body), "0a1b2c3d", start)
}

func heldReceipt(subject string, body []byte) inbox.Receipt {
	return inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "pivot", Type: payout.TypePayout, Account: "922e39ab", Subject: []byte(subject), Reason: "unknown-event", Note: "unknown event",
	}, body, "0a1b2c3d", start)
}

func resolution() inbox.Receipt {
	return inbox.NewResolutionReceipt(payout.Resolution{
		ID:       event(1, payout.Succeeded).ID,
		Trusted:  map[payout.Field]string{payout.FieldStatus: "succeeded"},
		Rejected: map[payout.Field][]string{payout.FieldStatus: {"failed"}},
		Replaces: []string{"1abc"},
	}, "confirmed by the bank", start)
}

// applied returns the receipt as the transaction that applies it leaves it.
func applied(r inbox.Receipt, outcome payout.Outcome) inbox.Receipt {
	r.State, r.Outcome, r.DueAt, r.AppliedAt = inbox.Applied, outcome, time.Time{}, start.Add(time.Second)
	return r
}

// newChange returns the effect of the receipt on the current record.
func newChange(r inbox.Receipt, current payout.Record) inbox.Change {
	next, outcome := current.Apply(r.Event)
	return inbox.Change{Receipt: applied(r, outcome), Record: next, ExpectedVersion: current.Version}
}

func create(ctx context.Context, t *testing.T, store inbox.Store, r inbox.Receipt) {
	t.Helper()
	existing, err := store.Create(ctx, r)
	if err != nil || existing.State != "" {
		t.Fatalf("create %v: existing %+v, %v", r.Key, existing, err)
	}
}
