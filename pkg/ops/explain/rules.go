package explain

import (
	"bytes"
	"html"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

// signingRule is one way in which a body is signed that is not Cregis's: the
// usual mistakes of those who write a sender, and what a body looks like to one
// who signs it and has it written by something else.
type signingRule struct {
	cause string
	what  string
	text  func(c *cregisCase, key string) string
}

var signingRules = []signingRule{
	{CauseReencoded, "all numbers are written as plain integers or decimals: something in between wrote them anew", values(plainNumber)},
	{CauseReencoded, "numbers are floating-point ones (6.0): something in between, or the sender, wrote them so", values(asFloat)},
	{CauseReencoded, "texts are taken with their \\u escapes as they stand: they were escaped before signing, or twice", values(asWritten)},
	{CauseReencoded, "texts are decoded from URL encoding once more: something in between encoded them", values(each(urlDecoded))},
	{CauseReencoded, "texts are encoded for a URL before they are signed", values(each(url.QueryEscape))},
	{CauseReencoded, "HTML entities are decoded once more: something in between encoded them", values(each(html.UnescapeString))},
	{CauseReencoded, "texts are UTF-8 that was taken for ISO 8859-1 once and encoded again", values(each(mended))},
	{CauseReencoded, "space around values is left out", values(each(strings.TrimSpace))},
	{CauseReencoded, "line ends are LF instead of CR LF", values(each(func(t string) string { return strings.ReplaceAll(t, "\r\n", "\n") }))},
	{CauseSigningRule, "values that are null are signed, as the word null", whole(nulls("null"), "", "", inFront)},
	{CauseSigningRule, "names of values that are null or empty are signed as well", whole(nulls(""), "", "", inFront)},
	{CauseSigningRule, "values that are 0 or false are left out", whole(truthy, "", "", inFront)},
	{CauseSigningRule, "fields are signed in the order of the body, not sorted", whole(unsorted, "", "", inFront)},
	{CauseSigningRule, "names are sorted without regard to case", whole(sortedAnyCase, "", "", inFront)},
	{CauseSigningRule, "the key stands behind the text, not before it", whole(fieldText, "", "", behind)},
	{CauseSigningRule, "the key stands on both sides", whole(fieldText, "", "", then)},
	{CauseSigningRule, "fields are joined as name=value&…", whole(fieldText, "=", "&", inFront)},
	{CauseSigningRule, "fields are joined as name=value&… with the key behind", whole(fieldText, "=", "&", behind)},
	{CauseSigningRule, "fields are joined as name=value&… with &key= behind", whole(fieldText, "=", "&", named)},
	{CauseSigningRule, "only the values are signed, not the names", whole(nameless, "", "", inFront)},
	{CauseSigningRule, "Sign and SIGN are left out as well, as an old SDK does", whole(withoutSigns, "", "", inFront)},
	{CauseSigningRule, "nothing is signed but the key", func(_ *cregisCase, key string) string { return key }},
	{CauseSigningRule, "the text is signed without the key", func(c *cregisCase, _ string) string { return canonical(c.fields) }},
	{CauseSigningRule, "sign itself, still empty, is signed by its name", whole(withEmptySign, "", "", inFront)},
	{CauseSigningRule, "the body is signed as its bytes, without sign", rawBody(true)},
	{CauseSigningRule, "the body is signed as its bytes, without sign, with the key behind", rawBody(false)},
}

// values signs by Cregis's rule with every value changed.
func values(change func(field) string) func(*cregisCase, string) string {
	return func(c *cregisCase, key string) string { return key + canonical(mapped(c.fields, change)) }
}

func mapped(fields []field, change func(field) string) []field {
	fields = slices.Clone(fields)
	for n, f := range fields {
		if f.text != "" {
			fields[n].text = change(f)
		}
	}
	return fields
}

func each(change func(string) string) func(field) string {
	return func(f field) string { return change(f.text) }
}

func plainNumber(f field) string {
	number, ok := numberOf(f.text)
	switch {
	case f.kind != jsontext.KindNumber || !ok || len(f.text) > 40:
		return f.text
	case number.IsInt():
		return number.Num().String()
	}
	return strings.TrimRight(number.FloatString(18), "0")
}

// numberOf reads a decimal number that is short enough to be one of a callback:
// what is longer, or has a great exponent, costs seconds to read.
func numberOf(text string) (*big.Rat, bool) {
	const longest = 60
	isDecimal := strings.Trim(text, "0123456789.eE+-") == ""
	if !isDecimal || len(text) > longest || !smallExponent(text) {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// smallExponent keeps a number from being written out to millions of digits.
func smallExponent(text string) bool {
	_, exponent, ok := strings.Cut(strings.ToLower(text), "e")
	return !ok || len(strings.Trim(exponent, "+-")) <= 2
}

func asFloat(f field) string {
	if f.kind == jsontext.KindNumber && !strings.ContainsAny(f.text, ".eE") {
		return f.text + ".0"
	}
	return f.text
}

func asWritten(f field) string {
	if f.kind == jsontext.KindString {
		return f.raw[1 : len(f.raw)-1]
	}
	return f.text
}

func urlDecoded(text string) string {
	decoded, err := url.QueryUnescape(text)
	if err != nil {
		return text
	}
	return decoded
}

// mended undoes the commonest damage to text beyond ASCII.
func mended(text string) string {
	var bytes []byte
	for _, r := range text {
		if r > unicode.MaxLatin1 {
			return text
		}
		bytes = append(bytes, byte(r)) //nolint:gosec // at most 255, by the check above
	}
	return string(bytes)
}

// whole signs chosen fields, joined by texts of its own, with the key somewhere.
func whole(chosen func([]field) []field, between, after string, place func(key, text string) string) func(*cregisCase, string) string {
	return func(c *cregisCase, key string) string {
		var parts []string
		for _, f := range chosen(c.fields) {
			parts = append(parts, f.name+between+f.text)
		}
		return place(key, strings.Join(parts, after))
	}
}

func inFront(key, text string) string { return key + text }
func behind(key, text string) string  { return text + key }
func then(key, text string) string    { return key + text + key }
func named(key, text string) string   { return text + "&key=" + key }

// nulls counts values that are null or empty, too, null as a word.
func nulls(word string) func([]field) []field {
	return func(fields []field) []field {
		counted := slices.DeleteFunc(slices.Clone(fields), func(f field) bool {
			return f.name == "sign" || word != "" && f.text == "" && f.kind != jsontext.KindNull
		})
		for n, item := range counted {
			if item.kind == jsontext.KindNull {
				counted[n].text = word
			}
		}
		slices.SortStableFunc(counted, byName)
		return counted
	}
}

func truthy(fields []field) []field {
	return slices.DeleteFunc(fieldText(fields), func(f field) bool { return f.text == "0" || f.text == "false" })
}

func unsorted(fields []field) []field {
	return slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return f.name == "sign" || f.text == "" })
}

func sortedAnyCase(fields []field) []field {
	sorted := fieldText(fields)
	slices.SortStableFunc(sorted, func(a, b field) int { return strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)) })
	return sorted
}

func nameless(fields []field) []field {
	only := fieldText(fields)
	for n := range only {
		only[n].name = ""
	}
	return only
}

func withoutSigns(fields []field) []field {
	return slices.DeleteFunc(fieldText(fields), func(f field) bool { return strings.EqualFold(f.name, "sign") })
}

func withEmptySign(fields []field) []field {
	all := append(fieldText(fields), field{name: "sign"})
	slices.SortStableFunc(all, byName)
	return all
}

// rawBody signs the JSON text as it stands, less its sign.
func rawBody(front bool) func(*cregisCase, string) string {
	return func(c *cregisCase, key string) string {
		text := string(bytes.TrimSpace(c.in.Request.Body))
		for _, member := range []string{`,"sign":"` + c.sign + `"`, `"sign":"` + c.sign + `",`, `, "sign": "` + c.sign + `"`} {
			text = strings.Replace(text, member, "", 1)
		}
		if front {
			return key + text
		}
		return text + key
	}
}
