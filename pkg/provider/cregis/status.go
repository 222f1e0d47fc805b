package cregis

import "payout-callbacks/pkg/payout"

// meaning is the status and reason that a status of Cregis stands for.
type meaning struct {
	status payout.Status
	reason string
}

// statuses maps the statuses that docs/api-reference/callback/payout and
// /callback/withdrawal list. 0, 1, 3 and 5 exist in queries only. The example on
// those pages has a 0 nevertheless, which is held.
var statuses = map[string]meaning{
	"2": {payout.Rejected, "signature"},
	"4": {payout.Rejected, "approval"},
	"6": {status: payout.Succeeded},
	"7": {status: payout.Failed},
}
