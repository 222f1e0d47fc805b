package inboxtest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// RunReconcile runs the contract of reconcile.Store. The harness holds the same store as
// Repairs.
func RunReconcile(t *testing.T, newHarness func(t *testing.T) Harness) {
	for name, test := range map[string]func(*testing.T, Harness){
		"due queries in order":              listsQueries,
		"due queries of each account":       listsAccounts,
		"claim a query twice":               claimsQueryOnce,
		"claim a query concurrently":        claimsQueryConcurrently,
		"claim the query of a damaged item": claimsDamaged,
		"finish a query":                    finishesQuery,
		"finish a query of a changed item":  keepsNewSchedule,
		"payouts by reference":              findsReference,
		"due held callbacks in order":       listsHeld,
		"claim a held callback twice":       claimsHeldOnce,
		"finish a held callback":            finishesHeld,
		"held callback released meanwhile":  keepsReleased,
		"answer a held callback":            answersHeld,
		"cancelled context":                 reconcilesNothing,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newHarness(t))
		})
	}
}

// schedule creates a payout whose query is due at a time, and returns it as stored.
func (h Harness) schedule(t *testing.T, cid int, s inbox.Schedule) inbox.PayoutItem {
	t.Helper()
	return h.scheduleEvent(t, event(cid, payout.Pending), s)
}

func (h Harness) scheduleEvent(t *testing.T, event payout.Event, s inbox.Schedule) inbox.PayoutItem {
	t.Helper()
	receipt := received(event, "{}")
	change := newChange(receipt, payout.Record{})
	change.Create, change.Schedule = true, s
	if failed, err := h.Store.Apply(t.Context(), change); err != nil || failed != nil {
		t.Fatalf("apply: %+v, %v", failed, err)
	}
	return inbox.PayoutItem{Record: change.Record, Schedule: s}
}

func (h Harness) wantSchedule(t *testing.T, id payout.ID, want inbox.Schedule) {
	t.Helper()
	got, err := h.Store.Payout(t.Context(), id)
	if diff := cmp.Diff(want, got.Schedule); err != nil || diff != "" {
		t.Errorf("%v, schedule (-want +got):\n%s", err, diff)
	}
}

func dueOf(item inbox.PayoutItem) reconcile.DueQuery {
	return reconcile.DueQuery{ID: item.Record.ID, At: item.Schedule.At, Confirms: item.Schedule.Confirms}
}

var asked = inbox.Schedule{At: start, Tries: 2, AskedAt: start.Add(-time.Hour), Result: "in-process"}

func listsQueries(t *testing.T, h Harness) {
	var want []reconcile.DueQuery
	for n := range 40 {
		item := h.schedule(t, n, inbox.Schedule{At: start.Add(time.Duration(n*7%40) * time.Second)})
		want = append(want, dueOf(item))
	}
	h.schedule(t, 99, inbox.Schedule{})
	slices.SortFunc(want, func(a, b reconcile.DueQuery) int { return a.At.Compare(b.At) })
	for limit, count := range map[int]int{25: 25, 100: 31} {
		got, err := h.Store.DueQueries(t.Context(), start.Add(30*time.Second), limit)
		if diff := cmp.Diff(want[:count], got); err != nil || diff != "" {
			t.Errorf("limit %d: %v, due (-want +got):\n%s", limit, err, diff)
		}
	}
}

// An account's backlog hides no payout of another account, and payouts that are only
// confirmed hide none that are open.
func listsAccounts(t *testing.T, h Harness) {
	const limit = 3
	var want []reconcile.DueQuery
	at := start
	for n, account := range []string{"a", "a/b", "ab"} {
		for k := range 50 >> n {
			for _, confirms := range []bool{true, false} {
				at = at.Add(time.Second)
				id := payout.NewID("cregis", payout.TypePayout, account, fmt.Sprint(confirms, k), "")
				item := h.scheduleEvent(t, payout.Event{ID: id, Status: payout.Pending}, inbox.Schedule{At: at, Confirms: confirms})
				if k < limit {
					want = append(want, dueOf(item))
				}
			}
		}
	}
	got, err := h.Store.DueQueries(t.Context(), at, limit)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, due (-want +got):\n%s", err, diff)
	}
}

