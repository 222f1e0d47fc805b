// Package strictjson reads JSON by the strict rules of RFC 7493: no duplicate
// names, no invalid UTF-8, no half of a surrogate pair, no byte-order mark, one
// value and nothing after it. Two readers who disagree about a text could be
// told two things by it.
//
// One pass of the library that checks all of that costs a third of reading the
// tokens. What it has passed can be gone through by looking for quotes and
// brackets alone, which is what a [Scanner] does.
package strictjson

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Scanner goes through a text that [Scan] has found to be valid. It is a value:
// a copy goes its own way from where it is.
type Scanner struct {
	text string
	at   int
}

// Scan returns a scanner that stands before the one value of the text, or an
// error that quotes some of it where the text is not strict JSON.
func Scan(text []byte) (Scanner, error) {
	if !jsontext.Value(text).IsValid() {
		return Scanner{}, whatIsWrong(text)
	}
	return Scanner{text: string(text)}, nil
}

// whatIsWrong says where the text stops being strict JSON.
func whatIsWrong(text []byte) error {
	decoder := jsontext.NewDecoder(bytes.NewReader(text))
	if err := decoder.SkipValue(); err != nil {
		return err
	}
	_, err := decoder.ReadToken()
	return fmt.Errorf("after the value: %w", cmp.Or(err, errors.New("there is more")))
}

// ScanRepeated is Scan for a caller who looks for duplicate names itself. It
// does not say what is wrong.
func ScanRepeated(text []byte) (Scanner, bool) {
	if !jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true)) {
		return Scanner{}, false
	}
	return Scanner{text: string(text)}, true
}

// Kind says what comes next: a name or a value, the end of an object or an
// array, or, after the last value, nothing (jsontext.KindInvalid).
func (s *Scanner) Kind() jsontext.Kind {
	for s.at < len(s.text) && between[s.text[s.at]] {
		s.at++
	}
	return KindOf(s.text[s.at:])
}

// between is what stands between names and values; where it stands is valid.
var between = [256]bool{' ': true, '\t': true, '\r': true, '\n': true, ',': true, ':': true}

// KindOf says what a text begins with that Next returned.
func KindOf(written string) jsontext.Kind {
	switch {
	case written == "":
		return jsontext.KindInvalid
	case written[0] == '-', '0' <= written[0] && written[0] <= '9':
		return jsontext.KindNumber
	default:
		return jsontext.Kind(written[0])
	}
}

// Enter goes past the bracket that comes next, into an object or out of it.
func (s *Scanner) Enter() { s.at++ }

// Next returns the name or the value that comes next, whole and as written, and
// goes past it. There must be one: see Kind.
func (s *Scanner) Next() string {
	kind := s.Kind()
	begin := s.at
	switch kind {
	case jsontext.KindString:
		s.at = s.stringEnd()
	case jsontext.KindBeginObject, jsontext.KindBeginArray:
		s.at = s.nestEnd()
	default:
		s.at = s.wordEnd()
	}
	return s.text[begin:s.at]
}

// stringEnd returns where the string ends that begins here.
func (s *Scanner) stringEnd() int {
	at := s.at + 1
	for ; s.text[at] != '"'; at++ {
		if s.text[at] == '\\' {
			at++
		}
	}
	return at + 1
}

// wordEnd returns where the number, true, false or null ends that begins here.
func (s *Scanner) wordEnd() int {
	at := s.at
	for at < len(s.text) && !between[s.text[at]] && s.text[at] != '}' && s.text[at] != ']' {
		at++
	}
	return at
}

// nestEnd returns where the object or the array ends that begins here.
func (s *Scanner) nestEnd() int {
	inside := *s
	for depth := 0; ; {
		switch inside.Kind() {
		case jsontext.KindBeginObject, jsontext.KindBeginArray:
			depth++
			inside.at++
		case jsontext.KindEndObject, jsontext.KindEndArray:
			depth--
			inside.at++
		default:
			inside.Next()
		}
		if depth == 0 {
			return inside.at
		}
	}
}

// Unquote returns the text of a string that Next returned. Most have no escapes
// and are not copied.
func Unquote(written string) string {
	if strings.IndexByte(written, '\\') < 0 {
		return written[1 : len(written)-1]
	}
	text, _ := jsontext.AppendUnquote(nil, written) // valid, or Scan had refused it
	return string(text)
}
