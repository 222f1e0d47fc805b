package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
)

// report is the result of a run. The check passed if wrong is empty.
type report struct {
	seed   uint64
	sent   int
	broken int64           // requests to DynamoDB and SQS
	counts map[outcome]int // of callbacks
	log    *functionLog
	stored inboxtest.State
	wrong  []string
}

// outcome is how a callback was answered; that of an acknowledged one is the
// state of its receipt.
type outcome string

const (
	applied    outcome = "applied"
	conflicted outcome = "conflicted" // applied to a payout that is conflicted
	held       outcome = "held"
	lost       outcome = "lost"
	refused    outcome = "refused"
	failed     outcome = "failed"
)

func (r *report) complainf(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
}

// check compares what was sent with what is stored.
func (r *report) check(s *sender) {
	r.counts = map[outcome]int{}
	receipts := map[inbox.Key]inbox.State{}
	for _, receipt := range r.stored.Receipts {
		receipts[receipt.Key] = receipt.State
	}
	conflicts := map[string]bool{}
	for _, record := range r.stored.Records {
		conflicts[string(record.ID)] = record.Status() == payout.Conflicted
	}
	for _, a := range s.answers {
		r.counts[r.outcomeOf(a, receipts[a.Receipt.Key], conflicts[a.Receipt.Key.Payout])]++
	}
	for key, times := range r.log.applied {
		if times > 1 {
			r.complainf("I2: receipt %v was applied %d times", key, times)
		}
	}
	if r.log.unreadable > 0 {
		r.complainf("%d lines of the functions' log cannot be read", r.log.unreadable)
	}
	r.wrong = append(r.wrong, s.ledger.CheckFinal(r.stored)...)
	if r.sent != len(s.answers) {
		r.complainf("%d callbacks were sent, and %d are accounted for", r.sent, len(s.answers))
	}
	if r.counts[lost] > 0 {
		r.complainf("I1, I3: %d acknowledged callbacks are neither applied nor held", r.counts[lost])
	}
}

// outcomeOf returns the outcome of a callback whose receipt has the state, if any.
func (r *report) outcomeOf(a answer, state inbox.State, isConflicted bool) outcome {
	isRefused := a.code >= 400 && a.code < 500
	switch {
	case isRefused && !a.IsForged:
		r.complainf("I7: an authentic callback of %s was refused with %d", a.Provider, a.code)
	case a.isAcknowledged && a.IsForged:
		r.complainf("I6: a forged callback was acknowledged")
	}
	switch {
	case isRefused:
		return refused
	case !a.isAcknowledged:
		return failed
	case state == inbox.Held:
		return held
	case state == inbox.Applied && isConflicted:
		return conflicted
	case state == inbox.Applied:
		return applied
	}
	return lost
}

// print prints the report, with ten faults at most.
func (r *report) print(out io.Writer) {
	verdict := "the check passed"
	if len(r.wrong) > 0 {
		verdict = "THE CHECK FAILED"
	}
	var functions []string
	for _, name := range slices.Sorted(maps.Keys(r.log.counts)) {
		functions = append(functions, fmt.Sprintf("%s %d", name, r.log.counts[name]))
	}
	c := r.counts
	acknowledged := c[applied] + c[conflicted] + c[held] + c[lost]
	_, _ = fmt.Fprintf(out, `sent %d = acknowledged %d + refused %d, all of them forged, + failed %d
acknowledged %d = applied %d + conflicted %d + held %d + lost %d
stored: %d receipts of %d payouts and batches
broken requests: %d
functions: %s
%s (SEED=%d, %d faults)
`, r.sent, acknowledged, c[refused], c[failed],
		acknowledged, c[applied], c[conflicted], c[held], c[lost],
		len(r.stored.Receipts), len(r.stored.Records), r.broken, strings.Join(functions, ", "), verdict, r.seed, len(r.wrong))
	for _, text := range r.wrong[:min(10, len(r.wrong))] {
		_, _ = fmt.Fprintf(out, "  %s\n", text)
	}
}
