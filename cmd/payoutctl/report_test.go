package main_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// reportDay is the day of the report.
var reportDay = time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)

// applyAt applies events to a payout, each accepted at its time.
func applyAt(t *testing.T, fake *tables, events map[time.Time]payout.Event) {
	t.Helper()
	var record payout.Record
	for at := reportDay.Add(-48 * time.Hour); at.Before(reportDay.Add(96 * time.Hour)); at = at.Add(time.Hour) {
		event, ok := events[at]
		if !ok {
			continue
		}
		receipt := inbox.NewReceipt(event, []byte("{}"), "k", at)
		record, receipt.Outcome = record.Apply(event)
		receipt.State, receipt.AppliedAt = inbox.Applied, at
		apply(t, fake, inbox.Change{Receipt: receipt, Create: true, Record: record})
	}
}

func stated(id payout.ID, source payout.Source, status payout.Status, amount payout.Amount) payout.Event {
	currency := "TRX"
	if source == payout.SourceReconciler {
		currency = ""
	}
	return payout.Event{ID: id, Source: source, Status: status, Amount: amount, Currency: currency}
}

// fillReport stores payouts of the day and of the days around it.
func fillReport(t *testing.T, fake *tables) {
	t.Helper()
	noon, before, after := reportDay.Add(12*time.Hour), reportDay.Add(-time.Hour), reportDay.Add(24*time.Hour)
	const expected, query = payout.SourceExpectation, payout.SourceQuery
	overdue := payout.Event{ID: "cregis/payout/1/4", Source: payout.SourceReconciler, Status: payout.Overdue, Reason: "open"}
	linked := payout.Event{ID: "cregis/payout/1//r9", Source: payout.SourceReconciler, Status: payout.Linked, LinkedTo: "cregis/payout/1/1"}
	batch := payout.Event{ID: "pivot/batch/m/b1", Status: payout.Done, Currency: "IDR", Totals: payout.Totals{
		Succeeded: payout.Tally{Count: 2, Amount: "150"}, Failed: payout.Tally{Count: 1, Amount: "50"},
	}}
	for _, events := range []map[time.Time]payout.Event{
		{noon: stated("cregis/payout/1/1", expected, payout.Expected, "0.1"), after: stated("cregis/payout/1/1", "", payout.Succeeded, "0.1")},
		{reportDay: stated("cregis/payout/1/2", "", payout.Succeeded, "0.2")},
		{noon: stated("cregis/payout/1/3", "", payout.Rejected, "1")},
		{noon: stated("cregis/payout/1/4", expected, payout.Expected, "10"), after: overdue},
		{noon: stated("cregis/payout/1/5", expected, payout.Expected, "100"), after: stated("cregis/payout/1/5", "", payout.Succeeded, "200")},
		{noon: stated("cregis/payout/1/6", "", payout.Pending, "1000")},
		{noon: stated("cregis/payout/1/7", "", payout.Cancelled, "")},
		{noon: stated("cregis/payout/1//r9", expected, payout.Expected, "9"), after: linked},
		{noon: batch},
		{noon: {ID: "pivot/payout/m/b1/r1", Source: query, Status: payout.Succeeded, Amount: "150", Currency: "IDR"}},
		// Of other days: expected before or after the callback of the day, or not of the day at all.
		{before: stated("cregis/payout/1/20", expected, payout.Expected, "7"), noon: stated("cregis/payout/1/20", "", payout.Succeeded, "7")},
		{noon: stated("cregis/payout/1/21", "", payout.Succeeded, "7"), after: stated("cregis/payout/1/21", expected, payout.Expected, "7")},
		{before: stated("cregis/payout/1/22", "", payout.Pending, "7"), noon: stated("cregis/payout/1/22", "", payout.Succeeded, "7")},
		{after: stated("cregis/payout/1/23", "", payout.Succeeded, "7")},
	} {
		applyAt(t, fake, events)
	}
}

func TestReport_Rows(t *testing.T) {
	fake := newTables(t)
	fillReport(t, fake)
	want := `day,provider,account,type,currency,ordered,ordered_amount,succeeded,succeeded_amount,failed,failed_amount,open,open_amount,overdue,overdue_amount,conflicted,conflicted_amount
2026-11-03,cregis,1,payout,TRX,7,1111.3,2,0.3,2,1,1,1000,1,10,1,100
2026-11-03,pivot,m,batch,IDR,1,200,1,150,0,50,0,0,0,0,0,0
2026-11-03,pivot,m,payout,IDR,1,150,1,150,0,0,0,0,0,0,0,0
`
	code, out, problems := runOnTables(t, fake, fake.URL, "report", "--day", "2026-11-03", "--csv")
	if diff := cmp.Diff(want, out); code != 0 || diff != "" {
		t.Errorf("exit code %d, csv (-want +got):\n%s%s", code, diff, problems)
	}
	code, out, _ = runOnTables(t, fake, fake.URL, "report", "--day", "2026-11-03", "--account", "1")
	if code != 0 || !strings.Contains(out, "cregis    1        payout  TRX       7: 1111.3  2: 0.3     2: 1    1: 1000  1: 10    1: 100") || strings.Contains(out, "pivot") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	code, out, _ = runOnTables(t, fake, fake.URL, "report", "--day", "2026-11-03", "--provider", "pivot", "--json")
	wantJSON := `{"day":"2026-11-03","provider":"pivot","account":"m","type":"batch","currency":"IDR","ordered":{"count":1,"amount":"200"},"succeeded":{"count":1,"amount":"150"},` +
		`"failed":{"count":0,"amount":"50"},"open":{"count":0,"amount":"0"},"overdue":{"count":0,"amount":"0"},"conflicted":{"count":0,"amount":"0"}}` + "\n"
	if code != 0 || !strings.HasPrefix(out, wantJSON) {
		t.Errorf("exit code %d, got %s", code, out)
	}
	code, out, problems = runOnTables(t, fake, fake.URL, "report", "--day", "2026-10-01", "--json")
	if code != 0 || out != "" || !strings.Contains(problems, "no payouts") {
		t.Errorf("another day: exit code %d\n%s%s", code, out, problems)
	}
}

// A payout that cannot be read is in no count, and the report says so.
func TestReport_UnreadablePayout(t *testing.T) {
	fake := newTables(t)
	applyAt(t, fake, map[time.Time]payout.Event{reportDay: stated("cregis/payout/1/2", "", payout.Succeeded, "0.2")})
	fake.edit("payouts", "version", `{"N":"0"}`)
	code, out, problems := runOnTables(t, fake, fake.URL, "report", "--day", "2026-11-03")
	if code != 1 || out != "" || !strings.Contains(problems, "1 payout cannot be read, and not counted") {
		t.Errorf("exit code %d\n%s%s", code, out, problems)
	}
}

func TestReport_Usage(t *testing.T) {
	for args, want := range map[string]string{
		"":                               "missing flags: --day",
		"--day 03.11.2026":               "--day",
		"--day 2999-01-01":               "is in the future",
		"--day 2026-11-03 --csv --json":  "give either --csv or --json",
		"--day 2026-11-03 --provider us": "is not a provider",
	} {
		code, _, problems := runOnTables(t, newTables(t), "http://127.0.0.1:1", append([]string{"report"}, strings.Fields(args)...)...)
		if code != 2 || !strings.Contains(problems, want) {
			t.Errorf("%q: exit code %d, want %q in:\n%s", args, code, want, problems)
		}
	}
}
