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

func TestANewEventCostsOnePutOneSendOneTransaction(t *testing.T) {
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

func TestADuplicateOfAnAppliedEventCostsOnePut(t *testing.T) {
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

func TestADeliveryTwiceIsAppliedOnce(t *testing.T) {
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

func TestASecondEventOfAPayoutNeedsNoRead(t *testing.T) {
	w := newWorld(t)
	w.accept(w.receipt(payout.Pending))
	w.consume()
	w.wantCalls(1, 1, 1)
	w.accept(w.receipt(payout.Succeeded))
	w.consume()
	w.wantCalls(1, 1, 2) // the refused transaction brings the record
	w.wantStatus(payout.Succeeded)
	w.check(true)
}

func TestTwoFinalsEndInAConflictWhateverTheirOrder(t *testing.T) {
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

func TestAHeldCallbackIsStoredAndNeverSent(t *testing.T) {
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
		t.Errorf("the sweep found %d due, want none", result.Due)
	}
	w.check(true)
}

func TestQueueDown(t *testing.T) {
	w := newWorld(t)
	w.sendDown = true
	accepted := w.accept(w.receipt(payout.Succeeded))
	if accepted.Acceptance != inbox.AcceptedStoreOnly || !errors.Is(accepted.Fault, errDown) {
		t.Errorf("got %+v, want it accepted by record", accepted)
	}
	w.sendDown = false
	if result := w.sweep(); result.Resent != 0 {
		t.Errorf("before it is due: sent %d", result.Resent)
	}
	w.now = w.now.Add(inbox.FirstDue)
	if r := w.sweep(); r.Resent != 1 || r.OldestAge != inbox.FirstDue {
		t.Errorf("got %+v, want one sent, accepted two minutes ago", r)
	}
	w.consume()
	w.wantStatus(payout.Succeeded)
	w.check(true)
}

func TestStoreDown(t *testing.T) {
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
					t.Errorf("got %+v, want it accepted by queue", accepted)
				}
				for end := w.now.Add(outage); w.now.Before(end); w.now = w.now.Add(time.Minute) {
					w.consume()
				}
				w.storeDown = false
				w.now = w.now.Add(time.Hour)
				w.consume()
				for range 2 { // adopted, then sent
					w.sweep()
					w.consume()
				}
				w.check(true)
			})
		}
	}
}

func TestBothDownIsNotAcknowledged(t *testing.T) {
	w := newWorld(t)
	w.storeDown, w.sendDown = true, true
	for _, receipt := range []inbox.Receipt{w.receipt(payout.Succeeded), w.held()} {
		if accepted, err := w.box.Accept(t.Context(), receipt); !errors.Is(err, errDown) {
			t.Errorf("got %+v, %v, want an error", accepted, err)
		}
	}
}

func TestAReceiptDeletedByHandIsWrittenAgainWithItsBody(t *testing.T) {
	w := newWorld(t)
	receipt := w.receipt(payout.Succeeded)
	w.accept(receipt)
	w.store.DeleteReceipt(receipt.Key)
	w.consume()
	got := w.store.Receipts()
	if len(got) != 1 || got[0].State != inbox.Applied || string(got[0].Body) != "{}" {
		t.Errorf("got %v, want the receipt applied, body and all", got)
	}
	w.check(true)
}

func TestTwoSweepsSendADueReceiptOnce(t *testing.T) {
	w := newWorld(t)
	w.accept(w.receipt(payout.Succeeded))
	w.queue.DropAll()
	w.now = w.now.Add(inbox.FirstDue)
	seen, err := w.store.Due(t.Context(), w.now, 10)
	if err != nil {
		t.Fatal(err)
	}
	// The other sweep read the index at the same moment.
	other := *w.box
	other.Store = sawBefore{w.store, seen}
	if first := w.sweep(); first.Resent != 1 {
		t.Errorf("the first sent %d, want 1", first.Resent)
	}
	second, err := other.Sweep(t.Context(), 100)
	if err != nil || second.Resent != 0 {
		t.Errorf("the second sent %d, %v, want none", second.Resent, err)
	}
}

type sawBefore struct {
	*memory.Store
	seen []inbox.DueReceipt
}

func (s sawBefore) Due(context.Context, time.Time, int) ([]inbox.DueReceipt, error) {
	return s.seen, nil
}

func TestASweepOfAnAppliedReceiptLeavesItApplied(t *testing.T) {
	w := newWorld(t)
	receipt := w.receipt(payout.Succeeded)
	w.accept(receipt)
	seen := []inbox.DueReceipt{{Key: receipt.Key, DueAt: receipt.DueAt, AcceptedAt: receipt.AcceptedAt}}
	w.consume()
	w.box.Store = sawBefore{w.store, seen}
	if result := w.sweep(); result.Resent != 0 {
		t.Errorf("sent %d, want none", result.Resent)
	}
	w.check(true)
}

func TestSweepsWaitTwiceAsLongEachTimeUpToAnHour(t *testing.T) {
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

func TestASweepLeavesAFullQueueAloneForAWhile(t *testing.T) {
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
		t.Errorf("got %+v, want it skipped: the queue holds ten times what a sweep sends", result)
	}
	w.now = w.now.Add(15 * time.Minute)
	if r := w.sweep(); r.Skipped || r.Resent != 10 {
		t.Errorf("after 15 minutes: got %+v, want ten sent all the same, and no more", r)
	}
	w.queue.DropAll()
	if item := w.sweep(); item.Skipped || item.Resent != 2 {
		t.Errorf("with room in the queue: got %+v, want the others sent", item)
	}
}

func TestADeadLetterThatIsNotOursStaysForAPerson(t *testing.T) {
	w := newWorld(t)
	w.queue.DeadLetter(inbox.DeadLetter{Unreadable: true})
	w.queue.DeadLetter(inbox.DeadLetter{Receipt: w.receipt(payout.Succeeded)})
	for range 2 { // it is back in sight after each run
		if result := w.sweep(); result.Unreadable != 1 {
			t.Errorf("got %+v, want one foreign letter", result)
		}
	}
	w.consume()
	w.wantStatus(payout.Succeeded)
	if _, dead := w.queue.Depth(); dead != 1 {
		t.Errorf("%d dead letters are left, want the foreign one", dead)
	}
}

func TestADamagedReceiptHoldsUpNoOther(t *testing.T) {
	w := newWorld(t)
	damaged := w.receipt(payout.Pending)
	for _, receipt := range []inbox.Receipt{damaged, w.receipt(payout.Succeeded)} {
		w.accept(receipt)
	}
	w.queue.DropAll()
	w.now = w.now.Add(inbox.FirstDue)
	w.box.Store = damagedStore{w.store, damaged.Key}
	if result := w.sweep(); result.Resent != 1 || result.Damaged != 1 {
		t.Errorf("got %+v, want one sent and one damaged", result)
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
