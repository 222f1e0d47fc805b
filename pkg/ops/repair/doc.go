// Package repair is what a person does to the records by hand: release or
// dismiss a held callback, fold a payout anew from its receipts, put a receipt
// back into its place in the index. A decision that ends a contradiction needs
// nothing of it: that is a receipt like any other ([payout.Record.Trust],
// [inbox.NewResolutionReceipt]).
//
// Each change is written under a condition on what was read, so that it can be
// stopped anywhere, run again and run by two people at once: nothing is lost,
// nothing is applied twice. Who did it and why is kept with what was changed.
// The functions never import this package.
package repair
