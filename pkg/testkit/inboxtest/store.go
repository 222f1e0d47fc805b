package inboxtest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// RunStore runs the contract of inbox.Store.
func RunStore(t *testing.T, newHarness func(t *testing.T) Harness) {
	for name, test := range map[string]func(*testing.T, Harness){
		"create twice":                        createsOnce,
		"create and read":                     keepsReceipts,
		"apply twice (I2)":                    appliesOnce,
		"apply both parts or neither (I4)":    appliesBothParts,
		"failed condition returns the record": returnsRecord,
		"apply an absent receipt":             createsByChange,
		"due receipts in order":               listsDue,
		"claim twice":                         claimsOnce,
		"oldest claimed receipt":              oldestClaimed,
		"apply concurrently":                  appliesOnceConcurrently,
		"cancelled context":                   obeysContext,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newHarness(t))
		})
	}
}

func createsOnce(t *testing.T, h Harness) {
	first := received(event(1, payout.Succeeded), `{"first":1}`)
	create(t.Context(), t, h.Store, first)
	again := received(event(1, payout.Succeeded), `{"again":1}`)
	again.AcceptedAt = start.Add(time.Hour)
	if existing, err := h.Store.Create(t.Context(), again); err != nil || existing != (inbox.Existing{State: inbox.Received, AcceptedAt: start}) {
		t.Errorf("again: existing %+v, %v, want that of the first", existing, err)
	}
	held := heldReceipt("subject", []byte("body"))
	create(t.Context(), t, h.Store, held)
	if existing, err := h.Store.Create(t.Context(), held); err != nil || existing != (inbox.Existing{State: inbox.Held, AcceptedAt: start}) {
		t.Errorf("held again: existing %+v, %v, want held", existing, err)
	}
	if _, err := h.Store.Apply(t.Context(), newChange(first, payout.Record{})); err != nil {
		t.Fatal(err)
	}
	if existing, err := h.Store.Create(t.Context(), again); err != nil || existing != (inbox.Existing{State: inbox.Applied, AcceptedAt: start}) {
		t.Errorf("after it was applied: existing %+v, %v, want applied at the time of the first", existing, err)
	}
	if got := h.Receipt(t, first.Key); string(got.Body) != `{"first":1}` || !got.AcceptedAt.Equal(start) {
		t.Errorf("body or time of the first delivery is lost: %s, %s", got.Body, got.AcceptedAt)
	}
}

func keepsReceipts(t *testing.T, h Harness) {
	for _, want := range []inbox.Receipt{
		received(event(1, payout.Succeeded), `{"a": 1}`),
		received(wholeEvent(), "\xff\x00 bytes"),
		heldReceipt("subject", []byte("\xff not text")),
		heldReceipt("without a body", nil),
		resolution(),
	} {
		create(t.Context(), t, h.Store, want)
		if diff := cmp.Diff(want, h.Receipt(t, want.Key), same); diff != "" {
			t.Errorf("put and read (-want +got):\n%s", diff)
		}
	}
}

func appliesOnce(t *testing.T, h Harness) {
	receipt := received(event(1, payout.Succeeded), "{}")
	create(t.Context(), t, h.Store, receipt)
	first := newChange(receipt, payout.Record{})
	if failed, err := h.Store.Apply(t.Context(), first); err != nil || failed != nil {
		t.Fatalf("condition failed: %+v, %v", failed, err)
	}
	if diff := cmp.Diff(first.Receipt, h.Receipt(t, receipt.Key), same); diff != "" {
		t.Errorf("the receipt as applied:\n%s", diff)
	}
	again := newChange(receipt, first.Record)
	failed, err := h.Store.Apply(t.Context(), again)
	if err != nil || failed == nil || !failed.ReceiptFailed || failed.ReceiptState != inbox.Applied {
		t.Errorf("again: %+v, %v, want the condition to fail with state applied", failed, err)
	}
	if got := h.Record(t, receipt.Event.ID).Version; got != 1 {
		t.Errorf("version: got %d, want 1", got)
	}
}

