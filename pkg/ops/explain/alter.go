package explain

import (
	"fmt"
	"html"
	"iter"
	"maps"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// added takes one field out, or two: they came in behind the signature.
func added(c *cregisCase) func(func(attempt) bool) {
	counted := fieldText(c.fields)
	return func(yield func(attempt) bool) {
		for n, f := range counted {
			rest := slices.Delete(slices.Clone(counted), n, n+1)
			if !yield(attempt{rest, c.account, Finding{Cause: CauseAdded, Field: f.name, Text: "sign fits without " + f.name + ": it was added on the way"}}) {
				return
			}
		}
		for n, item := range counted {
			for m, two := range counted[n+1:] {
				rest := slices.Delete(slices.Clone(counted), n+1+m, n+2+m)
				rest = slices.Delete(rest, n, n+1)
				names := item.name + " and " + two.name
				if !yield(attempt{rest, c.account, Finding{Cause: CauseAdded, Field: names, Text: "sign fits without " + names + ": they were added on the way"}}) {
					return
				}
			}
		}
	}
}

// swapped exchanges the values of two fields.
func swapped(c *cregisCase) func(func(attempt) bool) {
	counted := fieldText(c.fields)
	return func(yield func(attempt) bool) {
		for n := range counted {
			for m := n + 1; m < len(counted); m++ {
				other := slices.Clone(counted)
				other[n].text, other[m].text = other[m].text, other[n].text
				names := other[n].name + " and " + other[m].name
				if !yield(attempt{other, c.account, Finding{Cause: CauseSwapped, Field: names, Text: "sign fits with the values of " + names + " exchanged"}}) {
					return
				}
			}
		}
	}
}

// altered gives one field another value at a time, and its name another form.
func altered(c *cregisCase) func(func(attempt) bool) {
	counted := fieldText(c.fields)
	return func(yield func(attempt) bool) {
		for n, f := range counted {
			for how, text := range alternatives(f, slices.Sorted(maps.Keys(c.in.Keys))) {
				if text != f.text && text != "" && !yield(c.with(counted, n, text, how)) {
					return
				}
			}
			if snake := snakeCase(f.name); snake != f.name {
				other := slices.Clone(counted)
				other[n].name = snake
				if !yield(attempt{other, c.account, Finding{Cause: CauseAltered, Field: f.name, Text: "sign fits with the field named " + snake}}) {
					return
				}
			}
		}
	}
}

// with is the body with another value for one field. Another project's number
// comes with that project's keys.
func (c *cregisCase) with(counted []field, n int, text, how string) attempt {
	f := counted[n]
	other := slices.Clone(counted)
	other[n].text = text
	account := c.account
	if f.name == "pid" {
		account = text
	}
	return attempt{other, account, Finding{
		Cause: CauseAltered, Field: f.name, Came: f.text, Signed: text,
		Text: fmt.Sprintf("%s was altered on the way: sign fits %s", f.name, how),
	}}
}

func snakeCase(name string) string {
	var out strings.Builder
	for n, r := range name {
		if r >= 'A' && r <= 'Z' {
			if n > 0 {
				out.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		out.WriteRune(r)
	}
	return out.String()
}

// alternatives lists what a value may have been, with how that differs.
func alternatives(f field, accounts []string) iter.Seq2[string, string] {
	return func(yield func(how, text string) bool) {
		for _, list := range []iter.Seq2[string, string]{texts(f), numbers(f), choices(f, accounts), neighbours(f)} {
			for how, text := range list {
				if !yield(how, text) {
					return
				}
			}
		}
	}
}

func texts(f field) iter.Seq2[string, string] {
	return func(yield func(how, text string) bool) {
		for _, item := range [][2]string{
			{"without the space around it", strings.TrimSpace(f.text)},
			{"in lower-case letters", strings.ToLower(f.text)},
			{"in upper-case letters", strings.ToUpper(f.text)},
			{"decoded from URL encoding", urlDecoded(f.text)},
			{"encoded for a URL", url.QueryEscape(f.text)},
			{"with its HTML entities decoded", html.UnescapeString(f.text)},
			{"as HTML", html.EscapeString(f.text)},
			{"with its escapes decoded once more", unescaped(f.text)},
			{"as UTF-8 that was not encoded twice", mended(f.text)},
			{"without its separators", strings.NewReplacer(",", "", "_", "", " ", "").Replace(f.text)},
			{"without 0x", strings.TrimPrefix(f.text, "0x")},
			{"with 0x", "0x" + f.text},
			{"with a space at the end", f.text + " "},
			{"with a line end", f.text + "\n"},
			{"as true", strings.ReplaceAll(f.text, "1", "true")},
			{"as the word null", "null"},
		} {
			if !yield(item[0], item[1]) {
				return
			}
		}
	}
}

func unescaped(text string) string {
	decoded, err := jsontext.AppendUnquote(nil, `"`+text+`"`)
	if err != nil {
		return text
	}
	return string(decoded)
}

// numbers lists the other ways of writing a number, and the same digits in
// another unit.
func numbers(f field) iter.Seq2[string, string] {
	return func(yield func(how, text string) bool) {
		value, ok := numberOf(f.text)
		if !ok {
			return
		}
		exact := value.FloatString(30)
		short := strings.TrimSuffix(strings.TrimRight(exact, "0"), ".")
		list := [][2]string{{"written as a plain number", short}}
		for places := 1; places <= 18; places++ {
			list = append(list, [2]string{"with " + strconv.Itoa(places) + " decimals", value.FloatString(places)})
		}
		list = append(list, shifted(value)...)
		list = append(list, [2]string{"without its sign", strings.TrimPrefix(short, "-")}, [2]string{"with the other sign", "-" + short})
		for _, item := range list {
			if !yield(item[0], item[1]) {
				return
			}
		}
	}
}

// shifted lists a value with its decimal point elsewhere: another unit, as
// wei for ether or milliseconds for seconds.
func shifted(value *big.Rat) [][2]string {
	var list [][2]string
	for shift := 1; shift <= 18; shift++ {
		factor := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(shift)), nil))
		for side, moved := range map[string]*big.Rat{
			"right": new(big.Rat).Mul(value, factor), "left": new(big.Rat).Quo(value, factor),
		} {
			how := "with the decimal point " + strconv.Itoa(shift) + " places to the " + side
			list = append(list, [2]string{how, trimmed(moved)})
			for _, places := range []int{1, 2, 6, 8} {
				list = append(list, [2]string{how, moved.FloatString(places)})
			}
		}
	}
	return list
}

