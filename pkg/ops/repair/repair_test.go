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
	noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	one  = payout.NewID("cregis", payout.TypePayout, "7", "1", "")
	hand = inbox.NewChangedBy("alice", "why", noon)
)

// world is a store and a queue in memory, and people whose calls go wrong.
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

// person is one run of the tool; nothing goes wrong unless decide says so.
func (w *world) person(decide func(call string) inboxtest.Fault) (*repair.Repairs, *inboxtest.Process) {
	if decide == nil {
		decide = func(string) inboxtest.Fault { return inboxtest.None }
	}
	process := &inboxtest.Process{Store: w.store, Queue: w.queue, DeadLetters: w.queue, Decide: decide}
	return &repair.Repairs{
		Store: faulty{w.store, process}, Inbox: process.Inbox(func() time.Time { return w.now }),
	}, process
}

// faulty is repair.Store with the calls of a process.
type faulty struct {
	*memory.Store

	p *inboxtest.Process
}

func (f faulty) Receipt(ctx context.Context, key inbox.Key) (receipt inbox.Receipt, ok bool, err error) {
	err = f.p.Call(ctx, "Receipt", func() (err error) { receipt, ok, err = f.Store.Receipt(ctx, key); return err })
	return receipt, ok, err
}

func (f faulty) StoredPayout(ctx context.Context, id payout.ID) (storedPayout inbox.StoredPayout, err error) {
	err = f.p.Call(ctx, "Standing", func() (err error) { storedPayout, err = f.Store.StoredPayout(ctx, id); return err })
	return storedPayout, err
}

func (f faulty) ReceiptsOf(ctx context.Context, id payout.ID) iter.Seq2[inbox.Receipt, error] {
	items := f.Store.ReceiptsOf(ctx, id)
	if err := f.p.Call(ctx, "Story", func() error { return nil }); err != nil {
		return func(yield func(inbox.Receipt, error) bool) { yield(inbox.Receipt{}, err) }
	}
	return items
}

func (f faulty) Close(ctx context.Context, closed inbox.Receipt) (met inbox.State, err error) {
	err = f.p.Call(ctx, "Close", func() (err error) { met, err = f.Store.Close(ctx, closed); return err })
	return met, err
}

func (f faulty) Rewrite(ctx context.Context, record payout.Record, read inbox.StoredPayout, by inbox.ChangedBy) (done bool, err error) {
	err = f.p.Call(ctx, "Rewrite", func() (err error) { done, err = f.Store.Rewrite(ctx, record, read, by); return err })
	return done, err
}

func event(status payout.Status, height uint64) payout.Event {
	return payout.Event{ID: one, Status: status, Amount: "1.1", BlockHeight: height}
}

func (w *world) received(e payout.Event) inbox.Receipt {
	return inbox.NewReceipt(e, []byte("a body"), "0a1b2c3d", noon)
}

func (w *world) held() inbox.Receipt {
	return inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "cregis", Type: payout.TypePayout, Account: "7", Subject: []byte("s"), Reason: "unknown-status",
	}, []byte("a body"), "0a1b2c3d", noon)
}

func (w *world) tell(receipts ...inbox.Receipt) {
	w.Helper()
	honest, _ := w.person(nil)
	for _, receipt := range receipts {
		if _, err := honest.Inbox.Accept(w.Context(), receipt); err != nil {
			w.Fatal(err)
		}
	}
	w.consume()
}

func (w *world) consume() {
	w.Helper()
	honest, _ := w.person(nil)
	for _, message := range w.queue.Deliver(100) {
		if _, err := honest.Inbox.Apply(w.Context(), message.Receipt); err != nil {
			w.Fatal(err)
		}
		w.queue.Ack(message.Handle)
	}
}

// settle is the system's own recovery; then everything must be as Check says.
func (w *world) settle() {
	w.Helper()
	honest, _ := w.person(nil)
	for range 2 {
		w.consume()
		w.now = w.now.Add(time.Hour)
		if _, err := honest.Inbox.Sweep(w.Context(), 100); err != nil {
			w.Fatal(err)
		}
	}
	w.consume()
	state := inboxtest.State{Receipts: w.store.Receipts(), Records: w.store.Records()}
	for _, wrong := range inboxtest.Check(state, nil, true) {
		w.Errorf("%s\n%s", wrong, state.Dump())
	}
}