func appliesBothParts(t *testing.T, h Harness) {
	first := received(event(1, payout.Pending), "{}")
	second := received(event(1, payout.Succeeded), "{}")
	absent := received(event(1, payout.Failed), "{}")
	create(t.Context(), t, h.Store, first)
	create(t.Context(), t, h.Store, second)
	c := newChange(first, payout.Record{})
	if failed, err := h.Store.Apply(t.Context(), c); err != nil || failed != nil {
		t.Fatalf("condition failed: %+v, %v", failed, err)
	}
	// The payout is not new, so the receipt must stay received.
	failed, err := h.Store.Apply(t.Context(), newChange(second, payout.Record{}))
	if err != nil || failed == nil || failed.ReceiptFailed || !failed.RecordFailed {
		t.Errorf("got %+v, %v, want RecordFailed", failed, err)
	}
	if got := h.Receipt(t, second.Key).State; got != inbox.Received {
		t.Errorf("receipt: got %q, want received", got)
	}
	// The receipt is absent, so the payout must stay unchanged.
	failed, err = h.Store.Apply(t.Context(), newChange(absent, c.Record))
	if err != nil || failed == nil || !failed.ReceiptFailed || failed.ReceiptState != "" || failed.RecordFailed {
		t.Errorf("got %+v, %v, want ReceiptFailed", failed, err)
	}
	if diff := cmp.Diff(c.Record, h.Record(t, first.Event.ID), same); diff != "" {
		t.Errorf("record:\n%s", diff)
	}
}

func returnsRecord(t *testing.T, h Harness) {
	record := payout.Record{}
	for n := range 9 {
		e := wholeEvent()
		e.Amount = payout.Amount("1" + string(rune('0'+n)))
		record = h.apply(t, received(e, "{}"), record)
	}
	resolution := payout.Resolution{ID: record.ID, Rejected: map[payout.Field][]string{payout.FieldAmount: {"10"}}}
	resolved, outcome := record.Resolve(resolution)
	receipt := inbox.NewResolutionReceipt(resolution, "why", start)
	failed, err := h.Store.Apply(t.Context(), inbox.Change{
		Receipt: applied(receipt, outcome), Create: true, Record: resolved, ExpectedVersion: record.Version,
	})
	if err != nil || failed != nil {
		t.Fatalf("resolve: %+v, %v", failed, err)
	}
	late := received(wholeEvent(), "{}")
	create(t.Context(), t, h.Store, late)
	failed, err = h.Store.Apply(t.Context(), newChange(late, payout.Record{}))
	if err != nil || failed == nil || !failed.RecordFailed {
		t.Fatalf("got %+v, %v, want RecordFailed", failed, err)
	}
	if diff := cmp.Diff(resolved, failed.Payout.Record, same); diff != "" {
		t.Errorf("record of the failed condition:\n%s", diff)
	}
}

// apply creates and applies a receipt, and fails the test if a condition fails.
func (h Harness) apply(t *testing.T, r inbox.Receipt, current payout.Record) payout.Record {
	t.Helper()
	create(t.Context(), t, h.Store, r)
	c := newChange(r, current)
	if failed, err := h.Store.Apply(t.Context(), c); err != nil || failed != nil {
		t.Fatalf("apply %v: %+v, %v", r.Key, failed, err)
	}
	return c.Record
}

func createsByChange(t *testing.T, h Harness) {
	receipt := received(event(1, payout.Succeeded), `{"whole":1}`)
	c := newChange(receipt, payout.Record{})
	c.Create = true
	if failed, err := h.Store.Apply(t.Context(), c); err != nil || failed != nil {
		t.Fatalf("condition failed: %+v, %v", failed, err)
	}
	if diff := cmp.Diff(c.Receipt, h.Receipt(t, receipt.Key), same); diff != "" {
		t.Errorf("the receipt as created:\n%s", diff)
	}
	present := received(event(2, payout.Succeeded), "{}")
	create(t.Context(), t, h.Store, present)
	again := newChange(present, payout.Record{})
	again.Create = true
	failed, err := h.Store.Apply(t.Context(), again)
	if err != nil || failed == nil || !failed.ReceiptFailed || failed.ReceiptState != inbox.Received {
		t.Errorf("got %+v, %v, want the condition to fail with state received", failed, err)
	}
}

