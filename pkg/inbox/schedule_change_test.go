package inbox_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/payout"
)

// A payout that is asked about for another reason than before starts with a first query.
func TestApply_ScheduleOfAnotherNeed(t *testing.T) {
	const none = -1
	for name, test := range map[string]struct {
		before []any
		change any
		want   time.Duration
	}{
		"deadline to confirmation": {[]any{order(onePayout, 0)}, callback(payout.Failed), 2 * time.Minute},
		"deadline to the end":      {[]any{order(onePayout, 0)}, answer(payout.Failed), none},
		"deadline to conflict":     {[]any{otherOrder(onePayout, "7")}, callback(payout.Failed), 10 * time.Second},
		"deadline to totals":       {[]any{order(oneBatch, 0)}, bulk(payout.Pending, 2, 0), 10 * time.Second},
		"deadline to closed":       {[]any{order(onePayout, 0)}, by(payout.SourceResolution, callback(payout.Failed)), none},
		"progress to deadline":     {[]any{callback(payout.Pending)}, order(onePayout, 5*time.Minute), 5 * time.Minute},
		"progress to confirmation": {[]any{callback(payout.Pending)}, callback(payout.Failed), 2 * time.Minute},
		"progress to the end":      {[]any{callback(payout.Pending)}, answer(payout.Failed), none},
		"progress to conflict":     {[]any{callback(payout.Pending)}, payout.Event{ID: onePayout, Status: payout.Failed, Amount: "9"}, 10 * time.Second},
		"totals to the end":        {[]any{bulk(payout.Done, 1, 1)}, by(payout.SourceQuery, bulk(payout.Done, 0, 2)), none},
		"totals to conflict":       {[]any{bulk(payout.Done, 1, 1)}, bulk(payout.Done, 0, 3), 10 * time.Second},
		"confirmation to the end":  {[]any{callback(payout.Failed)}, answer(payout.Failed), none},
		"confirmation to conflict": {[]any{callback(payout.Failed)}, answer(payout.Succeeded), 10 * time.Second},
		"conflict to the end":      {[]any{callback(payout.Succeeded), callback(payout.Failed)}, rejectSucceeded(), none},
		"conflict to progress": {[]any{callback(payout.Pending), payout.Event{ID: onePayout, Status: payout.Pending, Amount: "9"}}, payout.Resolution{
			ID: onePayout, Rejected: map[payout.Field][]string{payout.FieldAmount: {"9"}},
		}, 10 * time.Minute},
		"conflict to totals": {[]any{bulk(payout.Pending, 2, 0), bulk(payout.Pending, 3, 0)}, payout.Resolution{
			ID: oneBatch, Rejected: map[payout.Field][]string{payout.FieldItems: {"3"}, payout.FieldAmount: {"15"}},
		}, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScheduler(t, all)
			s.apply(test.before...)
			claimed := s.claim(payout.ID(s.store.Receipts()[0].Key.Payout), 2)
			s.now = s.now.Add(time.Second)
			got := s.apply(test.change)
			if test.want == none {
				if !got.At.IsZero() {
					t.Errorf("due at %s, want no query", got.At)
				}
			} else {
				s.wantDue(got, test.want, 30*time.Second)
			}
			if got.Tries != 0 || got.AskedAt != claimed.AskedAt || got.Result != claimed.Result {
				t.Errorf("got %+v after %+v, want no tries, and when and with which result it was asked about last", got, claimed)
			}
		})
	}
}