func (w *world) state(key inbox.Key) inbox.State {
	receipt, _, _ := w.store.Receipt(w.Context(), key)
	return receipt.State
}

// operation is something that a person does, and what must have come of it once
// it was done to its end.
type operation struct {
	before func(w *world)
	act    func(w *world, r *repair.Repairs) error
	other  func(w *world, r *repair.Repairs) error // what a second person does meanwhile; nil: the same
	after  func(w *world)
}

func operations() map[string]operation {
	release := func(w *world, r *repair.Repairs) error {
		_, err := r.Release(w.Context(), w.held(), w.received(event(payout.Succeeded, 0)), hand)
		return err
	}
	dismiss := func(w *world, r *repair.Repairs) error {
		_, err := r.Dismiss(w.Context(), w.held(), hand)
		return err
	}
	rebuild := func(w *world, r *repair.Repairs) error {
		_, err := r.Rebuild(w.Context(), one, hand)
		return err
	}
	resolve := func(trusted payout.Status) func(w *world, r *repair.Repairs) error {
		return func(w *world, r *repair.Repairs) error {
			storedPayout, err := r.Store.StoredPayout(w.Context(), one)
			if err != nil {
				return err
			}
			decision, err := storedPayout.Record.NewResolution(event(trusted, 0))
			if err != nil {
				return nil //nolint:nilerr // it was decided meanwhile
			}
			_, err = r.Inbox.Accept(w.Context(), inbox.NewResolutionReceipt(decision, hand.Note(), noon))
			return err
		}
	}
	holdOne := func(w *world) { w.tell(w.held()) }
	tear := func(w *world) { w.tell(w.received(event(payout.Succeeded, 0)), w.received(event(payout.Failed, 0))) }
	spoil := func(w *world) {
		tear(w)
		record := w.store.Record(one)
		record.Claims = nil
		w.store.Overwrite(nil, []payout.Record{record})
	}
	once := func(w *world) {
		record := w.store.Record(one)
		if record.Version != 1 || record.Status() != payout.Succeeded {
			w.Errorf("the payout is %s of %d facts, want succeeded of one", record.Status(), record.Version)
		}
	}
	is := func(w *world, want inbox.State) {
		if got := w.state(w.held().Key); got != want {
			w.Errorf("the held callback is %s, want %s", got, want)
		}
	}
	return map[string]operation{
		"release": {holdOne, release, nil, func(w *world) { is(w, inbox.Released); once(w) }},
		"release while another dismisses": {holdOne, release, dismiss, func(w *world) {
			// Whoever came first: never a callback that is dismissed although its event is applied.
			if applied := w.store.Record(one).Version == 1; applied != (w.state(w.held().Key) == inbox.Released) {
				w.Errorf("its event is applied: %t, and it is %s", applied, w.state(w.held().Key))
			}
		}},
		"dismiss": {holdOne, dismiss, nil, func(w *world) { is(w, inbox.Dismissed) }},
		"rebuild": {spoil, rebuild, nil, func(*world) {}},
		"rebuild while facts come": {spoil, rebuild, func(w *world, r *repair.Repairs) error {
			_, err := r.Inbox.Apply(w.Context(), w.received(event(payout.Failed, 9)))
			return err
		}, func(*world) {}},
		"resolve": {tear, resolve(payout.Failed), nil, func(w *world) {
			if got := w.store.Record(one); got.Status() != payout.Failed || got.Version != 3 {
				w.Errorf("%s of %d facts, want failed of three", got.Status(), got.Version)
			}
		}},
		"resolve in two ways": {tear, resolve(payout.Failed), resolve(payout.Succeeded), func(w *world) {
			// One decided before the other looked, or they contradict each other: it is never silently the last.
			got := w.store.Record(one)
			if len(got.Resolutions) == 2 && got.Status() != payout.Conflicted {
				w.Errorf("two decisions, and the payout shows %s", got.Status())
			}
		}},
	}
}

