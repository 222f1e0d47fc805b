package payout

import (
	"net/url"
	"strings"
)

// ID identifies one payout, or one batch, across all providers:
//
//	provider / type / account / provider's payout id [ / our reference ]
//
// The reference is part of the ID only if the provider's id names a request of
// several payouts (an item of a Pivot request), or if the provider's id is not known:
// then it is empty. Account, id and reference are
// escaped as in a URL's path, so an ID splits in one way only.
type ID string

// Type is the type of a payout. Equal provider ids of different types are different
// payouts.
type Type string

// The payout types.
const (
	TypePayout           Type = "payout"             // one payout
	TypeSubAddressPayout Type = "sub-address-payout" // one payout out of a sub-address (Cregis)
	TypeBatch            Type = "batch"              // a bulk request (Pivot): totals, without its items
)

// NewID returns the ID with these parts, escaped. An empty reference is left out.
func NewID(provider string, payoutType Type, account, payoutID, reference string) ID {
	parts := []string{provider, string(payoutType), url.PathEscape(account), url.PathEscape(payoutID)}
	if reference != "" {
		parts = append(parts, url.PathEscape(reference))
	}
	return ID(strings.Join(parts, "/"))
}

// Provider returns the first part of the ID.
func (id ID) Provider() string { return id.part(0) }

// Type returns the second part of the ID.
func (id ID) Type() Type { return Type(id.part(1)) }

// Account returns the third part of the ID, unescaped.
func (id ID) Account() string { return id.part(2) }

// PayoutID returns the provider's id, unescaped. It is "" for a payout that is expected
// and whose id is not known yet.
func (id ID) PayoutID() string { return id.part(3) }

// Reference returns our reference, unescaped, if it is part of the ID.
func (id ID) Reference() string { return id.part(4) }

func (id ID) part(n int) string {
	rest := string(id)
	for range n {
		_, after, ok := strings.Cut(rest, "/")
		if !ok {
			return ""
		}
		rest = after
	}
	part, _, _ := strings.Cut(rest, "/")
	text, err := url.PathUnescape(part)
	if err != nil {
		return part
	}
	return text
}
