package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/memory"
)

func TestAccept_NewEventCalls(t *testing.T) {
	w := newWorld(t)
	if got := w.accept(w.receipt(payout.Succeeded)).Acceptance; got != inbox.AcceptedNew {
		t.Errorf("got %q, want new", got)
	}
	w.wantCalls(1, 1, 0)
	w.consume()
	w.wantCalls(0, 0, 1)
	w.wantStatus(payout.Succeeded)
	w.check(true)
}

func TestAccept_DuplicateCalls(t *testing.T) {
	w := newWorld(t)
	w.accept(w.receipt(payout.Succeeded))
	w.consume()
	w.wantCalls(1, 1, 1)
	w.now = w.now.Add(time.Hour)
	if got := w.accept(w.receipt(payout.Succeeded)).Acceptance; got != inbox.AcceptedDuplicate {
		t.Errorf("got %q, want duplicate", got)
	}
	w.wantCalls(1, 0, 0)
	w.check(true)
}

func TestApply_Twice(t *testing.T) {
	w := newWorld(t)
	receipt := w.receipt(payout.Succeeded)
	w.accept(receipt)
	w.consume()
	got, err := w.box.Apply(t.Context(), receipt)
	if err != nil || got != inbox.ApplyDuplicate {
		t.Errorf("got %q, %v, want duplicate", got, err)
	}
	w.check(true)
}

func TestApply_SecondEventCalls(t *testing.T) {
	w := newWorld(t)
	w.accept(w.receipt(payout.Pending))
	w.consume()
	w.wantCalls(1, 1, 1)
	w.accept(w.receipt(payout.Succeeded))
	w.consume()
	w.wantCalls(1, 1, 1)
	w.wantStatus(payout.Succeeded)
	w.check(true)
}

func TestApply_TwoFinals(t *testing.T) {
	for _, order := range [][]payout.Status{{payout.Succeeded, payout.Failed}, {payout.Failed, payout.Succeeded}} {
		w := newWorld(t)
		for _, status := range order {
			w.accept(w.receipt(status))
			w.consume()
		}
		w.wantStatus(payout.Conflicted)
		w.check(true)
	}
}

func TestAccept_Held(t *testing.T) {
	w := newWorld(t)
	w.accept(w.held())
	w.wantCalls(1, 0, 0)
	w.now = w.now.Add(time.Hour)
	if got := w.accept(w.held()).Acceptance; got != inbox.AcceptedDuplicate {
		t.Errorf("again: got %q, want duplicate", got)
	}
	w.wantCalls(1, 0, 0)
	w.now = w.now.Add(time.Hour)
	if result := w.sweep(); result.Due != 0 {
		t.Errorf("sweep: %d due, want none", result.Due)
	}
	w.check(true)
}

func TestAccept_QueueDown(t *testing.T) {
	w := newWorld(t)
	w.sendDown = true
	accepted := w.accept(w.receipt(payout.Succeeded))
	if accepted.Acceptance != inbox.AcceptedStoreOnly || !errors.Is(accepted.Fault, errDown) {
		t.Errorf("got %+v, want store-only", accepted)
	}
	w.sendDown = false
	if result := w.sweep(); result.Resent != 0 {
		t.Errorf("before it is due: %d resent, want none", result.Resent)
	}
	w.now = w.now.Add(inbox.FirstDue)
	if result := w.sweep(); result.Resent != 1 || result.OldestAge != inbox.FirstDue {
		t.Errorf("got %+v, want one resent, accepted two minutes ago", result)
	}
	w.consume()
	w.wantStatus(payout.Succeeded)
	w.check(true)
}

func TestAccept_StoreDown(t *testing.T) {
	for name, receipt := range map[string]func(*world) inbox.Receipt{
		"an event": func(w *world) inbox.Receipt { return w.receipt(payout.Succeeded) },
		"held":     func(w *world) inbox.Receipt { return w.held() },
	} {
		for _, outage := range []time.Duration{time.Second, time.Hour} {
			t.Run(fmt.Sprintf("%s, for %s", name, outage), func(t *testing.T) {
				w := newWorld(t)
				w.storeDown = true
				accepted := w.accept(receipt(w))
				if accepted.Acceptance != inbox.AcceptedQueueOnly || !errors.Is(accepted.Fault, errDown) {
					t.Errorf("got %+v, want queue-only", accepted)
				}
				for end := w.now.Add(outage); w.now.Before(end); w.now = w.now.Add(time.Minute) {
					w.consume()
				}
				w.storeDown = false
				w.now = w.now.Add(time.Hour)
				w.consume()
				for range 2 { // recovered, then resent
					w.sweep()
					w.consume()
				}
				w.check(true)
			})
		}
	}
}

func TestAccept_StoreAndQueueDown(t *testing.T) {
	w := newWorld(t)
	w.storeDown, w.sendDown = true, true
	for _, receipt := range []inbox.Receipt{w.receipt(payout.Succeeded), w.held()} {
		if accepted, err := w.box.Accept(t.Context(), receipt); !errors.Is(err, errDown) {
			t.Errorf("got %+v, %v, want an error", accepted, err)
		}
	}
}

