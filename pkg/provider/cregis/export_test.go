package cregis

import (
	"slices"

	"payout-callbacks/pkg/reconcile"
)

// The limits of the settings.
const (
	KnownFieldsPattern      = knownFieldsPattern
	MaxKnownFields          = maxKnownFields
	DefaultReferencePattern = defaultReferencePattern
	MaxReferencePattern     = maxReferencePattern
)

// ReadSettings is readSettings.
var ReadSettings = readSettings

// Canonical returns the signed text of a body, and whether it can be read.
func Canonical(raw []byte) (string, bool) {
	body, err := read(raw)
	if err != nil {
		return "", false
	}
	return body.canonical, true
}

// Forms returns the form of each documented field on a chain.
func Forms(chain string) map[string]func(string) bool {
	forms := map[string]func(string) bool{}
	for _, rule := range documented {
		if rule.form != nil {
			forms[rule.name] = func(text string) bool { return rule.form(chain, text) }
		}
	}
	return forms
}

// WithoutNamesInFreeTexts returns the provider without the rule on names in free
// texts, so that a test can show that it finds what the rule prevents.
func WithoutNamesInFreeTexts(p Provider) Provider {
	without := *p.options()
	without.names = slices.Clone(without.names)
	for i := range without.names {
		without.names[i].beforeValue = nil
	}
	return Provider{set: &without}
}

// CanonicalAddress returns an address as an event has it.
func CanonicalAddress(chain, text string) string { return canonicalAddress(chain, text) }

// CanonicalToken returns a token as an event has it.
func CanonicalToken(chain, text string) string { return canonicalToken(chain, text) }

// CanonicalTxID returns a transaction id as an event has it.
func CanonicalTxID(chain, to, text string) string { return canonicalTxID(chain, to, text) }

// FindSymbol returns the symbol of a currency as an event has it, and whether the
// currency matches chain and token.
func FindSymbol(chain, token, text string) (string, bool) { return findSymbol(chain, token, text) }

// ReadAnswer reads the answer to a query about a payout.
func ReadAnswer(status int, body []byte, asked reconcile.Asked) reconcile.Answer {
	return readAnswer(reconcile.Response{Status: status, Body: body}, []reconcile.Asked{asked})
}
