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

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"payout-callbacks/pkg/ops/redrive"
)

func TestWalk_Causes(t *testing.T) {
	w := newMixedWorld(t)
	got := map[string]redrive.Cause{}
	more, err := w.redriver().Walk(t.Context(), 100, func(diagnosis redrive.Diagnosis) error {
		if got[diagnosis.ID] != "" {
			t.Errorf("%s is shown twice", diagnosis.ID)
		}
		got[diagnosis.ID] = diagnosis.Cause
		if (diagnosis.Cause == redrive.Unreadable) != (diagnosis.Why != "") {
			t.Errorf("%s: why %q", diagnosis.ID, diagnosis.Why)
		}
		return nil
	})
	want := map[string]redrive.Cause{
		"m0": redrive.Absent, "m1": redrive.Unapplied, "m2": redrive.AlreadyHandled, "m3": redrive.AlreadyHandled, "m4": redrive.Damaged,
		"m5": redrive.Absent, "p1": redrive.Unreadable, "p2": redrive.Unreadable,
	}
	if diff := cmp.Diff(want, got); more || err != nil || diff != "" {
		t.Errorf("more %t, %v\n%s", more, err, diff)
	}
	wantAllVisible(t, w)
	if more, err := w.redriver().Walk(t.Context(), 3, func(redrive.Diagnosis) error { return nil }); !more || err != nil {
		t.Errorf("limit 3: more %t, %v", more, err)
	}
	wantAllVisible(t, w)
}

func wantAllVisible(t *testing.T, w *world) {
	t.Helper()
	for id, l := range w.messages {
		if l.visibleAt.After(w.now) {
			t.Errorf("%s is still invisible", id)
		}
	}
}

func TestRedrive_Filter(t *testing.T) {
	for name, test := range map[string]struct {
		filter redrive.Filter
		want   []string
	}{
		"default":          {redrive.Filter{}, []string{"m0", "m1", "m2", "m3", "m4", "m5"}},
		"unreadable":       {redrive.Filter{Causes: []redrive.Cause{redrive.Unreadable}}, []string{"p1", "p2"}},
		"two causes":       {redrive.Filter{Causes: []redrive.Cause{redrive.Absent, redrive.Unapplied}}, []string{"m0", "m1", "m5"}},
		"by id":            {redrive.Filter{IDs: []string{"m1", "p2"}}, []string{"m1", "p2"}},
		"another provider": {redrive.Filter{Provider: "pivot"}, nil},
		"provider":         {redrive.Filter{Provider: "cregis", Causes: []redrive.Cause{redrive.AlreadyHandled}}, []string{"m2", "m3"}},
		"before the first": {redrive.Filter{Before: start}, nil},
		"before later":     {redrive.Filter{Before: start.Add(time.Second), IDs: []string{"m0"}}, []string{"m0"}},
	} {
		t.Run(name, func(t *testing.T) {
			dry := newMixedWorld(t)
			progress, err := dry.redriver().Redrive(t.Context(), redrive.Options{Filter: test.filter, Limit: 100, DryRun: true})
			if err != nil || progress.Chosen != len(test.want) || progress.Moved != 0 || len(dry.events) != 0 || len(dry.messages) != 8 {
				t.Errorf("dry run: %+v, %v", progress, err)
			}
			w := newMixedWorld(t)
			before := maps.Clone(w.messages)
			progress, err = w.redriver().Redrive(t.Context(), redrive.Options{Filter: test.filter, Limit: 100})
			if err != nil || progress.Moved != len(test.want) {
				t.Errorf("%+v, %v", progress, err)
			}
			var moved []string
			for _, sent := range w.events {
				moved = append(moved, sent.ID)
				if was := before[sent.ID]; sent.Body != was.Body || sent.Group != was.Group || sent.Trace != was.Trace {
					t.Errorf("%s was changed", sent.ID)
				}
			}
			slices.Sort(moved)
			if diff := cmp.Diff(test.want, moved); diff != "" || len(w.messages) != 8-len(test.want) {
				t.Errorf("moved:\n%s", diff)
			}
			wantAllVisible(t, w)
		})
	}
}

