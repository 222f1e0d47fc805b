package cregis

import "payout-callbacks/pkg/payout"

// Canonical returns the signed text of a body, and whether it can be read.
func Canonical(raw []byte) (string, bool) {
	body, err := read(raw)
	if err != nil {
		return "", false
	}
	return body.canonical(), true
}

// Forms returns what the values of each documented field are held to.
func Forms() map[string]func(string) bool {
	forms := map[string]func(string) bool{}
	for _, rule := range documented {
		if rule.form != nil {
			forms[rule.name] = rule.form
		}
	}
	return forms
}

// OtherReadings runs the search for other readings both ways: the short one,
// which says only that there are none, and the long one.
func OtherReadings(kind payout.Type, raw []byte) (short bool, long int) {
	body, err := read(raw)
	if err != nil {
		panic(err)
	}
	search := newSearch(body, shapeOf(kind))
	search.claims()
	return len(body.others) == 0 && search.onlyOwnNames(), len(search.others())
}
