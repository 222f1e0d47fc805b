// Package payout defines what a payout is, which statements are made about it, and
// how they are merged.
//
// A [Record] is a fold over a set of statements: each is an [Event] from a provider,
// or a [Resolution] by which a person ended a conflict. The fold consists of parts
// that only grow (sets, maxima, minima), so the order and number of deliveries do
// not change the result. What a record shows ([Record.Status]) is derived from the
// parts and never stored as a decision. The fold reads no clock, and this package
// imports only the standard library and decimal arithmetic.
//
// The package does not deduplicate: [Record.Version] counts every statement that is
// merged. Package inbox guarantees that each is merged once.
package payout
