package main

import (
	"context"
	"errors"
	"fmt"
)

// payout is what is ordered. Its JSON is an expectation, see docs/EVENTS.md.
type payout struct {
	Provider  string `json:"provider"`
	Type      string `json:"type"`
	Account   string `json:"account"`
	ID        string `json:"id,omitzero"` // the provider's id, once it is known
	Reference string `json:"reference"`
	Currency  string `json:"currency"`
	Amount    string `json:"amount"`
	To        string `json:"to"`
	Due       string `json:"due"`
}

// expecter states what is ordered; see expectations.
type expecter interface {
	expect(ctx context.Context, p payout) (id string, err error)
}

// provider orders a payout; see cregis.
type provider interface {
	order(ctx context.Context, p payout) (id string, err error)
}

// errUnknown means that the provider may have the order. It must not be sent again: that
// is how people pay twice. The payout that is expected without an id becomes overdue and
// a person asks the provider, or its callback comes and is joined by the reference.
var errUnknown = errors.New("it is not known whether the provider has the order; do not order again")

// order orders a payout and returns its id in payout-callbacks. If the process ends at
// any step, it can be run again with the same reference: a repeated expectation changes
// nothing, and the provider refuses a reference that it knows (errUnknown).
func order(ctx context.Context, expectations expecter, at provider, p payout) (string, error) {
	p.Provider, p.Type = "cregis", "payout"
	if _, err := expectations.expect(ctx, p); err != nil {
		return "", fmt.Errorf("expect %s: %w", p.Reference, err) // nothing is ordered
	}
	id, err := at.order(ctx, p)
	if err != nil {
		return "", fmt.Errorf("order %s: %w", p.Reference, err)
	}
	p.ID = id
	known, err := expectations.expect(ctx, p)
	if err != nil {
		// The payout is ordered, and expected without its id: its callback joins both, or it
		// becomes overdue. Do not order again; only the expectation has to be repeated.
		return "", fmt.Errorf("ordered as %s, but not expected with this id: send the expectation again (payoutctl expect --id %s): %w", id, id, err)
	}
	return known, nil
}
