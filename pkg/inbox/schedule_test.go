package inbox_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/memory"
)

const unknownID payout.ID = "cregis/payout/1382528827416576//PAY-1"

// scheduler applies statements and shows the schedule of their payout.
type scheduler struct {
	*testing.T
	now   time.Time
	store *memory.Store
	box   *inbox.Inbox
}

func newScheduler(t *testing.T, mode inbox.QueryMode) *scheduler {
	s := &scheduler{T: t, now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), store: &memory.Store{}}
	s.box = &inbox.Inbox{Store: s.store, Now: func() time.Time { return s.now }}
	s.setMode(mode)
	return s
}

func (s *scheduler) setMode(mode inbox.QueryMode) {
	s.box.Queries = map[string]inbox.QueryMode{"cregis": mode, "pivot": mode}
}

// apply merges events and resolutions, and returns the schedule of their payout.
func (s *scheduler) apply(statements ...any) inbox.Schedule {
	s.Helper()
	var id payout.ID
	for _, statement := range statements {
		var receipt inbox.Receipt
		switch statement := statement.(type) {
		case payout.Event:
			if statement.Deadline != 0 { // stated as a duration
				statement.Deadline += s.now.UnixMilli()
			}
			receipt = inbox.NewReceipt(statement, nil, "", s.now)
		case payout.Resolution:
			receipt = inbox.NewResolutionReceipt(statement, "", s.now)
		}
		id = payout.ID(receipt.Key.Payout)
		if result, _, err := s.box.ApplyNew(s.Context(), receipt); err != nil || result == inbox.ApplyDuplicate {
			s.Fatalf("apply %+v: %s, %v", statement, result, err)
		}
	}
	return s.store.Schedule(id)
}

// claim claims the query of a payout for the try with this number.
func (s *scheduler) claim(id payout.ID, try int) inbox.Schedule {
	s.Helper()
	due := reconcile.DueQuery{ID: id, At: s.store.Schedule(id).At, Confirms: s.store.Schedule(id).Confirms}
	item := inbox.PayoutItem{Record: s.store.Record(id), Schedule: inbox.Schedule{Tries: try - 1, Result: "in-process"}}
	next := item.Claimed(s.now)
	if _, ok, err := s.store.ClaimQuery(s.Context(), due, next); !ok || err != nil {
		s.Fatalf("claim %s: %t, %v", id, ok, err)
	}
	return next
}

// wantDue checks that a query is due after a delay and at most the jitter.
func (s *scheduler) wantDue(got inbox.Schedule, delay, maxJitter time.Duration) {
	s.Helper()
	if after := got.At.Sub(s.now); got.At.IsZero() || after < delay || after > delay+maxJitter {
		s.Errorf("due after %s, want after %s and at most %s", after, delay, maxJitter)
	}
}

func by(source payout.Source, e payout.Event) payout.Event {
	e.Source = source
	return e
}

func callback(status payout.Status) payout.Event {
	return payout.Event{ID: onePayout, Status: status, Amount: "1.1"}
}

func answer(status payout.Status) payout.Event { return by(payout.SourceQuery, callback(status)) }

func order(id payout.ID, due time.Duration) payout.Event {
	return payout.Event{ID: id, Source: payout.SourceExpectation, Status: payout.Expected, Deadline: due.Milliseconds()}
}

func otherOrder(id payout.ID, amount payout.Amount) payout.Event {
	e := order(id, time.Hour)
	e.Amount = amount
	return e
}

func reconciler(id payout.ID, status payout.Status, reason string) payout.Event {
	return payout.Event{ID: id, Source: payout.SourceReconciler, Status: status, Reason: reason}
}

// bulk returns a batch event with these items, of 5 each.
func bulk(status payout.Status, pending, succeeded int64) payout.Event {
	tally := func(n int64) payout.Tally { return payout.Tally{Count: n, Amount: payout.Amount(fmt.Sprint(5 * n))} }
	return payout.Event{ID: oneBatch, Status: status, Totals: payout.Totals{Pending: tally(pending), Succeeded: tally(succeeded)}}
}

func rejectSucceeded() payout.Resolution {
	return payout.Resolution{ID: onePayout, Rejected: map[payout.Field][]string{payout.FieldStatus: {"succeeded"}}}
}

const (
	off, open, all = inbox.QueriesOff, inbox.QueriesOpen, inbox.QueriesAll
	unset          = inbox.QueryMode("")
)

