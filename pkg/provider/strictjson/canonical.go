package strictjson

import (
	"bytes"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Canonical returns one form for all spacings, orders and escapes of a JSON
// text, and any other text as it is. Numbers stay as written: as floating-point
// ones, which RFC 8785 asks for, two long ids could become one. The library's
// own canonical form would be an eightieth of a function's binary.
func Canonical(text []byte) []byte {
	scanner, err := Scan(text)
	if err != nil {
		return bytes.Clone(text)
	}
	whole := scanner.node()
	return whole.canonical(make([]byte, 0, len(text)))
}

// node is a value. What is inside of it is put in order before anything is
// written: to sort what was written costs its length once for each level that
// it is deep.
type node struct {
	name   string // of a member
	kind   jsontext.Kind
	text   string // as written; of an object or an array nothing
	inside []node
}

// node takes in the value that comes next.
func (s *Scanner) node() node {
	of := node{kind: s.Kind()}
	if of.kind != jsontext.KindBeginObject && of.kind != jsontext.KindBeginArray {
		of.text = s.Next()
		return of
	}
	s.Enter()
	for s.Kind() != jsontext.KindEndObject && s.Kind() != jsontext.KindEndArray {
		name := ""
		if of.kind == jsontext.KindBeginObject {
			name = Unquote(s.Next())
		}
		n := s.node()
		n.name = name
		of.inside = append(of.inside, n)
	}
	s.Enter()
	if of.kind == jsontext.KindBeginObject {
		slices.SortFunc(of.inside, func(a, b node) int { return strings.Compare(a.name, b.name) })
	}
	return of
}

// canonical adds the canonical form of the value.
func (n *node) canonical(to []byte) []byte {
	switch n.kind {
	case jsontext.KindBeginObject:
		to = append(to, '{')
		for at := range n.inside {
			to = append(quoted(comma(to, at), n.inside[at].name), ':')
			to = n.inside[at].canonical(to)
		}
		return append(to, '}')
	case jsontext.KindBeginArray:
		to = append(to, '[')
		for at := range n.inside {
			to = n.inside[at].canonical(comma(to, at))
		}
		return append(to, ']')
	case jsontext.KindString:
		return quoted(to, Unquote(n.text))
	}
	return append(to, n.text...)
}

func comma(to []byte, n int) []byte {
	if n == 0 {
		return to
	}
	return append(to, ',')
}

func quoted(to []byte, text string) []byte {
	to, _ = jsontext.AppendQuote(to, text) // valid UTF-8, or Scan had refused it
	return to
}
