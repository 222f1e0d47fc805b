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

// RunStore runs the store's part of the contract.
func RunStore(t *testing.T, newHarness func(t *testing.T) Harness) {
	for name, test := range map[string]func(*testing.T, Harness){
		"a receipt is created once, as it was first told": createsOnce,
		"a receipt comes back as it was put":              keepsReceipts,
		"a receipt is applied once (I2)":                  appliesOnce,
		"a change is made whole or not at all (I4)":       refusesHalves,
		"a refusal brings the record as it stands":        bringsRecords,
		"an absent receipt is created by its change":      createsByChange,
		"what is due is listed oldest first":              listsDue,
		"a due receipt is claimed by one":                 claimsOnce,
		"the oldest claimed receipt is known":             knowsOldestClaimed,
		"applied at once by many, it is applied once":     appliesOnceAmongMany,
		"a cancelled context writes nothing":              obeysContext,
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
		t.Errorf("again: found %+v, %v, want received, as of the first", existing, err)
	}
	held := heldReceipt("subject", []byte("body"))
	create(t.Context(), t, h.Store, held)
	if e, err := h.Store.Create(t.Context(), held); err != nil || e != (inbox.Existing{State: inbox.Held, AcceptedAt: start}) {
		t.Errorf("held again: found %+v, %v, want held", e, err)
	}
	if _, err := h.Store.Apply(t.Context(), change(first, payout.Record{})); err != nil {
		t.Fatal(err)
	}
	if item, err := h.Store.Create(t.Context(), again); err != nil || item != (inbox.Existing{State: inbox.Applied, AcceptedAt: start}) {
		t.Errorf("after it was applied: found %+v, %v, want applied, as of the first", item, err)
	}
	if got := h.Receipt(t, first.Key); string(got.Body) != `{"first":1}` || !got.AcceptedAt.Equal(start) {
		t.Errorf("the first delivery's body or time is gone: %s, %s", got.Body, got.AcceptedAt)
	}
}

func keepsReceipts(t *testing.T, h Harness) {
	for _, want := range []inbox.Receipt{
		received(event(1, payout.Succeeded), `{"a": 1}`),
		received(wholeEvent(), "\xff\x00 bytes"),
		heldReceipt("subject", []byte("\xff not text")),
		heldReceipt("without a body", nil),
		decision(),
	} {
		create(t.Context(), t, h.Store, want)
		if diff := cmp.Diff(want, h.Receipt(t, want.Key), same); diff != "" {
			t.Errorf("put and read:\n%s", diff)
		}
	}
}

func appliesOnce(t *testing.T, h Harness) {
	receipt := received(event(1, payout.Succeeded), "{}")
	create(t.Context(), t, h.Store, receipt)
	first := change(receipt, payout.Record{})
	if refusal, err := h.Store.Apply(t.Context(), first); err != nil || refusal != nil {
		t.Fatalf("refused: %+v, %v", refusal, err)
	}
	if diff := cmp.Diff(first.Receipt, h.Receipt(t, receipt.Key), same); diff != "" {
		t.Errorf("the receipt as applied:\n%s", diff)
	}
	again := change(receipt, first.Record)
	refusal, err := h.Store.Apply(t.Context(), again)
	if err != nil || refusal == nil || !refusal.ReceiptFailed || refusal.ReceiptState != inbox.Applied {
		t.Errorf("again: %+v, %v, want it refused as applied", refusal, err)
	}
	if got := h.Record(t, receipt.Event.ID).Version; got != 1 {
		t.Errorf("version: got %d, want 1", got)
	}
}

func refusesHalves(t *testing.T, h Harness) {
	first := received(event(1, payout.Pending), "{}")
	second := received(event(1, payout.Succeeded), "{}")
	absent := received(event(1, payout.Failed), "{}")
	create(t.Context(), t, h.Store, first)
	create(t.Context(), t, h.Store, second)
	c := change(first, payout.Record{})
	if refusal, err := h.Store.Apply(t.Context(), c); err != nil || refusal != nil {
		t.Fatalf("refused: %+v, %v", refusal, err)
	}
	// The payout is not new any more, so the receipt must stay received.
	refusal, err := h.Store.Apply(t.Context(), change(second, payout.Record{}))
	if err != nil || refusal == nil || refusal.ReceiptFailed || !refusal.RecordFailed {
		t.Errorf("got %+v, %v, want the record refused", refusal, err)
	}
	if got := h.Receipt(t, second.Key).State; got != inbox.Received {
		t.Errorf("receipt: got %q, want received", got)
	}
	// The receipt is not there, so the payout must stay as it is.
	refusal, err = h.Store.Apply(t.Context(), change(absent, c.Record))
	if err != nil || refusal == nil || !refusal.ReceiptFailed || refusal.ReceiptState != "" || refusal.RecordFailed {
		t.Errorf("got %+v, %v, want the absent receipt refused", refusal, err)
	}
	if diff := cmp.Diff(c.Record, h.Record(t, first.Event.ID), same); diff != "" {
		t.Errorf("record:\n%s", diff)
	}
}

