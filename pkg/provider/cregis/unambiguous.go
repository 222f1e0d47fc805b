package cregis

import (
	"regexp"
	"strings"

	"payout-callbacks/pkg/callback"
)

// A signature covers every body with the same canonical string, and that string
// has no separators: in a remark "…status6third_party_idPAY-9" another body finds
// a status and a reference. Such a body changes a payout only if one of its values
// contains the genuine name and value of another field. Because the fields are
// closed (checkKind) and the values have their forms (checkFormats), only the
// texts that people write can do that, and then they contain a name before a
// value of that name. So:
//
//   - a value with a form contains no name of four or more characters (shorter names
//     occur in addresses by chance) and has one possible end only;
//   - a text that people write contains no other field's name before the
//     beginning of a value of that name.
//
// automaton_test.go decides that this suffices, and what it leaves open.

// shortestName is the length of the shortest name that a value with a form
// must not contain.
const shortestName = 4

// checkUnambiguous holds a body with a value in which another body with the same
// signed text could find another field.
func (p Provider) checkUnambiguous(kind messageKind, b *body) *callback.Held {
	position := 0 // in the signed text
	for _, field := range b.fields {
		position += len(field.name)
		if name, at := p.options().findName(field); name != "" {
			return hold(callback.ReasonAmbiguous, "the value of %s contains the field name %q at byte %d (byte %d of the signed text)",
				field.name, name, at, position+at)
		}
		text, signed := field.text, b.canonical[position:]
		if field.name == documented[currency].name {
			if text = b.openCurrency(); text != field.text {
				signed = text
			}
		}
		if end := otherEnd(kind, b.documented[chainID].text, field.name, text, signed); end > 0 {
			return hold(callback.ReasonAmbiguous, "the value of %s may end at byte %d (byte %d of the signed text), where another field may begin",
				field.name, end, position+end)
		}
		position += len(field.text)
	}
	return nil
}

// findName returns a name in the field's value that another body may read as a
// field there, and its place, or "".
func (o *options) findName(f field) (string, int) {
	if i, ok := documentedIndex(f.name); ok && documented[i].form != nil && !documented[i].isFree {
		return o.findNameInForm(f.text)
	}
	for _, name := range o.names {
		if name.text == f.name || name.beforeValue == nil {
			continue
		}
		if span := name.beforeValue.FindStringIndex(f.text); span != nil {
			return name.text, span[0]
		}
	}
	if strings.HasSuffix(f.text, cutStatus) {
		return cutStatus, len(f.text) - len(cutStatus)
	}
	return "", 0
}

// findNameInForm is findName for a value with a form.
func (o *options) findNameInForm(text string) (string, int) {
	for _, name := range o.names {
		if at := strings.Index(text, name.text); at >= 0 && len(name.text) >= shortestName {
			return name.text, at
		}
	}
	return "", 0
}

// cutStatus becomes the name status together with the s of the name that follows
// a remark.
const cutStatus = "statu"

// otherEnd returns where a value may end besides its own end, or 0: where a
// shorter or longer text has the form as well, and what is signed after it may
// be the name and value of a field that sorts between this field and the next
// required one. A longer text ends inside the name that follows, if that is an
// optional field's.
func otherEnd(kind messageKind, chain, name, text, signed string) int {
	i, ok := documentedIndex(name)
	if !ok || !documented[i].isOpen {
		return 0
	}
	next := ""
	for j := i + 1; next == "" && j < documentedCount; j++ {
		if documented[j].required&kind != 0 {
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

// nameBeginning is how all of Cregis's names begin.
var nameBeginning = regexp.MustCompile(`^[a-z_]{3}`)

// beginsName reports whether text may begin with a name that sorts after one name
// and before another, followed by a value.
func beginsName(after, text, before string) bool {
	if !nameBeginning.MatchString(text) {
		return false
	}
	for end := 3; end < len(text); end++ {
		if name := text[:end]; after < name && name < before {
			return true
		}
	}
	return false
}
