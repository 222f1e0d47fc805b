// Package repair changes records on behalf of an operator: it releases or
// dismisses a held callback, rebuilds a payout from its receipts, and puts a
// receipt back into the index. To resolve a conflict, an operator accepts a
// receipt instead ([payout.Record.NewResolution], [inbox.NewResolutionReceipt]).
//
// Each write has a condition on what was read. So an operator may interrupt a
// command, run it again, or run it concurrently with another operator: no event is
// lost, and none is applied twice. The changed item keeps the actor and the
// reason. No function imports this package.
package repair