func bringsRecords(t *testing.T, h Harness) {
	record := payout.Record{}
	for n := range 9 {
		e := wholeEvent()
		e.Amount = payout.Amount("1" + string(rune('0'+n)))
		record = h.apply(t, received(e, "{}"), record)
	}
	resolution := payout.Resolution{ID: record.ID, Rejected: map[payout.Field][]string{payout.FieldAmount: {"10"}}}
	resolved, outcome := record.Resolve(resolution)
	receipt := inbox.NewResolutionReceipt(resolution, "why", start)
	refusal, err := h.Store.Apply(t.Context(), inbox.Change{
		Receipt: applied(receipt, outcome), Create: true, Record: resolved, ExpectedVersion: record.Version,
	})
	if err != nil || refusal != nil {
		t.Fatalf("resolve: %+v, %v", refusal, err)
	}
	late := received(wholeEvent(), "{}")
	create(t.Context(), t, h.Store, late)
	refusal, err = h.Store.Apply(t.Context(), change(late, payout.Record{}))
	if err != nil || refusal == nil || !refusal.RecordFailed {
		t.Fatalf("got %+v, %v, want the record refused", refusal, err)
	}
	if diff := cmp.Diff(resolved, refusal.Record, same); diff != "" {
		t.Errorf("every attribute of the record:\n%s", diff)
	}
}

// apply creates and applies a receipt that nothing refuses.
func (h Harness) apply(t *testing.T, r inbox.Receipt, base payout.Record) payout.Record {
	t.Helper()
	create(t.Context(), t, h.Store, r)
	c := change(r, base)
	if refusal, err := h.Store.Apply(t.Context(), c); err != nil || refusal != nil {
		t.Fatalf("apply %v: %+v, %v", r.Key, refusal, err)
	}
	return c.Record
}

func createsByChange(t *testing.T, h Harness) {
	receipt := received(event(1, payout.Succeeded), `{"whole":1}`)
	c := change(receipt, payout.Record{})
	c.Create = true
	if refusal, err := h.Store.Apply(t.Context(), c); err != nil || refusal != nil {
		t.Fatalf("refused: %+v, %v", refusal, err)
	}
	if diff := cmp.Diff(c.Receipt, h.Receipt(t, receipt.Key), same); diff != "" {
		t.Errorf("the receipt as created:\n%s", diff)
	}
	present := received(event(2, payout.Succeeded), "{}")
	create(t.Context(), t, h.Store, present)
	again := change(present, payout.Record{})
	again.Create = true
	refusal, err := h.Store.Apply(t.Context(), again)
	if err != nil || refusal == nil || !refusal.ReceiptFailed || refusal.ReceiptState != inbox.Received {
		t.Errorf("got %+v, %v, want it refused as received", refusal, err)
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
	gone := received(event(99, payout.Succeeded), "{}")
	h.apply(t, gone, payout.Record{})

	got, err := h.Store.Due(t.Context(), start.Add(30*time.Second), 25)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want[:25], got, same); diff != "" {
		t.Errorf("due:\n%s", diff)
	}
	got, err = h.Store.Due(t.Context(), start.Add(30*time.Second), 100)
	if err != nil || len(got) != 31 {
		t.Errorf("got %d, %v, want the 31 that are due", len(got), err)
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
		t.Errorf("the second of two: won %t, %v", won, err)
	}
	c := change(receipt, payout.Record{})
	if _, err := h.Store.Apply(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if _, won, err := h.Store.Claim(t.Context(), inbox.DueReceipt{Key: receipt.Key, DueAt: next}, next.Add(1)); err != nil || won {
		t.Errorf("once it is applied: won %t, %v", won, err)
	}
	if diff := cmp.Diff(c.Receipt, h.Receipt(t, receipt.Key), same); diff != "" {
		t.Errorf("a lost claim changed the receipt:\n%s", diff)
	}
	absent := inbox.DueReceipt{Key: received(event(2, payout.Succeeded), "").Key, DueAt: start}
	if _, won, err := h.Store.Claim(t.Context(), absent, next); err != nil || won {
		t.Errorf("an absent one: won %t, %v", won, err)
	}
}

func appliesOnceAmongMany(t *testing.T, h Harness) {
	const consumers, events = 8, 10
	box := &inbox.Inbox{Store: h.Store, Queue: h.Queue, Now: func() time.Time { return start }}
	var receipts []inbox.Receipt
	for n := range events {
		// Two payouts, so that the consumers contend for them.
		receipts = append(receipts, received(event(n%2, payout.Pending, func(e *payout.Event) { e.BlockHeight = uint64(n) }), "{}"))
	}
	var running sync.WaitGroup
	for range consumers {
		running.Go(func() {
			for _, receipt := range receipts {
				for _, err := box.Apply(t.Context(), receipt); err != nil; _, err = box.Apply(t.Context(), receipt) {
					t.Log(err) // contention: the queue would deliver it again
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
		t.Errorf("create: got %v, want the context's end", err)
	}
	if _, err := h.Store.Apply(ctx, change(receipt, payout.Record{})); err == nil {
		t.Error("apply: no error")
	}
	if _, _, err := h.Store.OldestClaimed(ctx); err == nil {
		t.Error("oldest claimed: no error")
	}
	if got := h.Receipt(t, receipt.Key); got.State != "" {
		t.Errorf("the receipt is %s", got.State)
	}
}
