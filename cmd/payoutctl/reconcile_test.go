package main_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

const overdueID = "cregis/payout/1/7"

// The command waits until the answer is applied, and shows the status afterwards.
func TestReconcile_WaitsUntilApplied(t *testing.T) {
	for state, want := range map[inbox.State]struct {
		code int
		text string
	}{
		inbox.Applied:  {0, "  status is succeeded now\n"},
		inbox.Received: {1, "payoutctl: 1 answer not applied within 1ms\n"},
	} {
		fake := newTables(t)
		change := applied(payout.Event{ID: openID, Source: payout.SourceQuery, Status: payout.Succeeded}, payout.Record{})
		apply(t, fake, change)
		receipt := change.Receipt
		if receipt.State = state; state == inbox.Received {
			receipt.Outcome, receipt.AppliedAt, receipt.DueAt = "", time.Time{}, time.Now()
		}
		if _, err := fake.store().Create(t.Context(), receipt); err != nil {
			t.Fatal(err)
		}
		fake.invoked = reconcile.AskResponse{Payouts: []reconcile.AskResult{{
			Payout: openID, Outcome: reconcile.Answered, Status: payout.Pending, Statements: []reconcile.StatementResult{
				{Payout: openID, Receipt: receipt.Key.Receipt, Status: payout.Succeeded, Acceptance: inbox.AcceptedNew},
			},
		}}}
		code, out, problems := runOnTables(t, fake, fake.URL, "reconcile", openID, "--wait", "1ms")
		if code != want.code || !strings.Contains(out+problems, want.text) {
			t.Errorf("%s: exit code %d\n%s%s", state, code, out, problems)
		}
	}
}

// --overdue asks about overdue payouts, --account about those of the account that are
// open or scheduled.
func TestReconcile_Selection(t *testing.T) {
	fake := newTables(t)
	fill(t, fake) // a conflicted payout and a final one
	apply(t, fake, applied(payout.Event{ID: openID, Status: payout.Pending}, payout.Record{}))
	apply(t, fake, applied(payout.Event{ID: "cregis/payout/2/5", Status: payout.Pending}, payout.Record{}))
	ordered := applied(payout.Event{ID: overdueID, Source: payout.SourceExpectation, Status: payout.Expected, Deadline: 1}, payout.Record{})
	apply(t, fake, ordered)
	apply(t, fake, applied(payout.Event{ID: overdueID, Source: payout.SourceReconciler, Status: payout.Overdue, Reason: "open"}, ordered.Record))
	scheduled := applied(payout.Event{ID: "cregis/payout/1/8", Status: payout.Succeeded}, payout.Record{})
	scheduled.Schedule.At = time.Now().Add(time.Hour)
	apply(t, fake, scheduled)
	fake.invoked = reconcile.AskResponse{}
	for flag, want := range map[string][]payout.ID{
		"--overdue":   {overdueID},
		"--account=1": {openID, overdueID, "cregis/payout/1/8"},
		"--account=2": {"cregis/payout/2/5"},
		"--account=3": nil,
	} {
		fake.taken()
		code, out, problems := runOnTables(t, fake, fake.URL, "reconcile", flag)
		var got reconcile.AskRequest
		for _, request := range requestsOf(fake.taken(), "Invoke") {
			if err := json.Unmarshal([]byte(request.MessageBody), &got); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(got.Payouts)
		if code != 0 || !slices.Equal(got.Payouts, want) {
			t.Errorf("%s: exit code %d, asked about %s, want %s\n%s%s", flag, code, got.Payouts, want, out, problems)
		}
	}
}
