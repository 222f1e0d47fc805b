package main

import "math/big"

// order is a payout that this service orders from the provider. It is stored
// before it is sent, with the amount and the currency as payout-callbacks writes
// them, which never change.
type order struct {
	Reference string
	Amount    string // exact decimal
	Currency  string
	Payout    string // the payout that was credited for it, or ""
}

// isPaidBy reports whether a success matches the order: it has the amount and the
// currency of the order, and no other payout was credited for it. Several payouts
// may have one reference: a retry after a failure, an error of the provider, two
// providers.
func (o order) isPaidBy(n notification) bool {
	return o.Reference != "" && o.Reference == n.Reference && isSameAmount(o.Amount, n.Amount) &&
		o.Currency == n.Currency && (o.Payout == "" || o.Payout == n.Payout)
}

// isSameAmount compares decimals: 2.5 equals 2.50.
func isSameAmount(a, b string) bool {
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	return okX && okY && x.Cmp(y) == 0
}
