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
