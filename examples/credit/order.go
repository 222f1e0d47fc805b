package main

import "math/big"

// order is what this service ordered from the provider, and under which
// reference. It is stored before the payout is ordered, with the amount and the
// currency as payout-callbacks writes them, and both never change.
type order struct {
	Reference string
	Amount    string // exact decimal
	Currency  string
	Payout    string // that was credited for it; "" before
}

// isPaidBy reports whether a notice of success is of the order: the amount and
// the currency are those that were ordered, and no other payout was credited for
// it. Several payouts can have one reference: a retry after a failure, a mistake
// at the provider, two providers.
func (o order) isPaidBy(n notice) bool {
	return o.Reference != "" && o.Reference == n.Reference && isSameAmount(o.Amount, n.Amount) &&
		o.Currency == n.Currency && (o.Payout == "" || o.Payout == n.Payout)
}

// isSameAmount compares decimals: 2.5 and 2.50 are one amount.
func isSameAmount(a, b string) bool {
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	return okX && okY && x.Cmp(y) == 0
}