// Design of the schedule: what is asked about, in which modes, and when first.
func TestApply_FirstQuery(t *testing.T) {
	modes := []inbox.QueryMode{unset, off, open, all}
	asked, everyMode, none := []inbox.QueryMode{open, all}, modes, []inbox.QueryMode{}
	linked := reconciler(unknownID, payout.Linked, "")
	linked.LinkedTo = onePayout
	for name, test := range map[string]struct {
		statements       []any
		modes            []inbox.QueryMode // that schedule a query
		delay, maxJitter time.Duration
	}{
		"expected":                           {[]any{order(onePayout, time.Hour)}, everyMode, time.Hour, 30 * time.Second},
		"expected without a provider's id":   {[]any{order(unknownID, 10*time.Minute)}, everyMode, 10 * time.Minute, 30 * time.Second},
		"expected, deadline in the past":     {[]any{order(onePayout, -time.Hour)}, everyMode, 0, 30 * time.Second},
		"expected, no deadline":              {[]any{order(onePayout, 0)}, everyMode, 10 * time.Minute, 30 * time.Second},
		"expected batch":                     {[]any{order(oneBatch, time.Hour)}, everyMode, time.Hour, 30 * time.Second},
		"expected and in progress, soon":     {[]any{order(onePayout, time.Minute), callback(payout.Pending)}, everyMode, time.Minute, 30 * time.Second},
		"batch in progress":                  {[]any{bulk(payout.Pending, 2, 0)}, asked, 10 * time.Second, time.Second},
		"batch done":                         {[]any{bulk(payout.Done, 0, 2)}, asked, 10 * time.Second, time.Second},
		"batch confirmed":                    {[]any{bulk(payout.Done, 0, 2), by(payout.SourceQuery, bulk(payout.Done, 0, 2))}, none, 0, 0},
		"batch closed":                       {[]any{bulk(payout.Pending, 2, 0), payout.Event{ID: oneBatch, Source: payout.SourceResolution, Status: payout.Done}}, none, 0, 0},
		"conflicted":                         {[]any{callback(payout.Succeeded), callback(payout.Failed)}, asked, 10 * time.Second, time.Second},
		"conflicted without a provider's id": {[]any{order(unknownID, time.Hour), otherOrder(unknownID, "7"), otherOrder(unknownID, "8")}, everyMode, time.Hour, 30 * time.Second},
		"conflicted and in progress":         {[]any{callback(payout.Pending), payout.Event{ID: onePayout, Status: payout.Pending, Amount: "9"}}, asked, 10 * time.Minute, 30 * time.Second},
		"in progress":                        {[]any{callback(payout.Pending)}, asked, 10 * time.Minute, 30 * time.Second},
		"final":                              {[]any{callback(payout.Failed)}, []inbox.QueryMode{all}, 2 * time.Minute, 12 * time.Second},
		"final and expected":                 {[]any{callback(payout.Failed), order(onePayout, time.Hour)}, []inbox.QueryMode{all}, 2 * time.Minute, 12 * time.Second},
		"confirmed":                          {[]any{callback(payout.Failed), answer(payout.Failed)}, none, 0, 0},
		"final and resolved":                 {[]any{callback(payout.Succeeded), callback(payout.Failed), rejectSucceeded()}, none, 0, 0},
		"closed by a person":                 {[]any{order(onePayout, time.Hour), by(payout.SourceResolution, callback(payout.Failed))}, none, 0, 0},
		"item that only a listing stated":    {[]any{answer(payout.Pending)}, none, 0, 0},
		"linked":                             {[]any{order(unknownID, time.Hour), linked}, none, 0, 0},
		"overdue, and nothing else is known": {[]any{reconciler(onePayout, payout.Overdue, "open")}, none, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for _, mode := range modes {
				s := newScheduler(t, mode)
				got, wanted := s.apply(test.statements...), slices.Contains(test.modes, mode)
				record := s.store.Record(payout.ID(s.store.Receipts()[0].Key.Payout))
				if isNeeded := inbox.IsQueryNeeded(record, 0, mode); wanted != isNeeded {
					t.Errorf("mode %q: a query is needed: %t, want %t", mode, isNeeded, wanted)
				}
				if wanted {
					s.wantDue(got, test.delay, test.maxJitter)
				} else if !got.At.IsZero() {
					t.Errorf("mode %q: due at %s, want no query", mode, got.At)
				}
			}
		})
	}
}

// A payout that is expected and in progress is due at the earlier of both times.
func TestApply_FirstQueryOfExpectedInProgress(t *testing.T) {
	for mode, delay := range map[inbox.QueryMode]time.Duration{off: time.Hour, open: 10 * time.Minute, all: 10 * time.Minute} {
		s := newScheduler(t, mode)
		s.wantDue(s.apply(order(onePayout, time.Hour), callback(payout.Pending)), delay, 30*time.Second)
		s = newScheduler(t, mode)
		s.wantDue(s.apply(callback(payout.Pending), order(onePayout, time.Minute)), time.Minute, 30*time.Second)
	}
}

