package repair_test

import (
	"testing"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/repair"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
)

// operation is a command of an operator.
type operation struct {
	before func(w *world)
	run    func(w *world, r *repair.Repairs) error
	other  func(w *world, r *repair.Repairs) error // of a second operator; nil: the same
	check  func(w *world)                          // after the command was completed
}

func operations() map[string]operation {
	release := func(w *world, r *repair.Repairs) error {
		_, err := r.Release(w.Context(), w.held(), w.received(event(payout.Succeeded, 0)), alice)
		return err
	}
	dismiss := func(w *world, r *repair.Repairs) error {
		_, err := r.Dismiss(w.Context(), w.held(), alice)
		return err
	}
	rebuild := func(w *world, r *repair.Repairs) error {
		_, err := r.Rebuild(w.Context(), payoutID, alice)
		return err
	}
	resolve := func(trusted payout.Status) func(w *world, r *repair.Repairs) error {
		return func(w *world, r *repair.Repairs) error {
			stored, err := r.Store.StoredPayout(w.Context(), payoutID)
			if err != nil {
				return err
			}
			resolution, err := stored.Record.NewResolution(event(trusted, 0))
			if err != nil {
				return nil //nolint:nilerr // the other operator resolved it
			}
			_, err = r.Inbox.Accept(w.Context(), inbox.NewResolutionReceipt(resolution, alice.Note(), noon))
			return err
		}
	}
	hold := func(w *world) { w.acceptAndApply(w.held()) }
	conflict := func(w *world) {
		w.acceptAndApply(w.received(event(payout.Succeeded, 0)), w.received(event(payout.Failed, 0)))
	}
	corrupt := func(w *world) {
		conflict(w)
		record := w.store.Record(payoutID)
		record.Claims = nil
		w.store.Overwrite(nil, []payout.Record{record})
	}
	return map[string]operation{
		"release": {hold, release, nil, func(w *world) { w.wantHeldState(inbox.Released); w.wantOneEvent() }},
		"release while another dismisses": {hold, release, dismiss, func(w *world) {
			// A dismissed callback never has an applied event, in whichever order.
			if applied := w.store.Record(payoutID).Version == 1; applied != (w.state(w.held().Key) == inbox.Released) {
				w.Errorf("event applied: %t, and the held receipt is %s", applied, w.state(w.held().Key))
			}
		}},
		"dismiss": {hold, dismiss, nil, func(w *world) { w.wantHeldState(inbox.Dismissed) }},
		"rebuild": {corrupt, rebuild, nil, func(*world) {}},
		"rebuild while events are applied": {corrupt, rebuild, func(w *world, r *repair.Repairs) error {
			_, err := r.Inbox.Apply(w.Context(), w.received(event(payout.Failed, 9)))
			return err
		}, func(*world) {}},
		"resolve": {conflict, resolve(payout.Failed), nil, func(w *world) {
			if got := w.store.Record(payoutID); got.Status() != payout.Failed || got.Version != 3 {
				w.Errorf("%s at version %d, want failed at version 3", got.Status(), got.Version)
			}
		}},
		"resolve differently": {conflict, resolve(payout.Failed), resolve(payout.Succeeded), func(w *world) {
			// Two concurrent resolutions conflict; the last one never wins silently.
			got := w.store.Record(payoutID)
			if len(got.Resolutions) == 2 && got.Status() != payout.Conflicted {
				w.Errorf("two resolutions, and the payout is %s", got.Status())
			}
		}},
	}
}

func (w *world) wantOneEvent() {
	w.Helper()
	record := w.store.Record(payoutID)
	if record.Version != 1 || record.Status() != payout.Succeeded {
		w.Errorf("the payout is %s at version %d, want succeeded at version 1", record.Status(), record.Version)
	}
}

func (w *world) wantHeldState(want inbox.State) {
	w.Helper()
	if got := w.state(w.held().Key); got != want {
		w.Errorf("the held receipt is %s, want %s", got, want)
	}
}

// I1 to I5: an operator runs a command again after a fault at any of its calls.
func TestRepairs_InterruptedAndRunAgain(t *testing.T) {
	for name, op := range operations() {
		t.Run(name, func(t *testing.T) {
			cases := 0
			for at := 0; ; at++ {
				reached := false
				for _, fault := range []inboxtest.Fault{inboxtest.Fails, inboxtest.Misreported, inboxtest.StopsBefore, inboxtest.StopsAfter} {
					w := newWorld(t)
					op.before(w)
					calls := 0
					repairs := w.repairs(func(string) inboxtest.Fault {
						calls++
						if calls-1 == at {
							reached = true
							return fault
						}
						return inboxtest.None
					})
					_ = op.run(w, repairs)
					w.consume()
					again := w.repairs(nil)
					if err := op.run(w, again); err != nil {
						t.Errorf("run again after call %d %s: %v", at, fault, err)
					}
					w.settle()
					op.check(w)
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

// I1 to I5: a second operator runs the same command, or the opposite, between any
// two calls of the first operator, whose calls may fail.
func TestRepairs_Concurrent(t *testing.T) {
	for name, op := range operations() {
		t.Run(name, func(t *testing.T) {
			cases := 0
			for at := 0; ; at++ {
				reached := false
				for _, fault := range []inboxtest.Fault{inboxtest.None, inboxtest.Fails, inboxtest.Misreported, inboxtest.StopsAfter} {
					w := newWorld(t)
					op.before(w)
					calls := 0
					first := w.repairs(func(string) inboxtest.Fault {
						calls++
						if calls-1 != at {
							return inboxtest.None
						}
						reached = true
						second := w.repairs(nil)
						other := op.other
						if other == nil {
							other = op.run
						}
						if err := other(w, second); err != nil {
							t.Error(err)
						}
						return fault
					})
					if err := op.run(w, first); err != nil {
						again := w.repairs(nil)
						if err := op.run(w, again); err != nil {
							t.Errorf("run again: %v", err)
						}
					}
					w.settle()
					op.check(w)
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
