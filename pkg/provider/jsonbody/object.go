package jsonbody

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Object is a JSON object: the value of each member, by its name.
type Object map[string]jsontext.Value

// Read reads a text that is one object. It refuses duplicate names, invalid UTF-8, and
// unpaired surrogates (RFC 7493): two parsers could read such a text differently.
func Read(text []byte) (Object, error) {
	decoder := jsontext.NewDecoder(bytes.NewReader(text))
	if kind := decoder.PeekKind(); kind != jsontext.KindBeginObject {
		return nil, fmt.Errorf("not an object: %w", cmp.Or(skip(decoder), errors.New("another value")))
	}
	_, _ = decoder.ReadToken()
	object := Object{}
	for decoder.PeekKind() != jsontext.KindEndObject {
		name, err := decoder.ReadToken()
		if err != nil {
			return nil, fmt.Errorf("read name: %w", err)
		}
		key := name.String()
		value, err := decoder.ReadValue()
		if err != nil {
			return nil, fmt.Errorf("read value: %w", err)
		}
		object[key] = value.Clone()
	}
	_, err := decoder.ReadToken()
	if _, next := decoder.ReadToken(); err == nil && !errors.Is(next, io.EOF) {
		err = cmp.Or(next, errors.New("data after the object"))
	}
	return object, err
}

func skip(decoder *jsontext.Decoder) error {
	_, err := decoder.ReadValue()
	return err
}

// Text returns the text of a member, or "" if it is not a string.
func (o Object) Text(name string) string {
	if o[name].Kind() != jsontext.KindString {
		return ""
	}
	text, err := jsontext.AppendUnquote(nil, o[name])
	if err != nil {
		return "" // not reached: the decoder has read the string
	}
	return string(text)
}
