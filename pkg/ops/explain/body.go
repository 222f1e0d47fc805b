package explain

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// field is a member of an object.
type field struct {
	name string
	kind jsontext.Kind
	raw  string // as written in the body
	text string // a string decoded, a number as written, "" for null
}

// parseFields returns the members of an object up to the first syntax error. It
// allows what a provider refuses: duplicate names and invalid UTF-8.
func parseFields(raw []byte) []field {
	decoder := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if token, err := decoder.ReadToken(); err != nil || token.Kind() != jsontext.KindBeginObject {
		return nil
	}
	var fields []field
	for decoder.PeekKind() == jsontext.KindString {
		token, err := decoder.ReadToken()
		if err != nil {
			return fields
		}
		name := token.String()
		value, err := decoder.ReadValue()
		if err != nil {
			return fields
		}
		fields = append(fields, field{name, value.Kind(), string(value), valueText(value)})
	}
	return fields
}

func valueText(value jsontext.Value) string {
	switch value.Kind() {
	case jsontext.KindNull:
		return ""
	case jsontext.KindString:
		text, _ := jsontext.AppendUnquote(nil, value)
		return string(text)
	}
	return string(value)
}

func fieldIndex(fields []field, name string) int {
	return slices.IndexFunc(fields, func(f field) bool { return f.name == name })
}

// fieldNamed returns the field with the name, or the zero field.
func fieldNamed(fields []field, name string) field {
	if n := fieldIndex(fields, name); n >= 0 {
		return fields[n]
	}
	return field{}
}

// signedFields returns the fields of Cregis's canonical string, in its order.
func signedFields(fields []field) []field {
	signed := slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return f.name == "sign" || f.text == "" })
	slices.SortStableFunc(signed, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return signed
}

// addUnreadable adds why a body is not a strict JSON object. It looks at the
// encoding first, because that says more than the place of a syntax error.
func (r *Report) addUnreadable(raw []byte) {
	finding := checkEncoding(raw)
	if finding == nil {
		finding = checkSyntax(raw)
	}
	if finding != nil {
		r.Findings = append(r.Findings, *finding)
	}
}

func checkEncoding(raw []byte) *Finding {
	text := bytes.TrimSpace(raw)
	decoded, base64Err := base64.StdEncoding.DecodeString(string(text))
	hasPrefix := func(prefix string) bool { return bytes.HasPrefix(raw, []byte(prefix)) }
	switch {
	case len(text) == 0:
		return &Finding{Cause: CauseEmpty, Text: "the body is empty"}
	case hasPrefix("\xef\xbb\xbf"):
		return &Finding{Cause: CauseEncoding, Text: "the body begins with a byte-order mark, which JSON does not allow"}
	case hasPrefix("\x1f\x8b"):
		return &Finding{Cause: CauseEncoding, Text: "the body is compressed with gzip in a way that cannot be unpacked: a proxy must unpack it"}
	case hasPrefix("\xff\xfe"), hasPrefix("\xfe\xff"), len(raw) > 1 && (raw[0] == 0 || raw[1] == 0):
		return &Finding{Cause: CauseEncoding, Text: "the body is UTF-16; UTF-8 is required"}
	case !utf8.Valid(raw):
		return &Finding{Cause: CauseEncoding, Text: "the body is not UTF-8 but in another character set (ISO 8859, GBK)"}
	case base64Err == nil && bytes.HasPrefix(bytes.TrimSpace(decoded), []byte("{")):
		return &Finding{Cause: CauseEncoding, Text: "the body is JSON in base64: a proxy encoded it, or isBase64Encoded was lost"}
	}
	return nil
}

// checkSyntax finds the first place that is not strict JSON, or the value that is
// not an object.
func checkSyntax(raw []byte) *Finding {
	value := jsontext.Value(bytes.Clone(raw))
	err := value.Format()
	var syntax *jsontext.SyntacticError
	switch {
	case err == nil && value.Kind() == jsontext.KindBeginObject:
		return nil
	case err == nil:
		return &Finding{Cause: CauseWrapped, Text: "the body is a JSON string or array, or a number; a callback is one object"}
	case !errors.As(err, &syntax):
		return &Finding{Cause: CauseNotJSON, Text: err.Error()}
	}
	before := raw[:min(int(syntax.ByteOffset), len(raw))]
	line, column := bytes.Count(before, []byte("\n"))+1, len(before)-bytes.LastIndexByte(before, '\n')
	at := fmt.Sprintf(" (line %d, column %d, byte %d)", line, column, syntax.ByteOffset)
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return &Finding{Cause: CauseDuplicate, Field: syntax.JSONPointer.LastToken(), Text: "a name occurs twice in one object" + at}
	}
	return &Finding{Cause: CauseNotJSON, Text: syntax.Err.Error() + at}
}

// addNested adds the field that contains an object or an array.
func (r *Report) addNested(fields []field) {
	n := slices.IndexFunc(fields, func(f field) bool { return f.kind == jsontext.KindBeginObject || f.kind == jsontext.KindBeginArray })
	if n >= 0 && len(r.Findings) == 0 {
		r.Findings = append(r.Findings, Finding{
			Cause: CauseNested, Field: fields[n].name, Text: "an object or an array as a value: Cregis signs flat objects only",
		})
	}
}
