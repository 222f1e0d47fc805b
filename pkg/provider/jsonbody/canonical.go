package jsonbody

import (
	"bytes"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Canonical returns one form for all spacings, orders and escapes of a JSON
// text, and any other text as it is. Numbers stay as written: as floating-point
// numbers, which RFC 8785 asks for, two long ids could become equal.
//
// [jsontext.Value.Canonicalize] sorts text that it has already written, which
// costs the length of the text once for each level of nesting.
func Canonical(text []byte) []byte {
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