// I1 to I5: each thing that a person does by hand is killed, or fails, or is
// said to have failed, at each call that it makes; then it is run again.
func TestWhatIsStoppedHalfWayIsRunAgain(t *testing.T) {
	for name, op := range operations() {
		t.Run(name, func(t *testing.T) {
			cases := 0
			for at := 0; ; at++ {
				reached := false
				for _, fault := range []inboxtest.Fault{inboxtest.Fails, inboxtest.Misreported, inboxtest.StopsBefore, inboxtest.StopsAfter} {
					w := newWorld(t)
					op.before(w)
					calls := 0
					faulty, _ := w.person(func(string) inboxtest.Fault {
						calls++
						if calls-1 == at {
							reached = true
							return fault
						}
						return inboxtest.None
					})
					_ = op.act(w, faulty)
					w.consume()
					again, _ := w.person(nil)
					if err := op.act(w, again); err != nil {
						t.Errorf("run again after call %d %s: %v", at, fault, err)
					}
					w.settle()
					op.after(w)
					cases++
				}
				if !reached {
					break
				}
			}
			t.Logf("%d cases", cases)
		})
	}
}

// I1 to I5: a second person does the same, or the opposite, between any two
// calls of the first, whose own calls may go wrong as well.
func TestTwoPeopleAtOnce(t *testing.T) {
	for name, op := range operations() {
		t.Run(name, func(t *testing.T) {
			cases := 0
			for at := 0; ; at++ {
				reached := false
				for _, fault := range []inboxtest.Fault{inboxtest.None, inboxtest.Fails, inboxtest.Misreported, inboxtest.StopsAfter} {
					w := newWorld(t)
					op.before(w)
					calls := 0
					first, _ := w.person(func(string) inboxtest.Fault {
						calls++
						if calls-1 != at {
							return inboxtest.None
						}
						reached = true
						second, _ := w.person(nil)
						other := op.other
						if other == nil {
							other = op.act
						}
						if err := other(w, second); err != nil {
							t.Error(err)
						}
						return fault
					})
					if err := op.act(w, first); err != nil {
						again, _ := w.person(nil)
						if err := op.act(w, again); err != nil {
							t.Errorf("run again: %v", err)
						}
					}
					w.settle()
					op.after(w)
					cases++
				}
				if !reached {
					break
				}
			}
			t.Logf("%d cases", cases)
		})
	}
}

func TestRefoldWritesOnlyWhatIsDifferentAndKnown(t *testing.T) {
	for name, test := range map[string]struct {
		before func(w *world)
		want   repair.Verdict
	}{
		"as it should be": {func(w *world) { w.tell(w.received(event(payout.Failed, 0))) }, repair.Equal},
		"unreadable":      {func(w *world) { w.tell(w.received(event(payout.Failed, 0))); w.store.CorruptRecord(one) }, repair.Differs},
		"gone":            {func(w *world) { w.tell(w.received(event(payout.Failed, 0))); w.store.DeleteRecord(one) }, repair.Differs},
		"nothing tells of it": {func(w *world) {
			w.tell(w.received(event(payout.Failed, 0)))
			w.store.DeleteReceipt(w.received(event(payout.Failed, 0)).Key)
		}, repair.NoReceipts},
		"a receipt is unreadable": {func(w *world) {
			w.tell(w.received(event(payout.Failed, 0)))
			w.store.CorruptReceipt(w.received(event(payout.Failed, 0)).Key)
		}, repair.Unreadable},
		"nobody knows it": {func(*world) {}, repair.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.before(w)
			writes := 0
			repairs, _ := w.person(func(call string) inboxtest.Fault {
				if call == "Rewrite" {
					writes++
				}
				return inboxtest.None
			})
			plan, err := repairs.Rebuild(t.Context(), one, hand)
			if err != nil || plan.Verdict != test.want || (writes == 1) != (test.want == repair.Differs) {
				t.Errorf("%s, %v, %d writes, want %s", plan.Verdict, err, writes, test.want)
			}
			if again, err := repairs.Plan(t.Context(), one); test.want == repair.Differs && (err != nil || again.Verdict != repair.Equal) {
				t.Errorf("afterwards: %s, %v", again.Verdict, err)
			}
		})
	}
}

