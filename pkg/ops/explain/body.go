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
	decoded, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(raw)))
	switch {
	case len(bytes.TrimSpace(raw)) == 0:
		r.addf(CauseEmpty, "the body is empty")
	case bytes.HasPrefix(raw, []byte("\xef\xbb\xbf")):
		r.addf(CauseEncoding, "the body begins with a byte-order mark, which JSON does not allow")
	case bytes.HasPrefix(raw, []byte("\x1f\x8b")):
		r.addf(CauseEncoding, "the body is compressed with gzip in a way that cannot be unpacked: a proxy must unpack it")
	case !utf8.Valid(raw), bytes.IndexByte(raw, 0) >= 0:
		r.addf(CauseEncoding, "the body is not UTF-8 but in another character set (UTF-16, ISO 8859, GBK)")
	case err == nil && bytes.HasPrefix(bytes.TrimSpace(decoded), []byte("{")):
		r.addf(CauseEncoding, "the body is JSON in base64: a proxy encoded it, or isBase64Encoded was lost")
	default:
		r.addSyntax(raw)
	}
}

// addSyntax adds the first place that is not strict JSON, or the value that is not
// an object.
func (r *Report) addSyntax(raw []byte) {
	value := jsontext.Value(bytes.Clone(raw))
	err := value.Format()
	var syntax *jsontext.SyntacticError
	switch {
	case err == nil && value.Kind() == jsontext.KindBeginObject:
		return
	case err == nil:
		r.addf(CauseNotFlat, "the body is a JSON string or array, or a number; a callback is one object")
		return
	case !errors.As(err, &syntax):
		r.addf(CauseNotJSON, "%v", err)
		return
	}
	before := raw[:min(int(syntax.ByteOffset), len(raw))]
	line, column := bytes.Count(before, []byte("\n"))+1, len(before)-bytes.LastIndexByte(before, '\n')
	finding := Finding{Cause: CauseNotJSON, Text: syntax.Err.Error()}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		finding = Finding{Cause: CauseDuplicate, Field: syntax.JSONPointer.LastToken(), Text: "a name occurs twice in one object"}
	}
	finding.Text += fmt.Sprintf(" (line %d, column %d, byte %d)", line, column, syntax.ByteOffset)
	r.Findings = append(r.Findings, finding)
}

// addNested adds the field that contains an object or an array.
func (r *Report) addNested(fields []field) {
	for _, f := range fields {
		if len(r.Findings) == 0 && (f.kind == jsontext.KindBeginObject || f.kind == jsontext.KindBeginArray) {
			r.Findings = append(r.Findings, Finding{Cause: CauseNotFlat, Field: f.name, Text: "an object or an array as a value: Cregis signs flat objects only"})
		}
	}
}
