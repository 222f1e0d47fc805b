// Package payout is the business truth: what a payout is, which facts are told
// about it, and the law by which those facts are merged.
//
// A [Record] is a fold over a set of facts: an [Event] that a provider told, or
// a [Resolution] by which a person ended a contradiction. The fold is a product
// of parts that only grow (sets, maxima, minima), so the order and the number
// of deliveries change nothing, and what a record shows ([Record.Status]) is
// derived from the parts and never stored as a decision. The fold reads no
// clock, and this package imports nothing but the standard library and decimal
// arithmetic.
//
// The package does not deduplicate: [Record.Version] counts every fact that is
// merged. That each fact is merged once is the promise of package inbox.
package payout
