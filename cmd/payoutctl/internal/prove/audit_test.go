package prove_test

import (
	"strings"
	"testing"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/prove"
	"payout-callbacks/pkg/ops/audit"
)

// The verdict does not exceed what the audit has checked.
func TestAudit_Verdict(t *testing.T) {
	item := func(log *audit.LogSummary) audit.Summary { return audit.Summary{Receipts: 25, Payouts: 20, Log: log} }
	for name, test := range map[string]struct {
		summary audit.Summary
		from    time.Time
		code    int
		want    []string
	}{
		"no log":            {item(nil), time.Time{}, 0, []string{"verdict       consistent\n", "not proven    that every acknowledged callback is stored: no log was given"}},
		"an empty log":      {item(&audit.LogSummary{}), time.Time{}, 1, []string{"the log proves nothing", "no line is from the gateway"}},
		"another file":      {item(&audit.LogSummary{Lines: 91, Unreadable: 91}), time.Time{}, 1, []string{"the log proves nothing", "91 lines, 91 unrecognised"}},
		"no acknowledgment": {item(&audit.LogSummary{Lines: 3}), time.Time{}, 0, []string{"the log names none of their receipts", "the logs contain no acknowledgement"}},
		"the gateway alone": {item(&audit.LogSummary{Lines: 1, Answered: 1}), time.Time{}, 0, []string{"the log names none of their receipts", "only the functions' lines name the receipts"}},
		"no route":          {item(&audit.LogSummary{Lines: 3, Answered: 1, Acknowledged: 1, NoRoute: 2}), time.Time{}, 0, []string{"no route      2 POST requests answered 404: a provider may use a wrong URL", "consistent"}},
		"functions alone":   {item(&audit.LogSummary{Lines: 1, Acknowledged: 1}), time.Time{}, 0, []string{"verdict       consistent\n", "its access log was not given"}},
		"an empty window":   {audit.Summary{}, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), 0, []string{"nothing to check: no receipt was accepted in that time"}},
		"no receipts":       {audit.Summary{Payouts: 1}, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), 0, []string{"no receipt was accepted in that time", "consistent"}},
		"an empty stack":    {audit.Summary{}, time.Time{}, 0, []string{"nothing to check: there are no receipts"}},
		"one finding":       {audit.Summary{Receipts: 25, Payouts: 20, Findings: 1}, time.Time{}, 1, []string{"verdict       1 finding, listed above\n"}},
		"and a good log":    {audit.Summary{Receipts: 25, Payouts: 20, Findings: 2, Log: &audit.LogSummary{Lines: 1, Acknowledged: 1}}, time.Time{}, 1, []string{"2 findings, listed above"}},
		"a finding":         {audit.Summary{Findings: 1, Log: &audit.LogSummary{}}, time.Time{}, 1, []string{"1 finding, listed above"}},
	} {
		text, code := prove.CheckAudit(test.summary, test.from)
		for _, want := range test.want {
			if code != test.code || !strings.Contains(text, want) {
				t.Errorf("%s: exit code %d, want %d and %q in\n%s", name, code, test.code, want, text)
			}
		}
	}
	logSummary := &audit.LogSummary{Lines: 2, Answered: 1, Acknowledged: 1}
	if text, code := prove.CheckAudit(item(logSummary), time.Time{}); code != 0 || strings.Contains(text, "not proven") {
		t.Errorf("both logs: exit code %d\n%s", code, text)
	}
}

// A payout that lost its only receipt cannot be rebuilt until the receipt exists again.
func TestRemedy_UnprovenFact(t *testing.T) {
	got := prove.Remedy(audit.Finding{Kind: audit.FactUnproven, Payout: "cregis/payout/1/2"})
	if !strings.Contains(got, "send the payout's callback again") || !strings.Contains(got, "rebuild cregis/payout/1/2 --reason") || strings.Contains(got, "--dry-run") {
		t.Errorf("got %s", got)
	}
}
