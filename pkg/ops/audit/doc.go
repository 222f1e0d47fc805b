// Package audit checks that the stored data is consistent:
//
//   - each receipt has a known state, and is in the index only while it must be
//   - each payout equals the fold of its applied receipts, and its version is
//     their number
//   - each applied receipt has its payout
//   - each released or answered callback has the receipt that replaces it
//   - each released, answered or dismissed receipt has an actor and a reason
//   - a payout is scheduled for a query where one is needed in every mode, and not where
//     none is
//
// With the logs of the gateway and of the functions, it also checks that each
// acknowledged callback has a receipt.
//
// An audit streams: its memory does not grow with the tables. The functions write
// meanwhile, so an audit reads an inconsistent item again, consistently, before it
// reports it; a payout that changes in between is not a finding. An audit changes
// nothing.
//
// inboxtest.Check checks the same invariants of a test's state. It shares no code
// with this package, so that an error in one of them shows.
package audit
