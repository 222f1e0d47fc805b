package pivot

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Canonical forms: a payout has one id and one reference (nfc.go) in all their
// spellings, and a held callback one subject. The receipt keeps the body as it
// was sent, so that a query to Pivot can use its spelling.

// canonicalID returns a UUID of RFC 9562 in lower case, its canonical form. The
// case of any other id may be significant and stays.
func canonicalID(id string) string {
	if !isRFC9562(id) {
		return id
	}
	return strings.ToLower(id)
}

func isSameID(a, b string) bool { return canonicalID(a) == canonicalID(b) }

var uuidForm = regexp.MustCompile(`^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// isRFC9562 reports whether the text is a UUID in its textual form, in either case.
func isRFC9562(text string) bool { return uuidForm.MatchString(text) }

// canonicalJSON returns one form for all spacings, orders and escapes of a JSON
// text, and any other text as it is. Numbers stay as written: as floating-point
// numbers, which RFC 8785 asks for, two long ids could become equal.
//
// [jsontext.Value.Canonicalize] sorts text that it has already written, which
// costs the length of the text once for each level of nesting.
func canonicalJSON(text []byte) []byte {
	if !jsontext.Value(text).IsValid() {
		return bytes.Clone(text)
	}
	var canonical bytes.Buffer
	unchecked := jsontext.AllowDuplicateNames(true) // the text is valid
	root := readNode(jsontext.NewDecoder(bytes.NewReader(text), unchecked))
	if err := root.write(jsontext.NewEncoder(&canonical, unchecked)); err != nil {
		return bytes.Clone(text) // not reached
	}
	return bytes.TrimSuffix(canonical.Bytes(), []byte("\n"))
}

// node is a JSON value. Its members are sorted before anything is written.
type node struct {
	name    string // of an object's member
	kind    jsontext.Kind
	text    jsontext.Value // as written; nil for an object or array
	members []node
}

// readNode reads the next value of a valid text.
func readNode(decoder *jsontext.Decoder) node {
	n := node{kind: decoder.PeekKind()}
	if n.kind != jsontext.KindBeginObject && n.kind != jsontext.KindBeginArray {
		text, _ := decoder.ReadValue()
		n.text = text.Clone()
		return n
	}
	_, _ = decoder.ReadToken()
	for kind := decoder.PeekKind(); kind != jsontext.KindEndObject && kind != jsontext.KindEndArray; kind = decoder.PeekKind() {
		name := ""
		if n.kind == jsontext.KindBeginObject {
			token, _ := decoder.ReadToken()
			name = token.String()
		}
		member := readNode(decoder)
		member.name = name
		n.members = append(n.members, member)
	}
	_, _ = decoder.ReadToken()
	if n.kind == jsontext.KindBeginObject {
		slices.SortFunc(n.members, func(a, b node) int { return strings.Compare(a.name, b.name) })
	}
	return n
}

func (n node) write(encoder *jsontext.Encoder) error {
	begin, end := jsontext.BeginObject, jsontext.EndObject
	switch n.kind {
	case jsontext.KindBeginObject:
	case jsontext.KindBeginArray:
		begin, end = jsontext.BeginArray, jsontext.EndArray
	default:
		return encoder.WriteValue(n.text)
	}
	err := encoder.WriteToken(begin)
	for _, member := range n.members {
		if err == nil && n.kind == jsontext.KindBeginObject {
			err = encoder.WriteToken(jsontext.String(member.name))
		}
		if err == nil {
			err = member.write(encoder)
		}
	}
	if err != nil {
		return err
	}
	return encoder.WriteToken(end)
}