func TestApply_DeletedReceiptKeepsBody(t *testing.T) {
	w := newWorld(t)
	receipt := w.receipt(payout.Succeeded)
	w.accept(receipt)
	w.store.DeleteReceipt(receipt.Key)
	w.consume()
	got := w.store.Receipts()
	if len(got) != 1 || got[0].State != inbox.Applied || string(got[0].Body) != "{}" {
		t.Errorf("got %v, want one applied receipt with its body", got)
	}
	w.check(true)
}

func TestSweep_Concurrent(t *testing.T) {
	w := newWorld(t)
	w.accept(w.receipt(payout.Succeeded))
	w.queue.DropAll()
	w.now = w.now.Add(inbox.FirstDue)
	stale, err := w.store.Due(t.Context(), w.now, 10)
	if err != nil {
		t.Fatal(err)
	}
	// The other sweep read the index at the same moment.
	other := *w.box
	other.Store = staleStore{w.store, stale}
	if first := w.sweep(); first.Resent != 1 {
		t.Errorf("first: %d resent, want 1", first.Resent)
	}
	second, err := other.Sweep(t.Context(), 100)
	if err != nil || second.Resent != 0 {
		t.Errorf("second: %d resent, %v, want none", second.Resent, err)
	}
}

// staleStore lists the due receipts of an earlier time.
type staleStore struct {
	*memory.Store
	due []inbox.DueReceipt
}

func (s staleStore) Due(context.Context, time.Time, int) ([]inbox.DueReceipt, error) {
	return s.due, nil
}

func TestSweep_AppliedReceipt(t *testing.T) {
	w := newWorld(t)
	receipt := w.receipt(payout.Succeeded)
	w.accept(receipt)
	stale := []inbox.DueReceipt{{Key: receipt.Key, DueAt: receipt.DueAt, AcceptedAt: receipt.AcceptedAt}}
	w.consume()
	w.box.Store = staleStore{w.store, stale}
	if result := w.sweep(); result.Resent != 0 {
		t.Errorf("%d resent, want none", result.Resent)
	}
	w.check(true)
}

func TestSweep_Backoff(t *testing.T) {
	w := newWorld(t)
	w.accept(w.receipt(payout.Succeeded))
	var waits []time.Duration
	last := w.now
	for range 8 {
		for w.sweep().Resent == 0 {
			w.now = w.now.Add(time.Minute)
		}
		waits = append(waits, w.now.Sub(last))
		last = w.now
		w.queue.DropAll()
	}
	for n, want := range []string{"2m0s", "2m0s", "4m0s", "8m0s", "16m0s", "32m0s", "1h0m0s", "1h0m0s"} {
		if waits[n].String() != want {
			t.Errorf("wait %d of %v: want %s", n+1, waits, want)
		}
	}
}

func TestSweep_Backlog(t *testing.T) {
	w := newWorld(t)
	for n := range 1001 {
		if err := w.queue.Send(t.Context(), w.receipt(payout.Pending, func(e *payout.Event) { e.BlockHeight = uint64(n) })); err != nil {
			t.Fatal(err)
		}
	}
	w.sendDown = true
	for n := range 12 {
		w.accept(w.receipt(payout.Succeeded, func(e *payout.Event) { e.BlockHeight = uint64(n) }))
	}
	w.sendDown = false
	w.now = w.now.Add(inbox.FirstDue)
	if result := w.sweep(); !result.Skipped || result.Resent != 0 {
		t.Errorf("got %+v, want it skipped", result)
	}
	w.now = w.now.Add(15 * time.Minute)
	if result := w.sweep(); result.Skipped || result.Resent != 10 {
		t.Errorf("after 15 minutes: got %+v, want ten resent", result)
	}
	w.queue.DropAll()
	if result := w.sweep(); result.Skipped || result.Resent != 2 {
		t.Errorf("without a backlog: got %+v, want the others resent", result)
	}
}

func TestSweep_UnreadableDeadLetter(t *testing.T) {
	w := newWorld(t)
	w.queue.DeadLetter(inbox.DeadLetter{Unreadable: true})
	w.queue.DeadLetter(inbox.DeadLetter{Receipt: w.receipt(payout.Succeeded)})
	for range 2 { // it is visible again after each run
		if result := w.sweep(); result.Unreadable != 1 {
			t.Errorf("got %+v, want one unreadable", result)
		}
	}
	w.consume()
	w.wantStatus(payout.Succeeded)
	if _, dead := w.queue.Depth(); dead != 1 {
		t.Errorf("%d dead letters left, want the unreadable one", dead)
	}
}

func TestSweep_DamagedReceipt(t *testing.T) {
	w := newWorld(t)
	damaged := w.receipt(payout.Pending)
	for _, receipt := range []inbox.Receipt{damaged, w.receipt(payout.Succeeded)} {
		w.accept(receipt)
	}
	w.queue.DropAll()
	w.now = w.now.Add(inbox.FirstDue)
	w.box.Store = damagedStore{w.store, damaged.Key}
	if result := w.sweep(); result.Resent != 1 || result.Damaged != 1 {
		t.Errorf("got %+v, want one resent and one damaged", result)
	}
}

type damagedStore struct {
	*memory.Store
	damaged inbox.Key
}

func (s damagedStore) Claim(ctx context.Context, due inbox.DueReceipt, next time.Time) (inbox.Receipt, bool, error) {
	if due.Key == s.damaged {
		return inbox.Receipt{}, false, fmt.Errorf("decode: %w", inbox.ErrDamagedReceipt)
	}
	return s.Store.Claim(ctx, due, next)
}
