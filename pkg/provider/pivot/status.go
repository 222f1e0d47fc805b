package pivot

import "payout-callbacks/pkg/payout"

// family is the prefix of the events of payouts.
const family = "PAYOUT."

// The statuses of each family of callbacks. The name of an event is "PAYOUT." and the
// status (docs/api-lists/payout-local/payout-callback).
var (
	bulkStatuses = map[string]payout.Status{
		"PENDING":   payout.Pending, // not sent to the bank: balance too low
		"DELAYED":   payout.Delayed,
		"DONE":      payout.Done, // items may still be pending: the totals say
		"CANCELLED": payout.Cancelled,
	}
	singleStatuses = map[string]payout.Status{
		"DELAYED": payout.Delayed,
		"SUCCESS": payout.Succeeded,
		"FAILED":  payout.Failed,
	}
)

// isStatus reports whether the word is a status of either family.
func isStatus(word string) bool {
	return bulkStatuses[word] != "" || singleStatuses[word] != ""
}
