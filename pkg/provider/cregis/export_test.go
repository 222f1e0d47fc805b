package cregis

import "slices"

// Canonical returns the signed text of a body, and whether it can be read.
func Canonical(raw []byte) (string, bool) {
	body, err := read(raw)
	if err != nil {
		return "", false
	}
	return body.canonical(), true
}

// Forms returns what the values of each documented field are held to on a chain.
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
// texts, so that tests can show that they find what the rule prevents.
func WithoutNamesInFreeTexts(p Provider) Provider {
	without := *p.options()
	without.names = slices.Clone(without.names)
	for i := range without.names {
		without.names[i].begins = nil
	}
	return Provider{set: &without}
}

// CanonicalAddress is the form of an address in an event.
func CanonicalAddress(chain, text string) string { return canonicalAddress(chain, text) }

// CanonicalToken is the form of a token in an event.
func CanonicalToken(chain, text string) string { return canonicalToken(chain, text) }

// CanonicalTxID is the form of a transaction's id in an event.
func CanonicalTxID(chain, to, text string) string { return canonicalTxID(chain, to, text) }

// CurrencyOf is the symbol of a currency in an event, and whether it agrees with
// chain and token.
func CurrencyOf(chain, token, text string) (string, bool) { return currencyOf(chain, token, text) }
