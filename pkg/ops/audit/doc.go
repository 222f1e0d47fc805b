// Package audit holds what is stored to the law of conservation: every receipt
// is in one of its states and in its place in the index, every payout equals the
// fold of its applied receipts and its version is their number, every applied
// receipt has its payout, every released callback has become a receipt, and
// whoever released or dismissed one has left a name and a reason. With the logs
// of the gateway and of the functions it also holds what was acknowledged to
// what is stored.
//
// It streams: what it holds in memory does not grow with the tables. Functions
// go on writing meanwhile, so that whatever looks wrong is read again,
// consistently, and a payout that moved is no finding. It changes nothing.
//
// inboxtest.Check asks the same of a test's state and shares no code with this
// package on purpose: two opinions on one law are worth more than one.
package audit
