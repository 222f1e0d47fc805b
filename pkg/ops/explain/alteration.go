package explain

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
)

// findAlteration looks for the other key, the other account or the alteration
// with which the provider verifies the body.
func (r *Report) findAlteration(body signedBody) {
	// Documented bodies have fewer than twenty fields and 2 KiB.
	const maxFields, maxSize = 48, 16 << 10
	if r.findAccount(body) || len(body.fields) <= maxFields && len(body.in.Request.Body) <= maxSize && r.findAlteredFields(body) {
		return
	}
	r.addf(CauseUnknownKey, "the signature matches no stored key, and no usual alteration explains it. Most often the provider signs with a new key: "+
		"compare the key in Cregis's console with the stored keys by the id that keys add prints")
}

// findAccount tries the keys of the other accounts, and the other accounts as pid.
func (r *Report) findAccount(body signedBody) bool {
	for _, account := range slices.Sorted(maps.Keys(body.in.Keys)) {
		if account == r.Account {
			continue
		}
		if sender, ok := body.verify(body.fields, callback.Keys{r.Account: body.in.Keys[account]}); ok {
			r.addf(CauseOtherAccount, "key %s of project %s signs it, and the body names project %s: the key belongs to another project",
				keyName(sender.KeyID, sender.Previous), account, r.Account)
			return true
		}
		if r.tryField(body, fieldIndex(body.fields, "pid"), account, "names that project") {
			return true
		}
	}
	return false
}

// findAlteredFields applies each alteration to each field, then to all of them.
func (r *Report) findAlteredFields(body signedBody) bool {
	for _, a := range alterations() {
		all := slices.Clone(body.fields)
		for n, f := range body.fields {
			all[n].text = a.undo(f)
			if r.tryField(body, n, all[n].text, a.matches) {
				return true
			}
		}
		if sender, ok := body.verify(all, body.in.Keys); ok {
			r.addf(CauseReencoded, "several fields were altered: with key %s the signature matches if each value %s", keyName(sender.KeyID, sender.Previous), a.matches)
			return true
		}
	}
	return false
}

// tryField verifies the body with another value of one field.
func (r *Report) tryField(body signedBody, n int, text, matches string) bool {
	if n < 0 || text == "" || text == body.fields[n].text {
		return false
	}
	fields := slices.Clone(body.fields)
	fields[n].text = text
	sender, ok := body.verify(fields, body.in.Keys)
	if ok {
		f := body.fields[n]
		r.Findings = append(r.Findings, Finding{
			Cause: CauseAltered, Field: f.name, Received: f.text, Signed: text,
			Text: fmt.Sprintf("%s was altered: with key %s the signature matches if it %s", f.name, keyName(sender.KeyID, sender.Previous), matches),
		})
	}
	return ok
}

// alteration is a change that a sender or a proxy makes to a value.
type alteration struct {
	matches string             // completes "the signature matches if it …"
	undo    func(field) string // returns the text before the change
}

func alterations() []alteration {
	all := []alteration{
		{"is a plain number", plainNumber},
		{"has no whitespace around it", func(f field) string { return strings.TrimSpace(f.text) }},
		{`keeps its \u escapes as written in the body`, escapedText},
		{`has its \u escapes decoded again`, unescape},
		{"is UTF-8 that was encoded once, not twice", undoDoubleUTF8},
	}
	for places := range maxPlaces + 1 {
		all = append(all, alteration{"has another number of decimals", func(f field) string {
			if number, ok := parseNumber(f.text); ok {
				return number.FloatString(places)
			}
			return f.text
		}})
	}
	return all
}

// maxPlaces is the number of decimals of the smallest unit of any currency.
const maxPlaces = 18

func plainNumber(f field) string {
	number, ok := parseNumber(f.text)
	if !ok || f.kind != jsontext.KindNumber {
		return f.text
	}
	return strings.TrimSuffix(strings.TrimRight(number.FloatString(maxPlaces), "0"), ".")
}

// parseNumber parses a decimal number. It refuses long numbers and large
// exponents, which take seconds to write out.
func parseNumber(text string) (*big.Rat, bool) {
	const maxLength, maxExponent = 60, 2
	_, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	isDecimal := strings.Trim(text, "0123456789.eE+-") == ""
	if !isDecimal || len(text) > maxLength || len(strings.Trim(exponent, "+-")) > maxExponent {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

func escapedText(f field) string {
	if f.kind == jsontext.KindString {
		return f.raw[1 : len(f.raw)-1]
	}
	return f.text
}

func unescape(f field) string {
	decoded, err := jsontext.AppendUnquote(nil, `"`+f.text+`"`)
	if err != nil {
		return f.text
	}
	return string(decoded)
}

// undoDoubleUTF8 decodes UTF-8 that was read as ISO 8859-1 and encoded again.
func undoDoubleUTF8(f field) string {
	var decoded []byte
	for _, r := range f.text {
		if r > unicode.MaxLatin1 {
			return f.text
		}
		decoded = append(decoded, byte(r)) //nolint:gosec // at most 255, by the check above
	}
	return string(decoded)
}
