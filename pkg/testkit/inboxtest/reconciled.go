package inboxtest

import (
	"fmt"
	"slices"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// checkReconciled checks the schedules, and that nothing is overdue before its deadline.
func (c *check) checkReconciled(settled bool) {
	deadlines := map[payout.ID]int64{}
	for _, record := range c.state.Records {
		deadlines[record.ID] = record.Deadline
		if c.state.Schedules != nil {
			c.checkSchedule(record, settled)
		}
	}
	for i := range c.state.Receipts {
		receipt := &c.state.Receipts[i]
		if source, status := receipt.Key.Statement(); source != payout.SourceReconciler || status != payout.Overdue {
			continue
		}
		deadline := deadlines[receipt.Event.ID]
		if receipt.Event.Reason == "" || deadline == 0 || receipt.AcceptedAt.UnixMilli() < deadline {
			c.failf("I13: %v states %q at %s, the deadline is %d", receipt.Key, receipt.Event.Reason, receipt.AcceptedAt, deadline)
		}
	}
}

// checkSchedule checks that a payout is scheduled exactly if a query is needed. Before the
// work has settled, the last query may be under way.
func (c *check) checkSchedule(record payout.Record, settled bool) {
	schedule, mode := c.state.Schedules[record.ID], c.state.Queries[record.ID.Provider()]
	isScheduled, isNeeded := !schedule.At.IsZero(), inbox.IsQueryNeeded(record, schedule.Tries, mode)
	isLast := !settled && inbox.IsQueryNeeded(record, 0, mode)
	if isNeeded && !isScheduled || isScheduled && !isNeeded && !isLast {
		c.failf("I11: payout %s is %s: query needed %t, schedule %+v", record.ID, record.Status(), isNeeded, schedule)
	}
}

// checkAnswers checks that answers have not changed what the other receipts of a payout
// state: a value either stays or is in conflict.
func checkAnswers(record payout.Record, applied []*inbox.Receipt) string {
	isAnswer := func(receipt *inbox.Receipt) bool { return receipt.Source() == payout.SourceQuery }
	if !slices.ContainsFunc(applied, isAnswer) {
		return ""
	}
	var without payout.Record
	for _, receipt := range applied {
		switch {
		case receipt.Resolution != nil:
			without, _ = without.Resolve(*receipt.Resolution)
		case !isAnswer(receipt):
			without, _ = without.Apply(receipt.Event)
		}
	}
	for field := range without.Claims {
		if stated, shown := without.Value(field), record.Value(field); stated != "" && shown != "" && shown != stated {
			return fmt.Sprintf("I12: answers have changed %s of payout %s", field, record.ID)
		}
	}
	stated, shown := without.Status(), record.Status()
	if record.ID.Type() != payout.TypeBatch && stated.IsFinal() && shown != stated && shown != payout.Conflicted {
		return fmt.Sprintf("I12: answers have changed the status of payout %s from %s to %s", record.ID, stated, shown)
	}
	return ""
}
