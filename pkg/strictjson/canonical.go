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
	return scanner.canonical(make([]byte, 0, len(text)))
}

// canonical adds the canonical form of the value that comes next.
func (s *Scanner) canonical(to []byte) []byte {
	switch s.Kind() {
	case jsontext.KindBeginObject:
		s.Enter()
		return s.canonicalObject(to)
	case jsontext.KindBeginArray:
		s.Enter()
		to = append(to, '[')
		for n := 0; s.Kind() != jsontext.KindEndArray; n++ {
			to = s.canonical(comma(to, n))
		}
		s.Enter()
		return append(to, ']')
	case jsontext.KindString:
		return quoted(to, Unquote(s.Next()))
	}
	return append(to, s.Next()...)
}

// member is a name of an object, and where it stands with its value.
type member struct {
	name       string
	begin, end int
}

func (s *Scanner) canonicalObject(to []byte) []byte {
	begin := len(to)
	var members []member
	for s.Kind() != jsontext.KindEndObject {
		one := member{name: Unquote(s.Next()), begin: len(to)}
		to = append(quoted(to, one.name), ':')
		to = s.canonical(to)
		one.end = len(to)
		members = append(members, one)
	}
	s.Enter()
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	written := bytes.Clone(to[begin:])
	to = append(to[:begin], '{')
	for n, one := range members {
		to = append(comma(to, n), written[one.begin-begin:one.end-begin]...)
	}
	return append(to, '}')
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
