package cregis

import "payout-callbacks/pkg/payout"

// outcome is what a status says: of the payout, and why.
type outcome struct {
	status payout.Status
	reason string
}

// statuses are those that docs/api-reference/callback/payout and
// /callback/withdrawal list. 0, 1, 3 and 5 exist in queries only; the example
// on those pages has a 0 all the same, which is held.
var statuses = map[string]outcome{
	"2": {payout.Rejected, "signature"},
	"4": {payout.Rejected, "approval"},
	"6": {status: payout.Succeeded},
	"7": {status: payout.Failed},
}
