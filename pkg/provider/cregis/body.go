package cregis

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
)

// body is a flat JSON object as it is signed.
type body struct {
	own    [documentedCount]value // by documented name
	others []field                // those that no page documents; sorted by name
	sign   value
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

// told reports whether a value counts: null, "" and absent are one. 0 and
// false are told.
func (v value) told() bool { return v.text != "" }

// What is wrong with a body is never said in its own words: errors are logged.
var errMalformed = fmt.Errorf("%w: not one flat object of strict JSON", callback.ErrMalformed)

// read takes a body for one object by the strict rules of RFC 7493 (no
// duplicate names, no invalid UTF-8, no byte-order mark) that holds no other,
// with nothing after it. Two readers who disagree about such bytes would
// disagree about what was signed. What nests is refused at its first bracket.
func read(raw []byte) (*body, error) {
	// Duplicates are found in our own table, which is needed anyway.
	decoder := jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowDuplicateNames(true))
	if decoder.PeekKind() != jsontext.KindBeginObject {
		return nil, errMalformed
	}
	if _, err := decoder.ReadToken(); err != nil {
		return nil, errMalformed
	}
	members := reader{decoder: decoder, text: string(raw)}
	found := new(body)
	for decoder.PeekKind() == jsontext.KindString {
		name, value, err := members.member()
		if err != nil || !found.add(name, value) {
			return nil, errMalformed
		}
	}
	_, end := decoder.ReadToken()
	if _, err := decoder.ReadToken(); end != nil || !errors.Is(err, io.EOF) || !found.sort() {
		return nil, errMalformed
	}
	return found, nil
}

// add takes in a member. It reports whether its name is a new one, of those
// that are documented.
func (b *body) add(name string, v value) bool {
	slot := &b.sign
	if name != nameSign {
		rule, ok := documentedNames.find(name)
		if !ok {
			b.others = append(b.others, field{name, v})
			return true
		}
		slot = &b.own[rule]
	}
	isNew := slot.kind == 0
	*slot = v
	return isNew
}

// sort puts the other fields in order and keeps those that count. It reports
// whether all of their names are different, of those that do not count too.
func (b *body) sort() bool {
	slices.SortFunc(b.others, func(x, y field) int { return cmp.Compare(x.name, y.name) })
	for i := 1; i < len(b.others); i++ {
		if b.others[i].name == b.others[i-1].name {
			return false
		}
	}
	b.others = slices.DeleteFunc(b.others, func(f field) bool { return !f.value.told() })
	return true
}

// fields yields name and text of all that is signed, sorted by the bytes of
// the names.
func (b *body) fields(yield func(name, text string) bool) {
	others := b.others
	for rule := 0; rule < documentedCount || len(others) > 0; {
		var name, text string
		switch {
		case rule < documentedCount && !b.own[rule].told():
			rule++
			continue
		case len(others) > 0 && (rule == documentedCount || others[0].name < documented[rule].name):
			name, text, others = others[0].name, others[0].value.text, others[1:]
		default:
			name, text, rule = documented[rule].name, b.own[rule].text, rule+1
		}
		if !yield(name, text) {
			return
		}
	}
}

// canonical returns the text that is signed, without the key.
func (b *body) canonical() string {
	size := 0
	for name, text := range b.fields {
		size += len(name) + len(text)
	}
	var canonical strings.Builder
	canonical.Grow(size)
	for name, text := range b.fields {
		canonical.WriteString(name)
		canonical.WriteString(text)
	}
	return canonical.String()
}

// reader reads members as pieces of one text, so that few are copied.
type reader struct {
	decoder *jsontext.Decoder
	text    string
}

func (r reader) member() (string, value, error) {
	name, err := r.scalar()
	if err != nil {
		return "", value{}, err
	}
	read, err := r.scalar()
	return name.text, read, err
}

// scalar reads a name or a value that is no object and no array.
func (r reader) scalar() (value, error) {
	kind := r.decoder.PeekKind()
	if kind == jsontext.KindBeginObject || kind == jsontext.KindBeginArray {
		return value{}, errMalformed
	}
	raw, err := r.decoder.ReadValue()
	if err != nil {
		return value{}, err
	}
	end := int(r.decoder.InputOffset())
	text := r.text[end-len(raw) : end]
	switch {
	case kind == jsontext.KindNull:
		return value{kind: kind}, nil
	case kind != jsontext.KindString:
		return value{text, kind}, nil
	case strings.IndexByte(text, '\\') < 0:
		return value{text[1 : len(text)-1], kind}, nil
	}
	decoded, err := jsontext.AppendUnquote(nil, text)
	return value{string(decoded), kind}, err
}
