package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// print shows the reckoning as a table. It complains of ten things at most.
func (r *report) print(out io.Writer) {
	row := func(name string, value any, notes ...string) {
		_, _ = fmt.Fprintf(out, "  %-24s %8v  %s\n", name, value, strings.Join(notes, ", "))
	}
	title := func(text string) { _, _ = fmt.Fprintf(out, "\n%s\n", text) }
	title("SENT")
	row("sent", r.Sent, counts(r.Sorts)...)
	row("= acknowledged", r.Acknowledged)
	row("+ refused", r.Refused, "forged")
	row("+ failed", r.Failed, fmt.Sprintf("%d of them kept all the same", r.KeptFailed))
	title("ACKNOWLEDGED")
	row("acknowledged", r.Acknowledged)
	row("= applied", r.Applied)
	row("+ conflicted", r.Conflicted)
	row("+ held", r.Held)
	row("lost", r.Lost)
	row("applied twice", r.Twice)
	row("forged anywhere", r.Forged)
	row("in the tables", r.Receipts, fmt.Sprintf("receipts of %d payouts and batches", r.Payouts))
	title("WEATHER")
	row("connections broken", r.Broken, counts(r.Outages)...)
	row("accepted by queue", r.QueueOnly, "the table was out of reach")
	row("accepted by record", r.StoreOnly, "the queue was out of reach")
	row("deliveries postponed", r.Postponed)
	row("deliveries again", r.Duplicates, "of what was applied before")
	row("sent by the sweeper", r.Resent)
	row("adopted dead letters", r.Recovered)
	title("SPEED")
	row("callbacks a second", fmt.Sprintf("%.0f", r.Rate))
	row("answered in, p50", fmt.Sprintf("%.1f ms", r.P50))
	row("answered in, p99", fmt.Sprintf("%.1f ms", r.P99), fmt.Sprintf("at most %.1f ms", r.Max))
	row("drained in", fmt.Sprintf("%.1f s", r.Drain))
	r.printWrong(out)
}

func (r *report) printWrong(out io.Writer) {
	if len(r.Wrong) == 0 {
		_, _ = fmt.Fprintf(out, "\nIt adds up. (--seed %d)\n", r.Seed)
		return
	}
	_, _ = fmt.Fprintf(out, "\nIT DOES NOT ADD UP. (--seed %d)\n", r.Seed)
	for _, text := range r.Wrong[:min(10, len(r.Wrong))] {
		_, _ = fmt.Fprintf(out, "  %s\n", text)
	}
	if more := len(r.Wrong) - 10; more > 0 {
		_, _ = fmt.Fprintf(out, "  … and %d more (--json has all)\n", more)
	}
}

func counts[K ~string](of map[K]int) []string {
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		texts = append(texts, fmt.Sprintf("%d %s", of[name], name))
	}
	return texts
}
