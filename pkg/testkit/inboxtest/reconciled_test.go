package inboxtest_test

import (
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
)

const id payout.ID = "cregis/payout/1382528827416576/9001"

var now = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

func stated(source payout.Source, status payout.Status, edit ...func(*payout.Event)) payout.Event {
	e := payout.Event{ID: id, Source: source, Status: status}
	for _, change := range edit {
		change(&e)
	}
	return e
}

// newState returns the state in which these events, accepted now, are applied.
func newState(events ...payout.Event) inboxtest.State {
	var state inboxtest.State
	var record payout.Record
	for _, event := range events {
		receipt := inbox.NewReceipt(event, nil, "", now)
		record, receipt.Outcome = record.Apply(event)
		receipt.State, receipt.DueAt, receipt.AppliedAt = inbox.Applied, time.Time{}, now
		state.Receipts = append(state.Receipts, receipt)
	}
	state.Records = []payout.Record{record}
	return state
}

func TestCheck_Reconciled(t *testing.T) {
	deadline := func(e *payout.Event) { e.Deadline = now.UnixMilli() }
	later := func(e *payout.Event) { e.Deadline = now.UnixMilli() + 1 }
	because := func(e *payout.Event) { e.Reason = "open" }
	ordered, late := stated(payout.SourceExpectation, payout.Expected, deadline), stated(payout.SourceReconciler, payout.Overdue, because)
	succeeded, confirmed := stated("", payout.Succeeded), stated(payout.SourceQuery, payout.Succeeded)
	scheduled := func(state inboxtest.State, at time.Time, tries int, mode inbox.QueryMode) inboxtest.State {
		state.Schedules = map[payout.ID]inbox.Schedule{id: {At: at, Tries: tries}}
		state.Queries = map[string]inbox.QueryMode{"cregis": mode}
		return state
	}
	none := time.Time{}
	for name, test := range map[string]struct {
		state    inboxtest.State
		settled  bool
		violates string // "": nothing
	}{
		"overdue":                           {newState(ordered, late), true, ""},
		"overdue before the deadline":       {newState(stated(payout.SourceExpectation, payout.Expected, later), late), true, "I13"},
		"overdue without a deadline":        {newState(late), true, "I13"},
		"overdue without a reason":          {newState(ordered, stated(payout.SourceReconciler, payout.Overdue)), true, "I13"},
		"an answer agrees":                  {newState(succeeded, confirmed), true, ""},
		"an answer conflicts":               {newState(succeeded, stated(payout.SourceQuery, payout.Failed)), true, ""},
		"an answer is older":                {newState(succeeded, stated(payout.SourceQuery, payout.Pending)), true, ""},
		"expected and scheduled":            {scheduled(newState(ordered), now, 0, inbox.QueriesOff), true, ""},
		"expected and not scheduled":        {scheduled(newState(ordered), none, 0, inbox.QueriesOff), false, "I11"},
		"final and not scheduled":           {scheduled(newState(succeeded), none, 0, inbox.QueriesAll), false, "I11"},
		"final, scheduled, not to be asked": {scheduled(newState(succeeded), now, 0, inbox.QueriesOpen), false, "I11"},
		"confirmed and scheduled":           {scheduled(newState(succeeded, confirmed), now, 0, inbox.QueriesAll), false, "I11"},
		"last query under way":              {scheduled(newState(succeeded), now, 13, inbox.QueriesAll), false, ""},
		"last query made":                   {scheduled(newState(succeeded), none, 13, inbox.QueriesAll), true, ""},
		"scheduled after the last query":    {scheduled(newState(succeeded), now, 13, inbox.QueriesAll), true, "I11"},
	} {
		got := strings.Join(inboxtest.Check(test.state, nil, test.settled), "\n")
		if (got == "") != (test.violates == "") || !strings.Contains(got, test.violates) {
			t.Errorf("%s: got %q, want %q", name, got, test.violates)
		}
	}
}