func TestClaimed_BackOff(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	item := inbox.PayoutItem{Record: payout.Record{ID: onePayout}, Schedule: inbox.Schedule{Result: "in-process"}}
	age := 2 * time.Minute // of a final payout at the first query
	for try, delay := range []time.Duration{
		10 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
		24 * time.Hour, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour,
	} {
		next := item.Claimed(now)
		got := next.At.Sub(now)
		if got < delay || got > delay+delay/10 {
			t.Errorf("try %d: due after %s, want %s and at most a tenth", try+1, got, delay)
		}
		next.At = time.Time{}
		if diff := cmp.Diff(inbox.Schedule{Tries: try + 1, AskedAt: now, Result: "in-process"}, next); diff != "" {
			t.Errorf("try %d (-want +got):\n%s", try+1, diff)
		}
		item.Schedule = next
		if try < 12 {
			age += delay
		}
	}
	if age < 6*24*time.Hour || age > 7*24*time.Hour {
		t.Errorf("the 13th query about a final payout is made after %s, want seven days at most", age)
	}
}

// A payout that is still open at its deadline is asked about then, not after the back-off.
func TestClaimed_Deadline(t *testing.T) {
	for name, test := range map[string]struct {
		statements []any
		want       time.Duration // of the query after the third
		maxJitter  time.Duration
	}{
		"deadline before the next query": {[]any{order(onePayout, 20*time.Minute)}, 20 * time.Minute, 30 * time.Second},
		"deadline after the next query":  {[]any{order(onePayout, 2*time.Hour)}, time.Hour, 6 * time.Minute},
		"deadline has passed":            {[]any{order(onePayout, -time.Second)}, time.Hour, 6 * time.Minute},
		"final":                          {[]any{order(onePayout, 20*time.Minute), callback(payout.Failed)}, time.Hour, 6 * time.Minute},
		"batch in progress":              {[]any{order(oneBatch, 20*time.Minute), bulk(payout.Pending, 2, 0)}, 20 * time.Minute, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScheduler(t, all)
			s.apply(test.statements...)
			s.wantDue(s.claim(payout.ID(s.store.Receipts()[0].Key.Payout), 3), test.want, test.maxJitter)
		})
	}
}

func TestSchedule_Jitter(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	var first, later = map[time.Duration]bool{}, map[time.Duration]bool{}
	for n := range 200 {
		id := payout.NewID("cregis", payout.TypePayout, "1", fmt.Sprint(n), "")
		due := func() (time.Duration, time.Duration) {
			s := newScheduler(t, all)
			first := s.apply(payout.Event{ID: id, Status: payout.Pending}).At.Sub(s.now) - 10*time.Minute
			return first, inbox.PayoutItem{Record: payout.Record{ID: id}, Schedule: inbox.Schedule{Tries: 9}}.Claimed(now).At.Sub(now) - 24*time.Hour
		}
		a, b := due()
		if c, d := due(); a != c || b != d {
			t.Fatalf("%s has two jitters: %s and %s, %s and %s", id, a, c, b, d)
		}
		if a < 0 || a > 30*time.Second || b < 0 || b > 144*time.Minute {
			t.Fatalf("%s: jitter %s of the first query, %s of a daily one", id, a, b)
		}
		first[a/(5*time.Second)], later[b/(15*time.Minute)] = true, true
	}
	if len(first) < 6 || len(later) < 9 {
		t.Errorf("200 payouts are due in %d intervals of 5 seconds and %d of 15 minutes", len(first), len(later))
	}
}

func TestIsQueryNeeded_Tries(t *testing.T) {
	record := func(statements ...any) payout.Record {
		s := newScheduler(t, all)
		s.apply(statements...)
		return s.store.Records()[0]
	}
	for name, test := range map[string]struct {
		record payout.Record
		tries  int // most that are made; -1: no limit
	}{
		"expected":            {record(order(onePayout, time.Hour)), -1},
		"in progress":         {record(callback(payout.Pending)), -1},
		"batch in progress":   {record(bulk(payout.Done, 1, 1)), -1},
		"batch not confirmed": {record(bulk(payout.Done, 0, 2)), 13},
		"final":               {record(callback(payout.Succeeded)), 13},
		"conflicted":          {record(callback(payout.Succeeded), callback(payout.Failed)), 1},
	} {
		for tries := range 30 {
			if got, want := inbox.IsQueryNeeded(test.record, tries, all), test.tries < 0 || tries < test.tries; got != want {
				t.Errorf("%s, after %d tries: needed is %t, want %t", name, tries, got, want)
			}
		}
	}
}