// A payout that is asked about for the same reason keeps its schedule, unless the
// provider's callback or our own side changes what it shows.
func TestApply_ScheduleOfSameNeed(t *testing.T) {
	reason := func(e payout.Event, text string) payout.Event {
		e.Reason = text
		return e
	}
	for name, test := range map[string]struct {
		before []any
		change any
		want   time.Duration // 0: the schedule stays as claimed
	}{
		"older callback":                 {[]any{callback(payout.Delayed)}, callback(payout.Pending), 0},
		"callback in progress":           {[]any{callback(payout.Pending)}, callback(payout.Delayed), 10 * time.Minute},
		"reason of a callback":           {[]any{callback(payout.Failed)}, reason(callback(payout.Failed), "why"), 2 * time.Minute},
		"conflict in progress":           {[]any{callback(payout.Pending)}, payout.Event{ID: onePayout, Status: payout.Pending, Amount: "9"}, 10 * time.Minute},
		"answer in progress":             {[]any{callback(payout.Pending)}, answer(payout.Delayed), 0},
		"answer about an expected":       {[]any{order(onePayout, -time.Hour)}, answer(payout.Pending), 0},
		"overdue":                        {[]any{order(onePayout, -time.Hour)}, reconciler(onePayout, payout.Overdue, "open"), 0},
		"callback of an expected":        {[]any{order(onePayout, 2*time.Minute)}, callback(payout.Pending), 2*time.Minute - time.Second},
		"earlier deadline":               {[]any{order(onePayout, time.Hour)}, order(onePayout, 5*time.Minute), 5 * time.Minute},
		"totals of a callback":           {[]any{bulk(payout.Pending, 2, 0)}, bulk(payout.Done, 1, 1), 10 * time.Second},
		"totals of an answer":            {[]any{bulk(payout.Pending, 2, 0)}, by(payout.SourceQuery, bulk(payout.Done, 1, 1)), 0},
		"second conflict by a callback":  {[]any{callback(payout.Failed), callback(payout.Succeeded)}, reason(payout.Event{ID: onePayout, Status: payout.Failed, Amount: "9"}, ""), 10 * time.Second},
		"second conflict by the answer":  {[]any{callback(payout.Failed), callback(payout.Succeeded)}, payout.Event{ID: onePayout, Source: payout.SourceQuery, Status: payout.Failed, Amount: "9"}, 0},
		"expectation of a final payout":  {[]any{callback(payout.Failed)}, order(onePayout, time.Hour), 2 * time.Minute},
		"answer in progress after final": {[]any{callback(payout.Failed)}, answer(payout.Pending), 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScheduler(t, all)
			s.apply(test.before...)
			claimed := s.claim(payout.ID(s.store.Receipts()[0].Key.Payout), 3)
			s.now = s.now.Add(time.Second)
			got := s.apply(test.change)
			if test.want == 0 {
				if diff := cmp.Diff(claimed, got); diff != "" {
					t.Errorf("schedule (-claimed +got):\n%s", diff)
				}
				return
			}
			s.wantDue(got, test.want, 30*time.Second)
			if got.Tries != 0 {
				t.Errorf("%d tries, want none", got.Tries)
			}
		})
	}
}

// Of the old and the new first query, the earlier is kept: a payout that changes all the
// time is asked about all the same.
func TestApply_EarlierQueryStays(t *testing.T) {
	for name, statements := range map[string][2]any{
		"batch":       {bulk(payout.Pending, 2, 0), bulk(payout.Done, 1, 1)},
		"in progress": {callback(payout.Pending), callback(payout.Delayed)},
		"expected":    {order(onePayout, time.Minute), otherOrder(onePayout, "7")},
	} {
		s := newScheduler(t, all)
		first := s.apply(statements[0])
		s.now = s.now.Add(5 * time.Second)
		if got := s.apply(statements[1]); got != first {
			t.Errorf("%s: got %+v, want %+v", name, got, first)
		}
	}
	s := newScheduler(t, all) // for another reason, the first query of that reason is due
	s.wantDue(s.apply(order(onePayout, time.Minute), callback(payout.Failed)), 2*time.Minute, 12*time.Second)
}

// A schedule that the mode of an earlier time left out is added by the next statement.
func TestApply_MissingSchedule(t *testing.T) {
	s := newScheduler(t, off)
	if got := s.apply(callback(payout.Delayed)); !got.At.IsZero() {
		t.Fatalf("queries are off: due at %s", got.At)
	}
	s.setMode(open)
	s.wantDue(s.apply(callback(payout.Pending)), 10*time.Minute, 30*time.Second)
}