func trimmed(value *big.Rat) string {
	return strings.TrimSuffix(strings.TrimRight(value.FloatString(30), "0"), ".")
}

// choices lists the values of fields that have few.
func choices(f field, accounts []string) iter.Seq2[string, string] {
	return func(yield func(how, text string) bool) {
		switch f.name {
		case "status":
			for status := range 10 {
				if !yield(fmt.Sprintf("with status %d", status), strconv.Itoa(status)) {
					return
				}
			}
		case "pid":
			for _, account := range accounts {
				if !yield("with the project "+account, account) {
					return
				}
			}
		}
	}
}

// neighbours lists the integers that a floating-point number of 53 bits may
// have been rounded from.
func neighbours(f field) iter.Seq2[string, string] {
	return func(yield func(how, text string) bool) {
		const exact, reach = int64(1) << 53, 1024
		value, err := strconv.ParseInt(plainNumber(field{text: f.text, kind: jsontext.KindNumber}), 10, 64)
		if err != nil || value < exact || value > 1<<62 {
			return
		}
		for away := int64(1); away <= reach; away++ {
			for _, n := range []int64{value - away, value + away} {
				if !yield("before it was rounded as a floating-point number", strconv.FormatInt(n, 10)) {
					return
				}
			}
		}
	}
}
