package send

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// object is a JSON object that can be edited member by member: the order stays,
// and so does every digit, because a signature is over the text of numbers.
type object []member

type member struct {
	name  string
	value jsontext.Value
}

// change is one thing to alter in a body.
type Change struct {
	path   []string       // names, from the outermost object inwards
	text   string         // becomes what the field is: text, or a number as written
	raw    jsontext.Value // JSON, whatever the field is; wins over text
	remove bool
}

// assign returns the change that gives a field a value. The path's parts are
// joined by points.
func assign(path, text string) Change {
	return Change{path: strings.Split(path, "."), text: text}
}

// parseChange reads NAME=VALUE, which keeps the kind of the field, or
// NAME:=JSON, which sets it.
func ParseChange(argument string) (Change, error) {
	name, value, item := strings.Cut(argument, "=")
	path, isRaw := strings.CutSuffix(name, ":")
	if !item || path == "" {
		return Change{}, fmt.Errorf("%q is neither NAME=VALUE nor NAME:=JSON", argument)
	}
	if !isRaw {
		return assign(path, value), nil
	}
	raw := jsontext.Value(value)
	if !raw.IsValid() {
		return Change{}, fmt.Errorf("%s: what follows := is not JSON", path)
	}
	return Change{path: strings.Split(path, "."), raw: raw}, nil
}

// edit returns the body with the changes made, one after the other.
func Edit(body []byte, changes ...Change) ([]byte, error) {
	var err error
	for _, c := range changes {
		if body, err = c.in(body); err != nil {
			return nil, fmt.Errorf("set %s: %w", strings.Join(c.path, "."), err)
		}
	}
	return body, nil
}

// in makes the change in an object, or in the one that it holds.
func (c Change) in(body jsontext.Value) (jsontext.Value, error) {
	fields, err := readObject(body)
	if err != nil {
		return nil, err
	}
	name, inner := c.path[0], c.path[1:]
	at := slices.IndexFunc(fields, func(m member) bool { return m.name == name })
	if at < 0 && c.remove {
		return body, nil
	}
	if len(inner) == 0 && c.remove {
		return slices.Delete(fields, at, at+1).text(), nil
	}
	if at < 0 {
		fields, at = append(fields, member{name: name, value: c.absent()}), len(fields)
	}
	if len(inner) > 0 {
		fields[at].value, err = Change{inner, c.text, c.raw, c.remove}.in(fields[at].value)
	} else {
		fields[at].value, err = c.valueLike(fields[at].value)
	}
	return fields.text(), err
}

// absent is what stands where the path leads before it is there.
func (c Change) absent() jsontext.Value {
	if len(c.path) > 1 {
		return jsontext.Value(`{}`)
	}
	return jsontext.Value(`null`)
}

// valueLike returns the new value, of the kind of the old one.
func (c Change) valueLike(old jsontext.Value) (jsontext.Value, error) {
	if c.raw != nil {
		return c.raw, nil
	}
	switch old.Kind() {
	case jsontext.KindString, jsontext.KindNull:
		return jsontext.AppendQuote(nil, c.text)
	case jsontext.KindNumber:
		number := jsontext.Value(c.text)
		if !number.IsValid() || number.Kind() != jsontext.KindNumber {
			return nil, fmt.Errorf("%q is not a number, as it is in the example; NAME:=JSON sends anything", c.text)
		}
		return bytes.TrimSpace(number), nil
	}
	return nil, errors.New("it is no single value in the example; NAME:=JSON sends anything")
}

// field returns the text of a field, or "" where there is none.
func FieldText(body []byte, path string) string {
	name, inner, nested := strings.Cut(path, ".")
	fields, err := readObject(body)
	if err != nil {
		return ""
	}
	at := slices.IndexFunc(fields, func(m member) bool { return m.name == name })
	switch {
	case at < 0:
		return ""
	case nested:
		return FieldText(fields[at].value, inner)
	case fields[at].value.Kind() != jsontext.KindString:
		return string(fields[at].value)
	}
	text, err := jsontext.AppendUnquote(nil, fields[at].value)
	if err != nil {
		return ""
	}
	return string(text)
}

func readObject(body []byte) (object, error) {
	decoder := jsontext.NewDecoder(bytes.NewReader(body))
	if decoder.PeekKind() != jsontext.KindBeginObject {
		return nil, errors.New("what holds it is not an object")
	}
	if _, err := decoder.ReadToken(); err != nil {
		return nil, err
	}
	var fields object
	for decoder.PeekKind() != jsontext.KindEndObject {
		token, err := decoder.ReadToken()
		if err != nil {
			return nil, err
		}
		name := token.String() // the token itself is gone with the next reading
		value, err := decoder.ReadValue()
		if err != nil {
			return nil, err
		}
		fields = append(fields, member{name: name, value: value.Clone()})
	}
	return fields, nil
}

// text returns the object without spaces.
func (o object) text() jsontext.Value {
	text := []byte{'{'}
	for n, m := range o {
		if n > 0 {
			text = append(text, ',')
		}
		text, _ = jsontext.AppendQuote(text, m.name) // fails on invalid UTF-8 only, which it replaces
		text = append(append(text, ':'), m.value...)
	}
	return append(text, '}')
}
