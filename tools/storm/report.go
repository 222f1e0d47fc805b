package main

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
)

// report is the reckoning after a storm. It adds up where Wrong is empty.
type report struct {
	Seed    uint64         `json:"seed"`
	Outages map[string]int `json:"outages"`
	Broken  int            `json:"brokenConnections"`

	Sent         int            `json:"sent"`
	Sorts        map[sort]int   `json:"sorts"`
	Acknowledged int            `json:"acknowledged"`
	Refused      int            `json:"refused"`
	Failed       int            `json:"failed"`
	Answers      map[string]int `json:"answers"` // by HTTP status, or "none"

	// What became of those that were acknowledged.
	Applied    int `json:"applied"`
	Conflicted int `json:"conflicted"`
	Held       int `json:"held"`
	Lost       int `json:"lost"`

	// What is in the tables.
	Receipts   int `json:"receipts"`
	Payouts    int `json:"payouts"`
	Twice      int `json:"twice"`
	Forged     int `json:"forgedAnywhere"`
	KeptFailed int `json:"keptAlthoughFailed"` // their provider sends again what we have

	// How it came about.
	QueueOnly  int `json:"acceptedQueueOnly"`
	StoreOnly  int `json:"acceptedStoreOnly"`
	Postponed  int `json:"deliveriesPostponed"`
	Duplicates int `json:"deliveriesAgain"`
	Resent     int `json:"sentBySweeper"`
	Recovered  int `json:"recoveredDeadLetters"`

	Rate  float64 `json:"callbacksPerSecond"`
	P50   float64 `json:"p50Milliseconds"`
	P99   float64 `json:"p99Milliseconds"`
	Max   float64 `json:"maxMilliseconds"`
	Drain float64 `json:"drainSeconds"`

	Wrong []string `json:"wrong"`
}

// reckon adds up what was sent and what is there.
func (r *report) check(answers []answer, state inboxtest.State, j *journal) {
	r.count(answers)
	genuine := map[inbox.Key]bool{}
	var owed []inbox.Key
	for _, answer := range answers {
		if answer.sort == forged {
			continue
		}
		genuine[answer.key] = true
		if answer.verdict == acknowledged {
			owed = append(owed, answer.key)
		}
	}
	stored := index(state)
	for _, answer := range answers {
		r.follow(answer, stored)
	}
	r.Receipts, r.Payouts = len(state.Receipts), len(state.Records)
	r.strangers(state, genuine)
	r.journal(j)
	slices.SortFunc(owed, inbox.Key.Compare)
	r.Wrong = append(r.Wrong, inboxtest.Check(state, slices.Compact(owed), true)...)
	r.verdicts()
}

func (r *report) complainf(format string, args ...any) {
	r.Wrong = append(r.Wrong, fmt.Sprintf(format, args...))
}

func (r *report) count(answers []answer) {
	r.Sorts, r.Answers = map[sort]int{}, map[string]int{}
	var took []time.Duration
	for _, answer := range answers {
		r.Sorts[answer.sort]++
		code := "none"
		if answer.code > 0 {
			code = fmt.Sprint(answer.code)
		}
		r.Answers[code]++
		switch answer.verdict {
		case acknowledged:
			r.Acknowledged++
		case refused:
			r.Refused++
		case failed:
			r.Failed++
		}
		if answer.sort == forged && answer.verdict == acknowledged {
			r.complainf("I6: a forged callback was acknowledged")
		}
		if answer.sort != forged && answer.verdict == refused {
			r.complainf("I7: an authentic callback to %s was refused with %d", answer.path, answer.code)
		}
		took = append(took, answer.took)
	}
	slices.Sort(took)
	r.P50, r.P99, r.Max = quantile(took, 50), quantile(took, 99), quantile(took, 100)
}

// place is where a receipt stands, and its payout.
type place struct {
	state      inbox.State
	conflicted bool
}

func index(state inboxtest.State) map[inbox.Key]place {
	conflicted := map[string]bool{}
	for _, record := range state.Records {
		conflicted[string(record.ID)] = record.Status() == payout.Conflicted
	}
	places := map[inbox.Key]place{}
	for _, receipt := range state.Receipts {
		places[receipt.Key] = place{receipt.State, conflicted[receipt.Key.Payout]}
	}
	return places
}

// follow finds out what became of a callback.
func (r *report) follow(answer answer, stored map[inbox.Key]place) {
	if answer.sort == forged {
		return
	}
	p, ok := stored[answer.key]
	if answer.verdict != acknowledged {
		if ok {
			r.KeptFailed++
		}
		return
	}
	switch {
	case p.state == inbox.Held:
		r.Held++
	case p.state == inbox.Applied && p.conflicted:
		r.Conflicted++
	case p.state == inbox.Applied:
		r.Applied++
	default:
		r.Lost++
	}
}

// strangers are receipts and payouts that no authentic callback told of.
func (r *report) strangers(state inboxtest.State, genuine map[inbox.Key]bool) {
	payouts := map[string]bool{}
	for key := range genuine {
		payouts[key.Payout] = true
	}
	for _, receipt := range state.Receipts {
		if !genuine[receipt.Key] {
			r.Forged++
			r.complainf("I6: receipt %v was never told by an authentic callback", receipt.Key)
		}
	}
	for _, record := range state.Records {
		if !payouts[string(record.ID)] {
			r.Forged++
			r.complainf("I6: payout %s was never told of by an authentic callback", record.ID)
		}
	}
}

func (r *report) journal(j *journal) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for key, times := range maps.All(j.applied) {
		if times > 1 {
			r.Twice++
			r.complainf("I2: receipt %v was applied %d times", key, times)
		}
	}
	if j.damaged > 0 {
		r.complainf("%d lines of log cannot be read", j.damaged)
	}
	r.QueueOnly, r.StoreOnly = j.accepted[inbox.AcceptedQueueOnly], j.accepted[inbox.AcceptedStoreOnly]
	r.Postponed, r.Duplicates, r.Resent, r.Recovered = j.failed, j.redelivered, j.sent, j.recovered
}

// verdicts are the sums that the reckoning is about.
func (r *report) verdicts() {
	if r.Sent != r.Acknowledged+r.Refused+r.Failed {
		r.complainf("sent %d is not acknowledged %d + refused %d + failed %d", r.Sent, r.Acknowledged, r.Refused, r.Failed)
	}
	if r.Lost > 0 || r.Acknowledged != r.Applied+r.Conflicted+r.Held {
		r.complainf("I1, I3: acknowledged %d is not applied %d + conflicted %d + held %d: %d are lost",
			r.Acknowledged, r.Applied, r.Conflicted, r.Held, r.Lost)
	}
}

// quantile is in milliseconds, of sorted spans.
func quantile(sorted []time.Duration, percent int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	n := (len(sorted)*percent + 99) / 100
	return float64(sorted[max(n, 1)-1].Microseconds()) / 1000
}
