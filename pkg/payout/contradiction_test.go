package payout_test

import (
	"slices"
	"testing"

	"payout-callbacks/pkg/payout"
)

// I8: a later block is no better a witness than an earlier one.
func TestNoBlockTimeResolvesAConflict(t *testing.T) {
	facts := []any{
		payout.Event{ID: paid, Status: payout.Succeeded, Amount: "1", BlockHeight: 7, BlockTime: 1686814482000},
		payout.Event{ID: paid, Status: payout.Failed, Amount: "1", BlockHeight: 9, BlockTime: 1686814999000},
	}
	for range 2 {
		if got := fold(facts).Status(); got != payout.Conflicted {
			t.Errorf("got %q, want conflicted", got)
		}
		slices.Reverse(facts)
	}
}

// No sequence of true totals settles more than there is, neither in number nor
// in money.
func TestABatchIsOverdrawnByItsCountAsByItsSum(t *testing.T) {
	event := func(succeeded, failed payout.Tally) payout.Event {
		return payout.Event{ID: batch, Status: payout.Done, Totals: payout.Totals{Succeeded: succeeded, Failed: failed}}
	}
	tally := func(count int64, amount payout.Amount) payout.Tally {
		return payout.Tally{Count: count, Amount: amount}
	}
	for name, facts := range map[string][]any{
		"count": {event(tally(2, "0"), tally(0, "0")), event(tally(1, "0"), tally(1, "0"))},
		"sum":   {event(tally(1, "1500"), tally(1, "500")), event(tally(1, "500"), tally(1, "1500"))},
	} {
		if got := fold(facts).Status(); got != payout.Conflicted {
			t.Errorf("by its %s: got %q, want conflicted", name, got)
		}
	}
}
