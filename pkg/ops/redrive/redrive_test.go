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
	letters  map[string]*letter
	events   []redrive.Message
	receipts map[inbox.Key]inbox.State
	fault    func(call string) (before, after error)
	calls    int
}

type letter struct {
	redrive.Message

	visibleAt time.Time
}

func newWorld() *world {
	return &world{now: start, letters: map[string]*letter{}, receipts: map[inbox.Key]inbox.State{}}
}

func (w *world) put(id, body string) {
	w.letters[id] = &letter{redrive.Message{ID: id, Body: body, Group: "g-" + id, Trace: "t-" + id, SentAt: w.now}, time.Time{}}
}

// call does one thing, with the fault that the test wants.
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
		for _, id := range slices.Sorted(maps.Keys(w.letters)) {
			l := w.letters[id]
			if len(out) < 3 && !l.visibleAt.After(w.now) {
				l.visibleAt = w.now.Add(redrive.Hidden)
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
		if l := w.letters[message.ID]; l != nil && l.Handle == message.Handle {
			delete(w.letters, message.ID)
		}
		return nil
	})
}

func (w *world) Return(_ context.Context, message redrive.Message) error {
	return w.call("return", func() error {
		l := w.letters[message.ID]
		if l == nil || l.Handle != message.Handle {
			return errors.New("not in flight")
		}
		l.visibleAt = w.now
		return nil
	})
}

func (w *world) Receipt(_ context.Context, key inbox.Key) (receipt inbox.Receipt, ok bool, err error) {
	err = w.call("receipt", func() error {
		state, known := w.receipts[key]
		if state == "damaged" {
			return inbox.ErrDamagedReceipt
		}
		receipt, ok = inbox.Receipt{Key: key, State: state}, known
		return nil
	})
	return receipt, ok || errors.Is(err, inbox.ErrDamagedReceipt), err
}

func (w *world) desk() *redrive.Redriver { return &redrive.Redriver{Queue: w, Receipts: w} }