func claimsQueryOnce(t *testing.T, h Harness) {
	item := h.schedule(t, 1, asked)
	next := inbox.Schedule{At: start.Add(time.Hour), Tries: 3, AskedAt: start, Result: "in-process"}
	got, ok, err := h.Store.ClaimQuery(t.Context(), dueOf(item), next)
	if diff := cmp.Diff(inbox.PayoutItem{Record: item.Record, Schedule: next}, got, same); err != nil || !ok || diff != "" {
		t.Fatalf("claim: %t, %v, payout (-want +got):\n%s", ok, err, diff)
	}
	if due, err := h.Store.DueQueries(t.Context(), start, 10); err != nil || len(due) > 0 {
		t.Errorf("claimed, and due: %v, %v", due, err)
	}
	absent := reconcile.DueQuery{ID: event(2, "").ID, At: start}
	for _, due := range []reconcile.DueQuery{dueOf(item), {ID: item.Record.ID, At: next.At, Confirms: true}, {ID: item.Record.ID, At: start.Add(time.Second)}, {ID: item.Record.ID}, absent, {ID: absent.ID}} {
		if _, ok, err := h.Store.ClaimQuery(t.Context(), due, inbox.Schedule{}); ok || err != nil {
			t.Errorf("claim %v: %t, %v, want false", due, ok, err)
		}
	}
	h.wantSchedule(t, item.Record.ID, next)
	h.wantSchedule(t, absent.ID, inbox.Schedule{})
	// Apply and claim do not stop each other.
	if record := h.apply(t, received(event(1, payout.Succeeded), "{}"), item.Record); record.Version != 2 {
		t.Errorf("version %d, want 2", record.Version)
	}
}

func claimsQueryConcurrently(t *testing.T, h Harness) {
	item := h.schedule(t, 1, asked)
	held := heldAbout(1)
	create(t.Context(), t, h.Store, held)
	var queries, callbacks atomic.Int32
	var running sync.WaitGroup
	for n := range 8 {
		next := inbox.Schedule{At: start.Add(time.Hour + time.Duration(n)*time.Second), Tries: 3}
		running.Go(func() {
			if _, ok, err := h.Store.ClaimQuery(t.Context(), dueOf(item), next); err != nil {
				t.Error(err)
			} else if ok {
				queries.Add(1)
			}
			if _, ok, err := h.Store.ClaimHeld(t.Context(), dueHeldOf(held), next); err != nil {
				t.Error(err)
			} else if ok {
				callbacks.Add(1)
			}
		})
	}
	running.Wait()
	if queries.Load() != 1 || callbacks.Load() != 1 {
		t.Errorf("%d claims of the query and %d of the held callback, want 1 of each", queries.Load(), callbacks.Load())
	}
}

func claimsDamaged(t *testing.T, h Harness) {
	item := h.schedule(t, 1, asked)
	h.DamageRecord(t, item.Record.ID)
	next := inbox.Schedule{At: start.Add(time.Hour), Tries: 3}
	if _, ok, err := h.Store.ClaimQuery(t.Context(), dueOf(item), next); ok || !errors.Is(err, inbox.ErrDamagedPayout) {
		t.Errorf("claim: %t, %v, want ErrDamagedPayout", ok, err)
	}
	due, err := h.Store.DueQueries(t.Context(), start.Add(2*time.Hour), 10)
	if diff := cmp.Diff([]reconcile.DueQuery{{ID: item.Record.ID, At: next.At}}, due); err != nil || diff != "" {
		t.Errorf("%v, due (-want +got):\n%s", err, diff)
	}
}

