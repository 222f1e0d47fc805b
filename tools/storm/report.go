package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
)

// report is the result of a run. The check passed if wrong is empty.
type report struct {
	seed    uint64
	outages map[string]int
	broken  int // connections

	sent                          int
	kinds                         map[kind]int
	acknowledged, refused, failed int
	storedFailed                  int // stored without an acknowledgement

	applied, conflicted, held, lost int // acknowledged callbacks, by the state of their receipts
	receipts, payouts               int // stored
	log                             *functionLog

	rate      float64 // callbacks a second
	latencies []time.Duration
	drain     time.Duration

	wrong []string
}

func (r *report) complainf(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
}

// check compares what was sent with what is stored.
func (r *report) check(s *sender, state inboxtest.State, log *functionLog) {
	r.kinds, r.log = map[kind]int{}, log
	stored := map[inbox.Key]inbox.State{}
	for _, receipt := range state.Receipts {
		stored[receipt.Key] = receipt.State
	}
	conflicted := map[string]bool{}
	for _, record := range state.Records {
		conflicted[string(record.ID)] = record.Status() == payout.Conflicted
	}
	for _, a := range s.answers {
		r.kinds[a.kind]++
		r.latencies = append(r.latencies, a.latency)
		r.countAnswer(a, stored[a.receipt.Key], conflicted[a.receipt.Key.Payout])
	}
	slices.Sort(r.latencies)
	r.receipts, r.payouts = len(state.Receipts), len(state.Records)
	for key, times := range maps.All(log.applied) {
		if times > 1 {
			r.complainf("I2: receipt %v was applied %d times", key, times)
		}
	}
	if log.unreadable > 0 {
		r.complainf("%d lines of the functions' log cannot be read", log.unreadable)
	}
	r.wrong = append(r.wrong, s.ledger.CheckFinal(state)...)
	if r.sent != r.acknowledged+r.refused+r.failed {
		r.complainf("sent %d is not acknowledged %d + refused %d + failed %d", r.sent, r.acknowledged, r.refused, r.failed)
	}
	if r.lost > 0 {
		r.complainf("I1, I3: acknowledged %d is not applied %d + conflicted %d + held %d: %d are lost",
			r.acknowledged, r.applied, r.conflicted, r.held, r.lost)
	}
}

// countAnswer counts one callback by its answer and by the state of its receipt.
func (r *report) countAnswer(a answer, state inbox.State, isConflicted bool) {
	isRefused := a.code >= 400 && a.code < 500
	if a.kind != forged && isRefused {
		r.complainf("I7: an authentic callback of %s was refused with %d", a.provider, a.code)
	}
	switch {
	case a.isAcknowledged && a.kind == forged:
		r.acknowledged++
		r.complainf("I6: a forged callback was acknowledged")
	case a.isAcknowledged:
		r.acknowledged++
		r.countState(state, isConflicted)
	case isRefused:
		r.refused++
	default:
		r.failed++
	}
	if !a.isAcknowledged && state != "" {
		r.storedFailed++
	}
}

// countState counts an acknowledged callback by the state of its receipt.
func (r *report) countState(state inbox.State, isConflicted bool) {
	switch {
	case state == inbox.Held:
		r.held++
	case state == inbox.Applied && isConflicted:
		r.conflicted++
	case state == inbox.Applied:
		r.applied++
	default:
		r.lost++
	}
}

// print prints the report as a table, with ten faults at most.
func (r *report) print(out io.Writer) {
	row := func(name string, value any, notes ...string) {
		_, _ = fmt.Fprintf(out, "  %-24s %8v  %s\n", name, value, strings.Join(notes, ", "))
	}
	title := func(text string) { _, _ = fmt.Fprintf(out, "\n%s\n", text) }
	title("SENT")
	row("sent", r.sent, counts(r.kinds)...)
	row("= acknowledged", r.acknowledged)
	row("+ refused", r.refused, "forged")
	row("+ failed", r.failed, fmt.Sprintf("%d of them are stored", r.storedFailed))
	title("ACKNOWLEDGED")
	row("acknowledged", r.acknowledged)
	row("= applied", r.applied)
	row("+ conflicted", r.conflicted)
	row("+ held", r.held)
	row("+ lost", r.lost)
	row("stored", r.receipts, fmt.Sprintf("receipts of %d payouts and batches", r.payouts))
	title("FAULTS")
	row("broken connections", r.broken, counts(r.outages)...)
	row("accepted by the queue", r.log.accepted[inbox.AcceptedQueueOnly], "the table was unavailable")
	row("accepted by the table", r.log.accepted[inbox.AcceptedStoreOnly], "the queue was unavailable")
	row("failed deliveries", r.log.failed)
	row("duplicate deliveries", r.log.duplicates)
	row("resent receipts", r.log.resent)
	row("recovered dead letters", r.log.recovered)
	title("SPEED")
	row("callbacks a second", fmt.Sprintf("%.0f", r.rate))
	row("latency, p50", r.quantile(50), "p99 "+r.quantile(99), "at most "+r.quantile(100))
	row("drained in", r.drain.Round(100*time.Millisecond))
	verdict := "the check passed"
	if len(r.wrong) > 0 {
		verdict = "THE CHECK FAILED"
	}
	_, _ = fmt.Fprintf(out, "\n%s (SEED=%d)\n", verdict, r.seed)
	for _, text := range r.wrong[:min(10, len(r.wrong))] {
		_, _ = fmt.Fprintf(out, "  %s\n", text)
	}
	if more := len(r.wrong) - 10; more > 0 {
		_, _ = fmt.Fprintf(out, "  … and %d more\n", more)
	}
}

func counts[K ~string](numbers map[K]int) []string {
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(numbers)) {
		texts = append(texts, fmt.Sprintf("%d %s", numbers[name], name))
	}
	return texts
}

func (r *report) quantile(percent int) string {
	if len(r.latencies) == 0 {
		return "-"
	}
	n := (len(r.latencies)*percent + 99) / 100
	return r.latencies[max(n, 1)-1].Round(100 * time.Microsecond).String()
}
