package explain

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// reading says what keeps a body from being read as one strict JSON object, or
// nothing where it is one. It looks for what a body turned into on its way
// first, because that says more than where the JSON breaks.
func (r *Report) reading(raw []byte) {
	for _, check := range []func([]byte) *Finding{disguise, wrapped, broken} {
		if finding := check(raw); finding != nil {
			r.Findings = append(r.Findings, *finding)
			return
		}
	}
}

// disguise recognises what is not JSON text at all.
func disguise(raw []byte) *Finding {
	text := bytes.TrimSpace(raw)
	is := func(prefix string) bool { return bytes.HasPrefix(raw, []byte(prefix)) }
	switch {
	case len(text) == 0:
		return &Finding{Cause: CauseEmpty, Text: "the body is empty"}
	case is("\xef\xbb\xbf"):
		return &Finding{Cause: CauseEncoding, Text: "the body begins with a byte-order mark, which no JSON may have"}
	case is("\x1f\x8b"):
		return &Finding{Cause: CauseEncoding, Text: "the body is compressed (gzip) and is not unpacked here: whoever passes it on must unpack it"}
	case is("\xff\xfe"), is("\xfe\xff"), len(raw) > 1 && (raw[0] == 0 || raw[1] == 0):
		return &Finding{Cause: CauseEncoding, Text: "the body is UTF-16; it must be UTF-8"}
	case text[0] == '<':
		return &Finding{Cause: CauseNotJSON, Text: "the body is XML or a page, not JSON: an error page of something in between?"}
	case isForm(string(text)):
		return &Finding{Cause: CauseNotJSON, Text: "the body is a form (name=value&…), not JSON"}
	case isBase64(text):
		return &Finding{Cause: CauseEncoding, Text: "the body is base64 of JSON: something in between encoded it, or the gateway's isBase64Encoded was lost"}
	}
	return nil
}

func isForm(text string) bool {
	if strings.ContainsAny(text, "{[\"<> \n") || !strings.Contains(text, "=") {
		return false
	}
	values, err := url.ParseQuery(text)
	return err == nil && len(values) > 1
}

func isBase64(text []byte) bool {
	decoded, err := base64.StdEncoding.DecodeString(string(text))
	return err == nil && bytes.HasPrefix(bytes.TrimSpace(decoded), []byte("{"))
}

// wrapped recognises a callback inside a string or a list.
func wrapped(raw []byte) *Finding {
	value := jsontext.Value(bytes.Clone(raw))
	if !value.IsValid() {
		return nil
	}
	switch value.Kind() {
	case jsontext.KindString:
		inner, err := jsontext.AppendUnquote(nil, bytes.TrimSpace(value))
		if err == nil && jsontext.Value(inner).IsValid() {
			return &Finding{Cause: CauseWrapped, Text: "the body is JSON inside a JSON string: it was encoded twice"}
		}
	case jsontext.KindBeginArray:
		return &Finding{Cause: CauseWrapped, Text: "the body is a list; a callback is one object"}
	case jsontext.KindBeginObject:
		return nil
	}
	return &Finding{Cause: CauseNotJSON, Text: "the body is JSON, but no object"}
}

// broken says where the JSON breaks.
func broken(raw []byte) *Finding {
	value := jsontext.Value(bytes.Clone(raw))
	err := value.Format()
	if err == nil {
		return nil
	}
	at := int64(len(raw))
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		at = syntax.ByteOffset
	}
	line, column := position(raw, at)
	finding := Finding{Cause: CauseNotJSON}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		finding.Cause = CauseDuplicate
		finding.Field = lastOf(string(syntax.JSONPointer))
		finding.Text = "a name stands twice in one object, and two readers would disagree about which counts"
	case errors.Is(err, io.ErrUnexpectedEOF):
		finding.Text = "the JSON ends too soon: it was cut off"
	case invalidUTF8At(raw, at):
		finding.Cause = CauseEncoding
		finding.Text = "these bytes are no UTF-8: sent in another character set (ISO 8859, GBK), or half a surrogate pair"
	default:
		finding.Text = "here the JSON breaks"
	}
	finding.Text += place(line, column, at)
	return &finding
}

// invalidUTF8At reports whether a string that is invalid begins, or goes on, at
// the place: bytes that are no UTF-8, or an escaped half of a pair.
func invalidUTF8At(raw []byte, at int64) bool {
	from := max(0, min(int(at), len(raw)-1))
	rest := raw[from:]
	end := bytes.IndexByte(rest, '\n')
	if end >= 0 {
		rest = rest[:end]
	}
	return !utf8.Valid(rest) || !utf8.Valid(raw) || bytes.HasPrefix(rest, []byte(`\ud`)) || bytes.HasPrefix(rest, []byte(`\uD`))
}

// nested says where an object holds another one, which is not signed by any rule.
func nested(fields []field) *Finding {
	for _, f := range fields {
		if f.kind == jsontext.KindBeginObject || f.kind == jsontext.KindBeginArray {
			return &Finding{
				Cause: CauseNested, Field: f.name,
				Text: "an object or a list as a value: Cregis signs flat objects only",
			}
		}
	}
	return nil
}

func position(raw []byte, at int64) (line, column int) {
	before := raw[:max(0, min(int(at), len(raw)))]
	line = bytes.Count(before, []byte("\n")) + 1
	return line, len(before) - bytes.LastIndexByte(before, '\n')
}

func lastOf(pointer string) string { return pointer[strings.LastIndexByte(pointer, '/')+1:] }