func finishesQuery(t *testing.T, h Harness) {
	item := h.schedule(t, 1, asked)
	id, next := item.Record.ID, inbox.Schedule{At: start.Add(time.Minute), Tries: 1, AskedAt: start, Result: "answered"}
	for _, other := range []inbox.Schedule{{At: start.Add(1e6), Tries: 2}, {At: start, Tries: 1}, {At: start, Tries: 2, Confirms: true}, {At: start}, {Tries: 2}, {}} {
		if err := h.Store.FinishQuery(t.Context(), id, other, next); err != nil {
			t.Error(err)
		}
	}
	h.wantSchedule(t, id, asked)
	if err := h.Store.FinishQuery(t.Context(), id, asked, next); err != nil {
		t.Error(err)
	}
	h.wantSchedule(t, id, next)
	// A query of a payout that is not scheduled is finished, too.
	ended := inbox.Schedule{AskedAt: start, Result: "answered"}
	for _, step := range [][2]inbox.Schedule{{next, ended}, {ended, {}}, {{}, ended}} {
		if err := h.Store.FinishQuery(t.Context(), id, step[0], step[1]); err != nil {
			t.Error(err)
		}
		h.wantSchedule(t, id, step[1])
	}
	if due, err := h.Store.DueQueries(t.Context(), start.Add(1000*time.Hour), 10); err != nil || len(due) > 0 {
		t.Errorf("ended, and due: %v, %v", due, err)
	}
	absent := event(2, "").ID
	if err := h.Store.FinishQuery(t.Context(), absent, inbox.Schedule{}, next); err != nil {
		t.Error(err)
	}
	h.wantSchedule(t, absent, inbox.Schedule{})
	if got := h.Record(t, id); got.Version != 1 {
		t.Errorf("version %d, want that of the one event", got.Version)
	}
}

// A change starts the tries again, even if it leaves the time.
func keepsNewSchedule(t *testing.T, h Harness) {
	item := h.schedule(t, 1, asked)
	change := newChange(received(event(1, payout.Succeeded), "{}"), item.Record)
	change.Create, change.Schedule = true, inbox.Schedule{At: asked.At, AskedAt: asked.AskedAt}
	if failed, err := h.Store.Apply(t.Context(), change); err != nil || failed != nil {
		t.Fatalf("apply: %+v, %v", failed, err)
	}
	if err := h.Store.FinishQuery(t.Context(), item.Record.ID, asked, inbox.Schedule{}); err != nil {
		t.Error(err)
	}
	h.wantSchedule(t, item.Record.ID, change.Schedule)
}

func findsReference(t *testing.T, h Harness) {
	var want []payout.ID
	for n := range 3 {
		e := event(n, payout.Pending, func(e *payout.Event) { e.Reference = "order % / 7" })
		h.apply(t, received(e, "{}"), payout.Record{})
		want = append(want, e.ID)
	}
	h.schedule(t, 9, inbox.Schedule{})
	got, err := h.Store.ByReference(t.Context(), "order % / 7")
	slices.Sort(got)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, payouts (-want +got):\n%s", err, diff)
	}
	if got, err := h.Store.ByReference(t.Context(), "another"); err != nil || len(got) > 0 {
		t.Errorf("another: %v, %v", got, err)
	}
}

func reconcilesNothing(t *testing.T, h Harness) {
	item, held := h.schedule(t, 1, asked), heldAbout(1)
	create(t.Context(), t, h.Store, held)
	ctx, cancel := cancelled(t)
	defer cancel()
	_, errDue := h.Store.DueQueries(ctx, start, 10)
	_, _, errClaim := h.Store.ClaimQuery(ctx, dueOf(item), inbox.Schedule{})
	_, errReference := h.Store.ByReference(ctx, "PAY-1")
	_, errDueHeld := h.Store.DueHeld(ctx, start, 10)
	_, _, errClaimHeld := h.Store.ClaimHeld(ctx, dueHeldOf(held), inbox.Schedule{})
	_, errAnswer := h.Store.AnswerHeld(ctx, held.Key, inbox.Key{}, changedBy)
	for name, err := range map[string]error{
		"due queries": errDue, "claim query": errClaim, "by reference": errReference, "due held": errDueHeld, "claim held": errClaimHeld, "answer held": errAnswer,
		"finish query": h.Store.FinishQuery(ctx, item.Record.ID, asked, inbox.Schedule{}),
		"finish held":  h.Store.FinishHeld(ctx, held.Key, held.Query, inbox.Schedule{}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	h.wantSchedule(t, item.Record.ID, asked)
	h.wantReceipt(t, held)
}
