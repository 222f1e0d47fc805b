package main_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"payout-callbacks/pkg/payout"
)

// fillConflicts stores payouts in conflict: 1 and 2 with one amount of the query, 3 with
// two, 4 with none, 5 with a conflict of the status as well.
func fillConflicts(t *testing.T, fake *tables) {
	t.Helper()
	const callback, query payout.Source = "", payout.SourceQuery
	for id, events := range map[payout.ID][]payout.Event{
		"cregis/payout/1/1": {stated("", callback, payout.Succeeded, "1.1"), stated("", query, payout.Succeeded, "1.2")},
		"cregis/payout/1/2": {stated("", callback, payout.Succeeded, "2.1"), stated("", query, payout.Succeeded, "2.2")},
		"cregis/payout/1/3": {stated("", query, payout.Succeeded, "3.1"), stated("", query, payout.Succeeded, "3.2")},
		"cregis/payout/1/4": {stated("", callback, payout.Succeeded, "4.1"), stated("", callback, payout.Succeeded, "4.2"), stated("", query, payout.Succeeded, "")},
		"cregis/payout/1/5": {stated("", callback, payout.Failed, "5.1"), stated("", query, payout.Succeeded, "5.2")},
	} {
		var record payout.Record
		for _, event := range events {
			event.ID = id
			change := applied(event, record)
			apply(t, fake, change)
			record = change.Record
		}
	}
}

// trustedAmounts returns the amounts that the written resolutions trust.
func trustedAmounts(t *testing.T, fake *tables) map[payout.ID]string {
	t.Helper()
	amounts := map[payout.ID]string{}
	for _, put := range requestsOf(fake.taken(), "PutItem") {
		var decision struct{ S string }
		var resolution payout.Resolution
		if json.Unmarshal(put.Item["decision"], &decision) != nil || json.Unmarshal([]byte(decision.S), &resolution) != nil {
			t.Fatalf("not a resolution: %v", put.Item)
		}
		amounts[resolution.ID] = resolution.Trusted[payout.FieldAmount]
	}
	return amounts
}

func TestResolveAll_OneCause(t *testing.T) {
	fake := newTables(t)
	fake.applies = true
	fillConflicts(t, fake)
	fake.taken()
	flags := []string{"resolve", "--all", "--trust", "query", "--cause", "amount"}
	code, out, problems := runOnTables(t, fake, fake.URL, append(flags, "--dry-run")...)
	if written := trustedAmounts(t, fake); code != 1 || len(written) > 0 {
		t.Errorf("dry run: exit code %d, written %v", code, written)
	}
	for _, want := range []string{
		"would-resolve  cregis/payout/1/1  amount: 1.2, not 1.1\n", "would-resolve  cregis/payout/1/2  amount: 2.2, not 2.1\n",
		"skipped        cregis/payout/1/3  the trusted receipts state different values for amount\n",
		"skipped        cregis/payout/1/4  the trusted receipts state no value for amount\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	if hint := "  see each, and resolve it alone: payoutctl --local show PAYOUT\n"; !strings.HasSuffix(problems, hint) {
		t.Errorf("no %q in:\n%s", hint, problems)
	}
	if strings.Contains(out, "cregis/payout/1/5") || !strings.Contains(problems, "2 payouts skipped") {
		t.Errorf("another conflict is in the list:\n%s%s", out, problems)
	}
	code, out, problems = runOnTables(t, fake, fake.URL, append(flags, "--reason", "case 4720")...)
	written := trustedAmounts(t, fake)
	if code != 1 || len(written) != 2 || written["cregis/payout/1/1"] != "1.2" || written["cregis/payout/1/2"] != "2.2" {
		t.Errorf("exit code %d, trusted %v\n%s%s", code, written, out, problems)
	}
	if !strings.Contains(out, "resolved       cregis/payout/1/1  amount: 1.2, not 1.1\n") {
		t.Errorf("got:\n%s", out)
	}
}

func TestResolveAll_TwoFields(t *testing.T) {
	fake := newTables(t)
	fake.applies = true
	fillConflicts(t, fake)
	fake.taken()
	code, out, problems := runOnTables(t, fake, fake.URL, "resolve", "--all", "--trust", "callback", "--cause", "status", "--cause", "amount", "--reason", "why", "--json")
	if written := trustedAmounts(t, fake); code != 0 || len(written) != 1 || written["cregis/payout/1/5"] != "5.1" {
		t.Errorf("exit code %d, trusted %v\n%s%s", code, written, out, problems)
	}
	if want := `{"payout":"cregis/payout/1/5","outcome":"resolved","trusted":{"amount":"5.1","status":"failed"},"rejected":{"amount":["5.2"],"status":["succeeded"]}}`; !strings.Contains(out, want) {
		t.Errorf("no %s in:\n%s", want, out)
	}
	code, _, problems = runOnTables(t, fake, fake.URL, "resolve", "--all", "--trust", "query", "--cause", "to", "--reason", "why")
	if code != 0 || !strings.Contains(problems, "no payout has exactly this conflict") {
		t.Errorf("no such conflict: exit code %d\n%s", code, problems)
	}
}

// --cause takes every field that a payout can have, and no other.
func TestResolveAll_Fields(t *testing.T) {
	alone, _ := payout.Record{}.Apply(payout.Event{
		ID: "pivot/batch/m/1", Source: payout.SourceResolution, Status: payout.Done, Amount: "1", Currency: "IDR", Chain: "c", Token: "t",
		From: "f", To: "t", Memo: "m", Reference: "r", TxID: "x", LinkedTo: "pivot/batch/m/2", Totals: payout.Totals{Succeeded: payout.Tally{Count: 1, Amount: "1"}},
	})
	fields := append(slices.Collect(maps.Keys(alone.Claims)), payout.FieldSettled)
	if len(fields) < 12 { //nolint:mnd // those of the event
		t.Errorf("the event claims only %s", fields)
	}
	fake := newTables(t)
	for _, field := range fields {
		if code, _, problems := runOnTables(t, fake, fake.URL, "resolve", "--all", "--trust", "query", "--cause", string(field), "--dry-run"); code != 0 {
			t.Errorf("%s: exit code %d\n%s", field, code, problems)
		}
	}
	code, _, problems := runOnTables(t, fake, fake.URL, "resolve", "--all", "--trust", "query", "--cause", "foo", "--dry-run")
	if code != 2 || !strings.Contains(problems, `"foo" is not a field of a payout; the fields are: status, amount, `) {
		t.Errorf("exit code %d\n%s", code, problems)
	}
}

func TestResolveAll_Usage(t *testing.T) {
	for args, want := range map[string]string{
		"--all --trust query --reason why":                                 "needs --cause FIELD",
		"--all --trust query --cause amount order-1 --reason why":          "takes no payout",
		"--all --trust expectation --cause amount --reason why":            "--trust is query or callback",
		"--all --trust query --trust callback --cause amount --reason why": "--trust is query or callback",
		"--all --trust query --cause amount":                               "--reason is missing",
		"order-1 --trust succeeded/ --cause amount --reason why":           "--cause is for --all",
		"--trust succeeded/ --reason why":                                  "no payout given",
	} {
		code, _, problems := runOnTables(t, newTables(t), "http://127.0.0.1:1", append([]string{"resolve"}, strings.Fields(args)...)...)
		if code != 2 || !strings.Contains(problems, want) {
			t.Errorf("%q: exit code %d, want %q in:\n%s", args, code, want, problems)
		}
	}
}