func listsDue(t *testing.T, h Harness) {
	var want []inbox.DueReceipt
	for n := range 40 {
		receipt := received(event(n, payout.Succeeded), "{}")
		receipt.DueAt = start.Add(time.Duration(n*7%40) * time.Second)
		create(t.Context(), t, h.Store, receipt)
		want = append(want, inbox.DueReceipt{Key: receipt.Key, DueAt: receipt.DueAt, AcceptedAt: start})
	}
	slices.SortFunc(want, func(a, b inbox.DueReceipt) int { return a.DueAt.Compare(b.DueAt) })
	create(t.Context(), t, h.Store, heldReceipt("held", nil))
	h.apply(t, received(event(99, payout.Succeeded), "{}"), payout.Record{}) // not due once applied

	got, err := h.Store.Due(t.Context(), start.Add(30*time.Second), 25)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want[:25], got, same); diff != "" {
		t.Errorf("due:\n%s", diff)
	}
	got, err = h.Store.Due(t.Context(), start.Add(30*time.Second), 100)
	if err != nil || len(got) != 31 {
		t.Errorf("got %d, %v, want 31", len(got), err)
	}
}

func claimsOnce(t *testing.T, h Harness) {
	receipt := received(event(1, payout.Succeeded), `{"a":1}`)
	create(t.Context(), t, h.Store, receipt)
	due := inbox.DueReceipt{Key: receipt.Key, DueAt: receipt.DueAt}
	next := receipt.DueAt.Add(time.Minute)
	got, won, err := h.Store.Claim(t.Context(), due, next)
	want := receipt
	want.DueAt = next
	if diff := cmp.Diff(want, got, same); err != nil || !won || diff != "" {
		t.Fatalf("won %t, %v:\n%s", won, err, diff)
	}
	if _, won, err := h.Store.Claim(t.Context(), due, next); err != nil || won {
		t.Errorf("second claim: won %t, %v", won, err)
	}
	c := newChange(receipt, payout.Record{})
	if _, err := h.Store.Apply(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if _, won, err := h.Store.Claim(t.Context(), inbox.DueReceipt{Key: receipt.Key, DueAt: next}, next.Add(1)); err != nil || won {
		t.Errorf("applied: won %t, %v", won, err)
	}
	if diff := cmp.Diff(c.Receipt, h.Receipt(t, receipt.Key), same); diff != "" {
		t.Errorf("a lost claim changed the receipt:\n%s", diff)
	}
	absent := inbox.DueReceipt{Key: received(event(2, payout.Succeeded), "").Key, DueAt: start}
	if _, won, err := h.Store.Claim(t.Context(), absent, next); err != nil || won {
		t.Errorf("absent: won %t, %v", won, err)
	}
}

func appliesOnceConcurrently(t *testing.T, h Harness) {
	const consumers, events = 8, 10
	box := &inbox.Inbox{Store: h.Store, Queue: h.Queue, Now: func() time.Time { return start }}
	var receipts []inbox.Receipt
	for n := range events {
		// Two payouts, so that the consumers conflict.
		receipts = append(receipts, received(event(n%2, payout.Pending, func(e *payout.Event) { e.BlockHeight = uint64(n) }), "{}"))
	}
	var running sync.WaitGroup
	for range consumers {
		running.Go(func() {
			for _, receipt := range receipts {
				for _, err := box.Apply(t.Context(), receipt); err != nil; _, err = box.Apply(t.Context(), receipt) {
					t.Log(err) // a transaction conflict: the queue would deliver it again
				}
			}
		})
	}
	running.Wait()
	for n := range 2 {
		if got := h.Record(t, receipts[n].Event.ID).Version; got != events/2 {
			t.Errorf("payout %d: version %d, want %d", n, got, events/2)
		}
	}
}

func obeysContext(t *testing.T, h Harness) {
	ctx, cancel := cancelled(t)
	defer cancel()
	receipt := received(event(1, payout.Succeeded), "{}")
	if _, err := h.Store.Create(ctx, receipt); err == nil || errors.Is(err, inbox.ErrDamagedReceipt) {
		t.Errorf("create: got %v, want the context's error", err)
	}
	if _, err := h.Store.Apply(ctx, newChange(receipt, payout.Record{})); err == nil {
		t.Error("apply: no error")
	}
	if _, _, err := h.Store.OldestClaimed(ctx); err == nil {
		t.Error("oldest claimed: no error")
	}
	if got := h.Receipt(t, receipt.Key); got.State != "" {
		t.Errorf("receipt: got state %s, want none", got.State)
	}
}
