package payout_test

import (
	"slices"
	"testing"

	"payout-callbacks/pkg/payout"
)

// I8: a later block does not decide between two final statuses.
func TestRecord_FinalsWithBlockTimes(t *testing.T) {
	statements := []any{
		payout.Event{ID: paid, Status: payout.Succeeded, Amount: "1", BlockHeight: 7, BlockTime: 1686814482000},
		payout.Event{ID: paid, Status: payout.Failed, Amount: "1", BlockHeight: 9, BlockTime: 1686814999000},
	}
	for range 2 {
		if got := fold(statements).Status(); got != payout.Conflicted {
			t.Errorf("got %q, want conflicted", got)
		}
		slices.Reverse(statements)
	}
}

// No sequence of true totals settles more than the batch has, in items or in money.
func TestRecord_BatchSettledExceedsTotal(t *testing.T) {
	event := func(succeeded, failed payout.Tally) payout.Event {
		return payout.Event{ID: batch, Status: payout.Done, Totals: payout.Totals{Succeeded: succeeded, Failed: failed}}
	}
	tally := func(count int64, amount payout.Amount) payout.Tally {
		return payout.Tally{Count: count, Amount: amount}
	}
	for name, statements := range map[string][]any{
		"count": {event(tally(2, "0"), tally(0, "0")), event(tally(1, "0"), tally(1, "0"))},
		"sum":   {event(tally(1, "1500"), tally(1, "500")), event(tally(1, "500"), tally(1, "1500"))},
	} {
		if got := fold(statements).Status(); got != payout.Conflicted {
			t.Errorf("%s: got %q, want conflicted", name, got)
		}
	}
}
