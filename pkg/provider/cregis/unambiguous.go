package cregis

import (
	"strings"

	"payout-callbacks/pkg/callback"
)

// A signature covers every body that has the same canonical string, and that
// string has no separators: in a remark "…status6third_party_idPAY-9" another
// body finds a status and a reference. A body that reads the genuine text
// otherwise changes a payout only if one of its values contains the genuine name
// and value of another field. With the fields closed (checkKind) and the values
// in their forms (checkFormats) only the texts that people write can do that,
// and then they contain a name that a value of this name follows. So:
//
//   - a value that has a form contains no name of four letters or more (shorter
//     ones occur in addresses by chance) and has one possible end only;
//   - a text that people write contains no other field's name before the
//     beginning of a value of that name.
//
// That this suffices, and what it leaves open, is decided by automaton_test.go.

// begins reports whether rest, the text behind a name, begins as values of this
// name do.
type begins func(rest string) bool

func atLeast(count int, of class) begins {
	return func(rest string) bool { return run(rest, of) >= count }
}

func anything(string) bool { return true }

// beginsCurrency admits the $ of some symbols besides letters and digits.
func beginsCurrency(rest string) bool {
	return rest != "" && (classes[rest[0]]&alnum != 0 || rest[0] == '$')
}

// beginsKnown is the beginning of a value that can be any text: not white space
// or what ends a sentence, which stand behind a name when it is a word.
func beginsKnown(rest string) bool {
	return rest != "" && !strings.ContainsAny(rest[:1], " \t\r\n.,;:!?)")
}

// shortestName is the length of the shortest name that a value with a form
// cannot contain.
const shortestName = 4

// checkUnambiguous holds a body with a value in which another body with the same
// signed text could find another field.
func (p Provider) checkUnambiguous(kind messageKind, b *body) *callback.Held {
	signed, at := b.canonical(), 0
	for name, text := range b.fields {
		at += len(name)
		if found, place := p.options().findName(name, text); found != "" {
			return hold(callback.ReasonAmbiguous, "the value of %s holds %q, the name of a field, at byte %d (byte %d of the signed text)",
				name, found, place, at+place)
		}
		whole, behind := text, signed[at:]
		if name == documented[currency].name {
			if whole = b.openCurrency(); whole != text {
				behind = whole
			}
		}
		if end := otherEnd(kind, b.documented[chainID].text, name, whole, behind); end > 0 {
			return hold(callback.ReasonAmbiguous, "the value of %s may end at byte %d (byte %d of the signed text), where another field may begin",
				name, end, at+end)
		}
		at += len(text)
	}
	return nil
}

// findName returns a name in the field's value that may be another field's
// there, and where it stands, or "".
func (o *options) findName(field, text string) (string, int) {
	isFree := true
	if i, ok := documentedIndex(field); ok {
		isFree = documented[i].form == nil || documented[i].free
	}
	if !isFree && run(text, digit) == len(text) {
		return "", 0
	}
	for _, name := range o.names {
		switch {
		case isFree && name.text != field:
			if place := name.find(text); place >= 0 {
				return name.text, place
			}
		case !isFree && len(name.text) >= shortestName:
			if place := strings.Index(text, name.text); place >= 0 {
				return name.text, place
			}
		}
	}
	if isFree && strings.HasSuffix(text, cutStatus) {
		return cutStatus, len(text) - len(cutStatus)
	}
	return "", 0
}

// cutStatus and the name that follows a remark make the name status once more.
const cutStatus = "statu"

// find returns the first place in a free text where the name stands before the
// beginning of its value, or -1.
func (n fieldName) find(text string) int {
	for from := 0; n.begins != nil; {
		at := strings.Index(text[from:], n.text)
		if at < 0 {
			break
		}
		from += at + len(n.text)
		if n.begins(text[from:]) {
			return from - len(n.text)
		}
	}
	return -1
}

// otherEnd returns where a value may end besides its own end, or 0: where a
// shorter or longer text has the form as well, and what is signed behind it may
// be name and value of a field that sorts between this one and the next required
// one. A longer text ends in the name that follows, if that is an optional field's.
func otherEnd(kind messageKind, chain, name, text, signed string) int {
	i, ok := documentedIndex(name)
	if !ok || !documented[i].splits {
		return 0
	}
	next := ""
	for j := i + 1; next == "" && j < documentedCount; j++ {
		if documented[j].must&kind != 0 {
			next = documented[j].name
		}
	}
	longest := len(text)
	if !strings.HasPrefix(signed[longest:], next) {
		longest = min(longest+longestName, len(signed))
	}
	for end := 1; end < longest; end++ {
		rest := signed[end:]
		if end < len(text) {
			rest = signed[end:len(text)]
		}
		if end != len(text) && beginsName(name, rest, next) && documented[i].form(chain, signed[:end]) {
			return end
		}
	}
	return 0
}

const longestName = len("third_party_id")

// beginsName reports whether text begins with what may be a name that sorts after
// one name and before another, and a value: three lower-case letters or
// underscores, as all of Cregis's names begin, and more.
func beginsName(after, text, before string) bool {
	if run(text, lower|underscore) < 3 {
		return false
	}
	for end := 3; end < len(text); end++ {
		if name := text[:end]; after < name && name < before {
			return true
		}
	}
	return false
}
