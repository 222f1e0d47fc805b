package cregis_test

import (
	"slices"
	"strings"
)

// The rules of checkUnambiguous for the automata, as docs/providers/cregis.md states
// them, independent of the code.

// suffixes finds names in a text that is read character by character. A state is
// the longest suffix of the text that begins a name.
type suffixes struct {
	texts []string
	next  []map[byte]int16
}

func newSuffixes(names []string) *suffixes {
	s := &suffixes{texts: []string{""}}
	for _, name := range names {
		for end := 1; end <= len(name); end++ {
			if !slices.Contains(s.texts, name[:end]) {
				s.texts = append(s.texts, name[:end])
			}
		}
	}
	for range s.texts {
		s.next = append(s.next, map[byte]int16{})
	}
	return s
}

func (s *suffixes) step(state int16, c byte) int16 {
	if next, ok := s.next[state][c]; ok {
		return next
	}
	text := s.texts[state] + string(c)
	for !slices.Contains(s.texts, text) {
		text = text[1:]
	}
	next := int16(slices.Index(s.texts, text))
	s.next[state][c] = next
	return next
}

var callbackNames = []string{
	"address", "amount", "block_height", "block_time", "chain_id", "cid", "currency", "from_address", "memo", "nonce", "pid",
	"remark", "status", "third_party_id", "timestamp", "to_address", "token_id", "txid",
}

// formatted is rule 2: no name of four or more characters, and one end only, which
// only a currency can violate. See currencyForm.
type formatted struct {
	*suffixes

	isCurrency bool
}

func newFormatted(field string) formatted {
	names := slices.DeleteFunc(slices.Clone(callbackNames), func(name string) bool { return len(name) < 4 })
	return formatted{newSuffixes(names), field == "currency"}
}

func (f formatted) step(w watch, c byte) (watch, bool) {
	w.suffix = f.suffixes.step(w.suffix, c)
	text := f.texts[w.suffix]
	if c < 'a' {
		w.short = 1
	}
	return w, !slices.ContainsFunc(callbackNames, func(name string) bool { return len(name) > 3 && strings.HasSuffix(text, name) })
}

// ends refuses a lower-case symbol before memo: with the m it is a symbol as well.
func (f formatted) ends(w watch, next string) bool {
	return !f.isCurrency || w.short == 1 || next != "memo"
}

// freeText is rule 3: no name before the beginning of a value, and no "statu" at the
// end.
type freeText struct {
	*suffixes

	own string
}

func newFreeText(own string) freeText { return freeText{newSuffixes(callbackNames), own} }

const (
	digits = "0123456789"
	alnums = digits + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

func (f freeText) step(w watch, c byte) (watch, bool) {
	isAlnum := strings.IndexByte(alnums, c) >= 0
	text := f.texts[w.suffix]
	for _, name := range callbackNames {
		if name == f.own || !strings.HasSuffix(text, name) {
			continue
		}
		switch name {
		case "pid", "cid", "status", "amount", "chain_id", "block_height", "block_time", "timestamp":
			if strings.IndexByte(digits, c) >= 0 {
				return w, false
			}
		case "currency", "txid", "token_id":
			if isAlnum {
				return w, false
			}
		case "nonce":
			w.nonce = max(w.nonce, 1)
		case "address", "from_address", "to_address":
			w.address, w.short = max(w.address, 1), 1
		}
	}
	w.nonce = count(w.nonce, isAlnum)
	w.address = count(w.address, isAlnum || strings.IndexByte("_-", c) >= 0)
	isShort := w.short == 3 && strings.IndexByte(digits, c) >= 0
	switch {
	case w.short == 1 && (c == 'f' || c == 't'):
		w.short = 2
	case w.short == 2 && c == '0':
		w.short = 3
	default:
		w.short = 0
	}
	w.suffix = f.suffixes.step(w.suffix, c)
	isReference := f.own != "third_party_id" && strings.HasSuffix(f.texts[w.suffix], "third_party_id")
	return w, w.nonce <= 6 && w.address <= 20 && !isShort && !isReference
}

// count counts characters of a class after a name, which is 1; any other character
// resets it.
func count(n int16, is bool) int16 {
	if n == 0 || !is {
		return 0
	}
	return n + 1
}

func (f freeText) ends(w watch, _ string) bool { return !strings.HasSuffix(f.texts[w.suffix], "statu") }