func ours(t testing.TB, n int) (string, inbox.Key) {
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

// mixed is a queue with two kinds of poison among letters of every other cause.
func mixed(t testing.TB) *world {
	t.Helper()
	w := newWorld()
	for n, state := range []inbox.State{"", inbox.Received, inbox.Applied, inbox.Held, "damaged", ""} {
		text, key := ours(t, n)
		w.put(fmt.Sprintf("m%d", n), text)
		if state != "" {
			w.receipts[key] = state
		}
	}
	w.put("p1", "hello")
	w.put("p2", `{"v":99}`)
	return w
}

func TestEachLetterIsToldItsCauseOnceAndPutBack(t *testing.T) {
	w := mixed(t)
	got := map[string]redrive.Cause{}
	more, err := w.desk().Walk(t.Context(), 100, func(diagnosed redrive.Diagnosis) error {
		if got[diagnosed.ID] != "" {
			t.Errorf("%s is shown twice", diagnosed.ID)
		}
		got[diagnosed.ID] = diagnosed.Cause
		if (diagnosed.Cause == redrive.Unreadable) != (diagnosed.Why != "") {
			t.Errorf("%s: why %q", diagnosed.ID, diagnosed.Why)
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
	wantAllInSight(t, w)
	if more, err := w.desk().Walk(t.Context(), 3, func(redrive.Diagnosis) error { return nil }); !more || err != nil {
		t.Errorf("bounded: more %t, %v", more, err)
	}
	wantAllInSight(t, w)
}

func wantAllInSight(t *testing.T, w *world) {
	t.Helper()
	for id, l := range w.letters {
		if l.visibleAt.After(w.now) {
			t.Errorf("%s is still out of sight", id)
		}
	}
}

func TestTheFilterChooses(t *testing.T) {
	for name, test := range map[string]struct {
		filter redrive.Filter
		want   []string
	}{
		"all that are ours":   {redrive.Filter{}, []string{"m0", "m1", "m2", "m3", "m4", "m5"}},
		"foreign":             {redrive.Filter{Causes: []redrive.Cause{redrive.Unreadable}}, []string{"p1", "p2"}},
		"two causes":          {redrive.Filter{Causes: []redrive.Cause{redrive.Absent, redrive.Unapplied}}, []string{"m0", "m1", "m5"}},
		"by id, foreign too":  {redrive.Filter{IDs: []string{"m1", "p2"}}, []string{"m1", "p2"}},
		"another provider":    {redrive.Filter{Provider: "pivot"}, nil},
		"provider":            {redrive.Filter{Provider: "cregis", Causes: []redrive.Cause{redrive.AlreadyHandled}}, []string{"m2", "m3"}},
		"older than the rest": {redrive.Filter{Before: start}, nil},
		"before later":        {redrive.Filter{Before: start.Add(time.Second), IDs: []string{"m0"}}, []string{"m0"}},
	} {
		t.Run(name, func(t *testing.T) {
			dry := mixed(t)
			done, err := dry.desk().Redrive(t.Context(), redrive.Options{Filter: test.filter, Limit: 100, DryRun: true})
			if err != nil || done.Chosen != len(test.want) || done.Moved != 0 || len(dry.events) != 0 || len(dry.letters) != 8 {
				t.Errorf("dry run: %+v, %v", done, err)
			}
			w := mixed(t)
			before := maps.Clone(w.letters)
			done, err = w.desk().Redrive(t.Context(), redrive.Options{Filter: test.filter, Limit: 100})
			if err != nil || done.Moved != len(test.want) {
				t.Errorf("%+v, %v", done, err)
			}
			var moved []string
			for _, sent := range w.events {
				moved = append(moved, sent.ID)
				if was := before[sent.ID]; sent.Body != was.Body || sent.Group != was.Group || sent.Trace != was.Trace {
					t.Errorf("%s was changed", sent.ID)
				}
			}
			slices.Sort(moved)
			if diff := cmp.Diff(test.want, moved); diff != "" || len(w.letters) != 8-len(test.want) {
				t.Errorf("moved:\n%s", diff)
			}
			wantAllInSight(t, w)
		})
	}
}

// I1: whatever call fails, done or not, and wherever a person stops the work,
// each letter is in one of the queues, and run again it ends with each in one.
func TestNoFaultLosesALetter(t *testing.T) {
	broken := errors.New("connection cut")
	for n := range 60 {
		for _, kind := range []string{"not done", "done", "interrupted"} {
			t.Run(fmt.Sprintf("call %d %s", n, kind), func(t *testing.T) {
				w := mixed(t)
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
				_, _ = w.desk().Redrive(ctx, redrive.Options{Filter: redrive.Filter{Causes: redrive.Causes()}, Limit: 100})
				w.fault = nil
				wantNoneLost(t, w, 8)
				w.now = w.now.Add(redrive.Hidden) // what could not be put back comes back
				if done, err := w.desk().Redrive(t.Context(), redrive.Options{Filter: redrive.Filter{Causes: redrive.Causes()}, Limit: 100}); err != nil || len(w.letters) > 0 {
					t.Errorf("again: %+v, %v, %d left", done, err, len(w.letters))
				}
				wantNoneLost(t, w, 8)
				if len(w.events) > 9 {
					t.Errorf("%d messages of 8 letters: one fault doubles one at most", len(w.events))
				}
			})
		}
	}
}

func wantNoneLost(t *testing.T, w *world, want int) {
	t.Helper()
	seen := map[string]bool{}
	for id := range w.letters {
		seen[id] = true
	}
	for _, event := range w.events {
		seen[event.ID] = true
	}
	if len(seen) != want {
		t.Errorf("%d letters are left of %d", len(seen), want)
	}
}

func TestNothingIsRemovedThatWasNotSaved(t *testing.T) {
	w := mixed(t)
	saved := 0
	save := func(redrive.Diagnosis) error {
		if saved++; saved == 2 {
			return errors.New("disk is full")
		}
		return nil
	}
	done, err := w.desk().Remove(t.Context(), redrive.Options{Filter: redrive.Filter{Causes: []redrive.Cause{redrive.Unreadable}}, Limit: 100}, save)
	if err == nil || done.Moved != 1 || len(w.letters) != 7 || len(w.events) != 0 {
		t.Errorf("%+v, %v, %d letters left", done, err, len(w.letters))
	}
	wantAllInSight(t, w)
}

// Two people at once: each letter goes once between them.
func TestTwoPeopleAtOnce(t *testing.T) {
	w := mixed(t)
	var waitGroup sync.WaitGroup
	for range 2 {
		waitGroup.Go(func() {
			if _, err := w.desk().Redrive(t.Context(), redrive.Options{Filter: redrive.Filter{Causes: redrive.Causes()}, Limit: 100}); err != nil {
				t.Error(err)
			}
		})
	}
	waitGroup.Wait()
	wantNoneLost(t, w, 8)
	if len(w.events) != 8 || len(w.letters) != 0 {
		t.Errorf("%d sent, %d left", len(w.events), len(w.letters))
	}
}

// What stays in the queue comes back into sight while a long run goes on, and
// hides nothing that was not seen yet.
func TestALongRunComesToTheLastLetter(t *testing.T) {
	w := newWorld()
	for n := range 3 {
		w.put(fmt.Sprintf("a%d", n), "not ours")
	}
	const many = 9
	for n := range many {
		body, _ := ours(t, n)
		w.put(fmt.Sprintf("b%d", n), body)
	}
	w.fault = func(call string) (before, after error) {
		if call == "receive" {
			w.now = w.now.Add(redrive.Hidden * 2 / 3)
		}
		return nil, nil
	}
	done, err := w.desk().Redrive(t.Context(), redrive.Options{Limit: 100})
	want := redrive.Progress{Seen: many + 3, Chosen: many, Moved: many}
	if diff := cmp.Diff(want, done); err != nil || diff != "" {
		t.Errorf("%v, done (-want +got):\n%s", err, diff)
	}
}

// The pace is kept, and an interruption while waiting leaves the letter.
func TestThePaceIsKept(t *testing.T) {
	w := mixed(t)
	ctx, cancel := context.WithCancel(t.Context())
	pace := make(chan time.Time, 2)
	pace <- start
	pace <- start
	order := redrive.Options{Limit: 100, Pace: pace, Progress: func(done redrive.Progress) {
		if done.Moved == 2 {
			cancel()
		}
	}}
	done, err := w.desk().Redrive(ctx, order)
	if !errors.Is(err, context.Canceled) || done.Moved != 2 || len(w.events) != 2 || len(w.letters) != 6 {
		t.Errorf("%+v, %v", done, err)
	}
	wantAllInSight(t, w)
}

// Slow work on many letters: they come back in sight in the middle of it, and
// others take some. None is lost, and the walk ends.
func TestAnyOrderOfTimeAndFaultsLosesNothing(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := mixed(t)
		w.fault = func(string) (before, after error) {
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 12).Draw(r, "seconds")) * time.Second)
			if rapid.IntRange(0, 9).Draw(r, "fault") == 0 {
				return nil, errors.New("no answer")
			}
			return nil, nil
		}
		filter := redrive.Filter{Causes: rapid.SliceOfDistinct(rapid.SampledFrom(redrive.Causes()), func(c redrive.Cause) redrive.Cause { return c }).Draw(r, "causes")}
		_, _ = w.desk().Redrive(t.Context(), redrive.Options{Filter: filter, Limit: 100})
		wantNoneLost(t, w, 8)
	})
}