// Somebody dismissed it after it was listed, and before it was released.
func TestADismissalStandsAgainstARelease(t *testing.T) {
	w := newWorld(t)
	w.tell(w.held())
	repairs, _ := w.person(nil)
	if _, err := repairs.Dismiss(t.Context(), w.held(), hand); err != nil {
		t.Fatal(err)
	}
	outcome, err := repairs.Release(t.Context(), w.held(), w.received(event(payout.Succeeded, 0)), hand)
	if err != nil || outcome != repair.Moved || len(w.store.Receipts()) != 1 {
		t.Errorf("%s, %v, %d receipts, want it left alone", outcome, err, len(w.store.Receipts()))
	}
}

func TestWhatIsNotUnderstoodStaysHeld(t *testing.T) {
	w := newWorld(t)
	w.tell(w.held())
	repairs, _ := w.person(nil)
	if outcome, err := repairs.Release(t.Context(), w.held(), w.held(), hand); err != nil || outcome != repair.StillHeld {
		t.Errorf("%s, %v", outcome, err)
	}
	if got := w.state(w.held().Key); got != inbox.Held {
		t.Errorf("it is %s", got)
	}
	absent := inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "cregis", Type: payout.TypePayout, Account: "7", Subject: []byte("other")}, nil, "", noon)
	if outcome, err := repairs.Release(t.Context(), absent, w.received(event(payout.Failed, 0)), hand); err != nil || outcome != repair.Missing {
		t.Errorf("one that is not there: %s, %v", outcome, err)
	}
	if outcome, err := repairs.Dismiss(t.Context(), absent, hand); err != nil || outcome != repair.Missing {
		t.Errorf("one that is not there: %s, %v", outcome, err)
	}
}

// The table is down: nothing goes past it through the queue, and the callback
// stays held. The queue is down: the sweeper sends what the table has.
func TestAReleaseWithATableOrAQueueThatIsDown(t *testing.T) {
	for call, want := range map[string]inbox.State{"store.Create": inbox.Held, "queue.Send": inbox.Released} {
		w := newWorld(t)
		w.tell(w.held())
		repairs, _ := w.person(func(text string) inboxtest.Fault {
			if text == call {
				return inboxtest.Fails
			}
			return inboxtest.None
		})
		_, err := repairs.Release(t.Context(), w.held(), w.received(event(payout.Succeeded, 0)), hand)
		live, _ := w.queue.Depth()
		if got := w.state(w.held().Key); got != want || (err == nil) != (want == inbox.Released) || live != 0 {
			t.Errorf("%s fails: %v, it is %s, and %d messages", call, err, got, live)
		}
		w.settle()
	}
}

// I7: the same callback that comes again is a duplicate of the one that was
// released or dismissed, is acknowledged, and changes nothing.
func TestACallbackThatWasTakenUpIsADuplicate(t *testing.T) {
	for _, act := range []string{"release", "dismiss"} {
		w := newWorld(t)
		w.tell(w.held())
		repairs, _ := w.person(nil)
		if err := operations()[act].act(w, repairs); err != nil {
			t.Fatal(err)
		}
		w.consume()
		before := w.state(w.held().Key)
		again := w.held()
		again.AcceptedAt = again.AcceptedAt.Add(time.Hour)
		accepted, err := repairs.Inbox.Accept(t.Context(), again)
		if err != nil || accepted.Acceptance != inbox.AcceptedDuplicate || w.state(w.held().Key) != before {
			t.Errorf("%s, then told again: %q, %v, and it is %s", act, accepted.Acceptance, err, w.state(w.held().Key))
		}
		if outcome, err := repairs.Inbox.Apply(t.Context(), w.held()); err != nil || outcome != inbox.ApplyDuplicate {
			t.Errorf("%s, then delivered by the queue: %s, %v", act, outcome, err)
		}
		if live, _ := w.queue.Depth(); live != 0 {
			t.Errorf("%s: %d messages", act, live)
		}
		w.settle()
	}
}
