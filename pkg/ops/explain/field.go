package explain

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

func place(line, column int, at int64) string {
	return fmt.Sprintf(" (line %d, column %d, byte %d)", line, column, at)
}

// field is one member of an object, read leniently: what is refused as a whole
// is looked at all the same.
type field struct {
	name string
	kind jsontext.Kind
	raw  string // as written
	text string // a string decoded, a number as written, of null nothing
}

// fieldsOf reads the members of an object as far as it can be read.
func fieldsOf(raw []byte) []field {
	decoder := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if token, err := decoder.ReadToken(); err != nil || token.Kind() != jsontext.KindBeginObject {
		return nil
	}
	var fields []field
	for decoder.PeekKind() == jsontext.KindString {
		name, err := decoder.ReadToken()
		if err != nil {
			return fields
		}
		called := name.String()
		value, err := decoder.ReadValue()
		if err != nil {
			return fields
		}
		fields = append(fields, field{called, value.Kind(), string(value), textOf(value)})
	}
	return fields
}

func textOf(value jsontext.Value) string {
	switch value.Kind() {
	case jsontext.KindNull:
		return ""
	case jsontext.KindString:
		text, _ := jsontext.AppendUnquote(nil, value)
		return string(text)
	}
	return string(value)
}

// fieldNamed returns the field of a name, or one without a kind.
func fieldNamed(fields []field, name string) field {
	at := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
	if at < 0 {
		return field{}
	}
	return fields[at]
}

// told are the fields that count for a Cregis signature, sorted by their names.
func fieldText(fields []field) []field {
	counted := slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return f.name == "sign" || f.text == "" })
	slices.SortStableFunc(counted, byName)
	return counted
}

func byName(a, b field) int { return strings.Compare(a.name, b.name) }

// canonical is the text that Cregis signs.
func canonical(fields []field) string {
	var text strings.Builder
	for _, f := range fieldText(fields) {
		text.WriteString(f.name)
		text.WriteString(f.text)
	}
	return text.String()
}