// I1: after a fault at any call, or an interruption, each message is in one of the
// queues, and another run moves the rest.
func TestRedrive_FaultAtEachCall(t *testing.T) {
	broken := errors.New("connection cut")
	for n := range 60 {
		for _, kind := range []string{"not done", "done", "interrupted"} {
			t.Run(fmt.Sprintf("call %d %s", n, kind), func(t *testing.T) {
				w := newMixedWorld(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				w.fault = func(string) (before, after error) {
					switch {
					case w.calls != n+1:
						return ctx.Err(), nil
					case kind == "not done":
						return broken, nil
					case kind == "interrupted":
						cancel()
						return nil, context.Canceled
					}
					return nil, broken
				}
				_, _ = w.redriver().Redrive(ctx, redrive.Options{Filter: redrive.Filter{Causes: redrive.Causes()}, Limit: 100})
				w.fault = nil
				wantNoneLost(t, w, 8)
				w.now = w.now.Add(redrive.VisibilityTimeout) // what could not be put back comes back
				if progress, err := w.redriver().Redrive(t.Context(), redrive.Options{Filter: redrive.Filter{Causes: redrive.Causes()}, Limit: 100}); err != nil || len(w.messages) > 0 {
					t.Errorf("again: %+v, %v, %d left", progress, err, len(w.messages))
				}
				wantNoneLost(t, w, 8)
				if len(w.events) > 9 {
					t.Errorf("%d messages sent for 8: one fault duplicates one message at most", len(w.events))
				}
			})
		}
	}
}

func wantNoneLost(t *testing.T, w *world, want int) {
	t.Helper()
	seen := map[string]bool{}
	for id := range w.messages {
		seen[id] = true
	}
	for _, event := range w.events {
		seen[event.ID] = true
	}
	if len(seen) != want {
		t.Errorf("%d messages remain of %d", len(seen), want)
	}
}

func TestRemove_SaveFails(t *testing.T) {
	w := newMixedWorld(t)
	saved := 0
	save := func(redrive.Diagnosis) error {
		if saved++; saved == 2 {
			return errors.New("disk is full")
		}
		return nil
	}
	progress, err := w.redriver().Remove(t.Context(), redrive.Options{Filter: redrive.Filter{Causes: []redrive.Cause{redrive.Unreadable}}, Limit: 100}, save)
	if err == nil || progress.Moved != 1 || len(w.messages) != 7 || len(w.events) != 0 {
		t.Errorf("%+v, %v, %d messages left", progress, err, len(w.messages))
	}
	wantAllVisible(t, w)
}

// Two concurrent redrives send each message once.
func TestRedrive_Concurrent(t *testing.T) {
	w := newMixedWorld(t)
	var waitGroup sync.WaitGroup
	for range 2 {
		waitGroup.Go(func() {
			if _, err := w.redriver().Redrive(t.Context(), redrive.Options{Filter: redrive.Filter{Causes: redrive.Causes()}, Limit: 100}); err != nil {
				t.Error(err)
			}
		})
	}
	waitGroup.Wait()
	wantNoneLost(t, w, 8)
	if len(w.events) != 8 || len(w.messages) != 0 {
		t.Errorf("%d sent, %d left", len(w.events), len(w.messages))
	}
}

// Messages that become visible again during a long run do not hide new ones.
func TestRedrive_LongerThanVisibilityTimeout(t *testing.T) {
	w := newWorld()
	for n := range 3 {
		w.put(fmt.Sprintf("a%d", n), "unreadable")
	}
	const many = 9
	for n := range many {
		body, _ := encode(t, n)
		w.put(fmt.Sprintf("b%d", n), body)
	}
	w.fault = func(call string) (before, after error) {
		if call == "receive" {
			w.now = w.now.Add(redrive.VisibilityTimeout * 2 / 3)
		}
		return nil, nil
	}
	progress, err := w.redriver().Redrive(t.Context(), redrive.Options{Limit: 100})
	want := redrive.Progress{Seen: many + 3, Chosen: many, Moved: many}
	if diff := cmp.Diff(want, progress); err != nil || diff != "" {
		t.Errorf("%v, progress (-want +got):\n%s", err, diff)
	}
}

// An interruption while Redrive waits for the pace leaves the message.
func TestRedrive_Pace(t *testing.T) {
	w := newMixedWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	pace := make(chan time.Time, 2)
	pace <- start
	pace <- start
	options := redrive.Options{Limit: 100, Pace: pace, Progress: func(progress redrive.Progress) {
		if progress.Moved == 2 {
			cancel()
		}
	}}
	progress, err := w.redriver().Redrive(ctx, options)
	if !errors.Is(err, context.Canceled) || progress.Moved != 2 || len(w.events) != 2 || len(w.messages) != 6 {
		t.Errorf("%+v, %v", progress, err)
	}
	wantAllVisible(t, w)
}

// Slow calls and faults in any order: messages become visible again meanwhile, and
// others may receive them. None is lost, and the redrive ends.
func TestRedrive_RandomDelaysAndFaults(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := newMixedWorld(t)
		w.fault = func(string) (before, after error) {
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 12).Draw(r, "seconds")) * time.Second)
			if rapid.IntRange(0, 9).Draw(r, "fault") == 0 {
				return nil, errors.New("no answer")
			}
			return nil, nil
		}
		filter := redrive.Filter{Causes: rapid.SliceOfDistinct(rapid.SampledFrom(redrive.Causes()), func(c redrive.Cause) redrive.Cause { return c }).Draw(r, "causes")}
		_, _ = w.redriver().Redrive(t.Context(), redrive.Options{Filter: filter, Limit: 100})
		wantNoneLost(t, w, 8)
	})
}
