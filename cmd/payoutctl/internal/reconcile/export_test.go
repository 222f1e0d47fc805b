package reconcile

import (
	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// NextOfUnasked returns what to do about a payout about which the reconciler cannot ask.
func NextOfUnasked(id payout.ID, hasQueries bool) string {
	run := &askRun{Session: &cli.Session{}, hasQueries: func(payout.ID) bool { return hasQueries }}
	return run.next(asked{AskResult: reconcile.AskResult{Payout: id, Outcome: reconcile.NotAsked}})
}
