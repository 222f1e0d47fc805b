package payout

import (
	"net/url"
	"strings"
)

// ID names one payout, or one batch, across all providers:
//
//	provider / type / account / provider's payout id [ / our reference ]
//
// The reference is part of it only where the provider's id names a request of
// several payouts (an item of a Pivot request). Parts that are free text are
// escaped as in a URL's path, so an ID splits in one way only; the providers'
// own ids stand in it as written.
type ID string

// Type is what kind of callback told a fact. Equal ids of different types are
// different payouts.
type Type string

// The types of callback.
const (
	TypePayout           Type = "payout"             // one payout
	TypeSubAddressPayout Type = "sub-address-payout" // one payout out of a sub-address (Cregis)
	TypeBatch            Type = "batch"              // the totals of a bulk request (Pivot); names no item
)

// NewID joins the parts of an ID, escaping each; empty trailing parts are left out.
func NewID(provider string, t Type, account, payoutID, reference string) ID {
	parts := []string{provider, string(t), url.PathEscape(account), url.PathEscape(payoutID)}
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

func (id ID) part(n int) string {
	parts := strings.Split(string(id), "/")
	if n >= len(parts) {
		return ""
	}
	text, err := url.PathUnescape(parts[n])
	if err != nil {
		return parts[n]
	}
	return text
}
