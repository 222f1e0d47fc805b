package cregis

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/provider/strictjson"
)

// body is a flat JSON object as it is signed.
type body struct {
	documented [documentedCount]value // by index of the name
	unknown    []field                // those that no page documents; sorted by name
	sign       value
	size       int    // of all names and texts, the sign's too
	signed     string // the canonical string, once it was asked for
}

// value is what stands behind a name. The zero value is that of a name which
// is absent.
type value struct {
	text string // a string decoded; a number, true and false as written; of null nothing
	kind jsontext.Kind
}

type field struct {
	name  string
	value value
}

// isSet reports whether a value is signed: null, "" and absent are the same.
// 0 and false are set.
func (v value) isSet() bool { return v.text != "" }

// What is wrong with a body is never said in its own words: errors are logged.
var errMalformed = fmt.Errorf("%w: not one flat object of strict JSON", callback.ErrMalformed)

// readRequest reads the body of a request, which may be compressed or begin
// with a byte-order mark. Cregis sends no callback again, and its signature
// covers the text, so a body that a proxy compressed must not be lost.
func readRequest(request callback.Request) (*body, error) {
	if request.TooLarge() {
		return nil, callback.ErrTooLarge
	}
	text, err := callback.Unpack(request.Body)
	if err != nil {
		return nil, err
	}
	return read(text)
}

// read takes a body for one object by the strict rules of RFC 7493 (see
// strictjson) that holds no other object and no array. Two readers who disagree
// about such bytes would disagree about what was signed.
func read(raw []byte) (*body, error) {
	// Duplicates are found in our own table, which is needed anyway.
	text, ok := strictjson.ScanRepeated(raw)
	if !ok || text.Kind() != jsontext.KindBeginObject {
		return nil, errMalformed
	}
	text.Enter()
	found := new(body)
	for text.Kind() == jsontext.KindString {
		name := strictjson.Unquote(text.Next())
		value, flat := scalar(&text)
		if !flat || !found.add(name, value) {
			return nil, errMalformed
		}
	}
	if !found.sort() {
		return nil, errMalformed
	}
	return found, nil
}

// scalar reads a value that is no object and no array.
func scalar(text *strictjson.Scanner) (value, bool) {
	switch kind := text.Kind(); kind {
	case jsontext.KindBeginObject, jsontext.KindBeginArray:
		return value{}, false
	case jsontext.KindNull:
		text.Next()
		return value{kind: kind}, true
	case jsontext.KindString:
		return value{strictjson.Unquote(text.Next()), kind}, true
	default:
		return value{text.Next(), kind}, true
	}
}

// add takes in a member. It reports whether its name is a new one, of those
// that are documented.
func (b *body) add(name string, v value) bool {
	b.size += len(name) + len(v.text)
	slot := &b.sign
	if name != nameSign {
		rule, ok := documentedIndex(name)
		if !ok {
			b.unknown = append(b.unknown, field{name, v})
			return true
		}
		slot = &b.documented[rule]
	}
	isNew := slot.kind == 0
	*slot = v
	return isNew
}

// sort puts the other fields in order and keeps those that count. It reports
// whether all of their names are different, of those that do not count too.
func (b *body) sort() bool {
	slices.SortFunc(b.unknown, func(x, y field) int { return cmp.Compare(x.name, y.name) })
	for i := 1; i < len(b.unknown); i++ {
		if b.unknown[i].name == b.unknown[i-1].name {
			return false
		}
	}
	b.unknown = slices.DeleteFunc(b.unknown, func(f field) bool { return !f.value.isSet() })
	return true
}

// fields yields name and text of all that is signed, sorted by the bytes of
// the names.
func (b *body) fields(yield func(name, text string) bool) {
	others := b.unknown
	for rule := 0; rule < documentedCount || len(others) > 0; {
		var name, text string
		switch {
		case rule < documentedCount && !b.documented[rule].isSet():
			rule++
			continue
		case len(others) > 0 && (rule == documentedCount || others[0].name < documented[rule].name):
			name, text, others = others[0].name, others[0].value.text, others[1:]
		default:
			name, text, rule = documented[rule].name, b.documented[rule].text, rule+1
		}
		if !yield(name, text) {
			return
		}
	}
}

// canonical returns the text that is signed, without the key.
func (b *body) canonical() string {
	if b.signed != "" {
		return b.signed
	}
	var canonical strings.Builder
	canonical.Grow(b.size)
	for name, text := range b.fields {
		canonical.WriteString(name)
		canonical.WriteString(text)
	}
	b.signed = canonical.String()
	return b.signed
}
