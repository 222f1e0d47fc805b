package display

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/payout"
)

// overdueTexts say why a payout is overdue, by the reason in its record.
var overdueTexts = map[string]string{
	"open":                "the provider answers that it is still open",
	"unknown-to-provider": "the provider does not know it",
	"known-by-reference":  "the provider knows our reference, but its answer names no request",
	"unasked":             "the provider cannot be asked: queries are off, or credentials or the provider's id are missing",
}

// findProvider returns the description of a provider; a test replaces it.
var findProvider = cli.FindProvider

// HasQueries reports whether the provider of a payout has an API for queries. It may, if
// this version of the program does not know the provider.
func HasQueries(id payout.ID) bool {
	description, err := findProvider(cli.Provider(id.Provider()))
	return err != nil || description.Queries != nil
}

// WithoutQueriesText says what to do about a payout whose provider has no API for queries.
// program begins the command line in it.
func WithoutQueriesText(id payout.ID, program string) string {
	return "the provider has no API for queries: look in its dashboard, then: " + program + " close " + cli.Quote(string(id)) + " --status STATUS --reason '…'"
}

// addReconciliation adds what is known besides the provider's callbacks: expectation,
// confirmation, sources and queries.
func (t History) addReconciliation(rows *cli.Table, now time.Time, program string) {
	r := t.Record
	rows.AddField("linked to", FieldText(r, payout.FieldLinkedTo), "")
	switch {
	case r.IsConfirmed():
		rows.AddField("confirmed", "yes, by a query", cli.Green)
	case r.Status().IsFinal():
		rows.AddField("confirmed", "no", "")
	}
	if r.IsExpected() {
		rows.AddField("expected", deadlineText(r.Deadline, now), "")
	}
	if r.IsOverdue() {
		rows.AddField("overdue", t.overdueText(program), cli.Red)
	}
	var sources []string
	for _, source := range r.Sources {
		sources = append(sources, string(source))
	}
	rows.AddField("sources", strings.Join(sources, ", "), "")
	if HasQueries(r.ID) {
		rows.AddField("query", t.queryText(now), "")
	}
}

// overdueText says why the payout is overdue.
func (t History) overdueText(program string) string {
	var reasons []string
	for _, reason := range t.Record.Overdue {
		text := cmp.Or(overdueTexts[reason], reason)
		if reason == "unasked" && !HasQueries(t.Record.ID) {
			text = WithoutQueriesText(t.Record.ID, program)
		}
		reasons = append(reasons, text)
	}
	return strings.Join(reasons, "; ")
}

// deadlineText formats a deadline in milliseconds since 1970.
func deadlineText(deadline int64, now time.Time) string {
	if deadline == 0 {
		return "without a deadline"
	}
	at := time.UnixMilli(deadline)
	text := "deadline " + cli.FormatTime(at) + " UTC, "
	if at.After(now) {
		return text + "in " + cli.FormatAge(at.Sub(now))
	}
	return text + cli.FormatAge(now.Sub(at)) + " ago"
}

// queryText formats when the provider is asked next, and what it answered last.
func (t History) queryText(now time.Time) string {
	var parts []string
	schedule := t.Record.Schedule
	switch {
	case schedule.At.After(now):
		parts = append(parts, "next "+cli.FormatTime(schedule.At)+" UTC, in "+cli.FormatAge(schedule.At.Sub(now)))
	case !schedule.At.IsZero():
		parts = append(parts, "due since "+cli.FormatTime(schedule.At)+" UTC")
	}
	if schedule.Tries > 0 {
		parts = append(parts, "asked "+cli.Count(schedule.Tries, "time")+" since the last change")
	}
	if !schedule.AskedAt.IsZero() {
		parts = append(parts, strings.TrimSpace("last "+cli.FormatTime(schedule.AskedAt)+" UTC "+cli.Clean(schedule.Result)))
	}
	return strings.Join(parts, "; ")
}

// expectations lists what our own services stated, with the caller.
func (t History) expectations(style cli.Style) string {
	rows := cli.Table{Style: style, Indent: "  "}
	for n, item := range t.Entries {
		if item.Source() == payout.SourceExpectation {
			by := "as stated before the id was known"
			if item.Note != "" {
				by = "by " + style.Shorten(item.Note)
			}
			rows.AddTexts(fmt.Sprintf("#%d", n+1), cli.FormatTime(item.AcceptedAt)+" UTC",
				"deadline "+cli.FormatTime(time.UnixMilli(item.Event.Deadline))+" UTC", by)
		}
	}
	if len(rows.Rows) == 0 {
		return ""
	}
	return "Expectations:\n" + rows.String()
}
