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

// body is a flat JSON object as Cregis signs it.
type body struct {
	documented [documentedCount]value // by index of the name
	fields     []field                // all that are signed, sorted by the bytes of their names
	sign       value
	canonical  string // the signed text, without the key
}

// value is the value of a field. The zero value is that of an absent field.
type value struct {
	text string // a string decoded; a number, true and false as written; "" for null
	kind jsontext.Kind
}

type field struct{ name, text string }

// isSet reports whether a value is signed: Cregis treats null, "" and absent
// alike. 0 and false are set.
func (v value) isSet() bool { return v.text != "" }

// errMalformed quotes nothing of the body, because errors are logged.
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

// read parses one JSON object that contains no object and no array. The decoder
// refuses duplicate names, invalid UTF-8 and unpaired surrogates (RFC 7493): two
// parsers could read such a body differently, and so disagree about what is
// signed.
func read(raw []byte) (*body, error) {
	decoder := jsontext.NewDecoder(bytes.NewReader(raw))
	begin, err := decoder.ReadToken()
	if err != nil || begin.Kind() != jsontext.KindBeginObject {
		return nil, errMalformed
	}
	b := new(body)
	for decoder.PeekKind() != jsontext.KindEndObject {
		if err := b.readMember(decoder); err != nil {
			return nil, err
		}
	}
	if _, err := decoder.ReadToken(); err != nil {
		return nil, errMalformed
	}
	if _, err := decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errMalformed
	}
	b.canonicalize()
	return b, nil
}

// readMember reads the next name and its value.
func (b *body) readMember(decoder *jsontext.Decoder) error {
	token, err := decoder.ReadToken()
	if err != nil {
		return errMalformed
	}
	name := token.String() // a token is valid until the next one is read
	token, err = decoder.ReadToken()
	if err != nil {
		return errMalformed
	}
	v := value{kind: token.Kind()}
	switch v.kind {
	case jsontext.KindBeginObject, jsontext.KindBeginArray:
		return errMalformed
	case jsontext.KindNull:
	default:
		v.text = token.String()
	}
	b.add(name, v)
	return nil
}

func (b *body) add(name string, v value) {
	if name == nameSign {
		b.sign = v
		return
	}
	if i, ok := documentedIndex(name); ok {
		b.documented[i] = v
	}
	if v.isSet() {
		b.fields = append(b.fields, field{name, v.text})
	}
}

// canonicalize sorts the fields and writes the signed text: names and values,
// one after the other, without separators.
func (b *body) canonicalize() {
	slices.SortFunc(b.fields, func(x, y field) int { return cmp.Compare(x.name, y.name) })
	var text strings.Builder
	for _, field := range b.fields {
		text.WriteString(field.name)
		text.WriteString(field.text)
	}
	b.canonical = text.String()
}
