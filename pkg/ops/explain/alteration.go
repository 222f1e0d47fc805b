package explain

import (
	"fmt"
	"html"
	"maps"
	"math/big"
	"net/url"
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
	if r.findAccount(body) {
		return
	}
	if len(body.fields) <= maxFields && len(body.in.Request.Body) <= maxSize && (r.findAlteredField(body) || r.findReencoding(body)) {
		return
	}
	r.addf(CauseUnknownKey, "the signature matches no stored key, and no usual alteration explains it. Most often the provider signs with a new key: "+
		"compare the key in Cregis's console with the stored keys by the id that keys add prints")
}

// findAccount tries the keys of the other accounts, and the other accounts as pid.
func (r *Report) findAccount(body signedBody) bool {
	for _, account := range slices.Sorted(maps.Keys(body.in.Keys)) {
		if account == body.account {
			continue
		}
		keys := body.in.Keys[account]
		if sender, ok := body.verify(body.fields, callback.Keys{body.account: keys}); ok {
			r.addf(CauseOtherAccount, "key %s of project %s signs it, and the body names project %s: the key belongs to another project",
				keyName(sender.KeyID, sender.Previous), account, body.account)
			return true
		}
		if r.tryField(body, fieldIndex(body.fields, "pid"), account, "names that project") {
			return true
		}
	}
	return false
}

func (r *Report) findAlteredField(body signedBody) bool {
	for n, f := range body.fields {
		for _, a := range alterations {
			if r.tryField(body, n, a.undo(f), a.matches) {
				return true
			}
		}
		for places := range maxPlaces + 1 {
			if r.tryField(body, n, withDecimals(f.text, places), "has another number of decimals") {
				return true
			}
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

// findReencoding applies each alteration to all fields.
func (r *Report) findReencoding(body signedBody) bool {
	for _, a := range alterations {
		fields := slices.Clone(body.fields)
		for n, f := range fields {
			fields[n].text = a.undo(f)
		}
		if sender, ok := body.verify(fields, body.in.Keys); ok {
			r.addf(CauseReencoded, "several fields were altered: with key %s the signature matches if each value %s", keyName(sender.KeyID, sender.Previous), a.matches)
			return true
		}
	}
	return false
}

// alteration is a change that a sender or a proxy makes to a value.
type alteration struct {
	matches string             // completes "the signature matches if it …"
	undo    func(field) string // returns the text before the change
}

var alterations = []alteration{
	{"is a plain number", plainNumber},
	{"has no whitespace around it", textOf(strings.TrimSpace)},
	{"has LF line ends instead of CR LF", textOf(func(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") })},
	{`keeps its \u escapes as written in the body`, escapedText},
	{`has its \u escapes decoded again`, textOf(unescape)},
	{"is decoded from URL encoding again", textOf(urlDecode)},
	{"has its HTML entities decoded", textOf(html.UnescapeString)},
	{"is UTF-8 that was encoded once, not twice", textOf(undoDoubleUTF8)},
}

func textOf(undo func(string) string) func(field) string {
	return func(f field) string { return undo(f.text) }
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

func withDecimals(text string, places int) string {
	number, ok := parseNumber(text)
	if !ok {
		return text
	}
	return number.FloatString(places)
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

func unescape(text string) string {
	decoded, err := jsontext.AppendUnquote(nil, `"`+text+`"`)
	if err != nil {
		return text
	}
	return string(decoded)
}

func urlDecode(text string) string {
	decoded, err := url.QueryUnescape(text)
	if err != nil {
		return text
	}
	return decoded
}

// undoDoubleUTF8 decodes UTF-8 that was read as ISO 8859-1 and encoded again.
func undoDoubleUTF8(text string) string {
	var decoded []byte
	for _, r := range text {
		if r > unicode.MaxLatin1 {
			return text
		}
		decoded = append(decoded, byte(r)) //nolint:gosec // at most 255, by the check above
	}
	return string(decoded)
}
