package pivot

import "payout-callbacks/pkg/payout"

// family is the prefix of the events that are ours to read.
const family = "PAYOUT."

// The words of each family of callbacks: "PAYOUT." and the word is the event's
// name, and the word alone is its status
// (docs/api-lists/payout-local/payout-callback).
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

// known reports whether the word is a status of either family.
func known(word string) bool {
	return bulkStatuses[word] != "" || singleStatuses[word] != ""
}
