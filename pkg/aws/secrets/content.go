package secrets

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
)

// Content is what the value of a secret holds.
type Content struct {
	// Keys has every account that the value lists. Of an account with a flaw it
	// has the keys that can be used, if any, and marks it as flawed.
	Keys  callback.Keys
	Flaws []Flaw
}

// Flaw says why an entry of a secret cannot be used as it is.
type Flaw struct { //nolint:errname // a flaw is reported, and seldom returned as an error
	// Account is the name of the entry without the white space around it. It can
	// be anything, a key in the wrong place included: see [Flaw.Error].
	Account string
	Problem string
	// Stored is the entry as it stands in the value: a name, a colon, a value.
	Stored string

	entry int // counts from 1
}

// Error implements error. It names the entry by its position, and by the account
// only where the name has the form of an account.
func (f Flaw) Error() string {
	if isAccount(f.Account) {
		return fmt.Sprintf("entry %d, account %s: %s", f.entry, f.Account, f.Problem)
	}
	return fmt.Sprintf("entry %d: %s", f.entry, f.Problem)
}

// isAccount reports whether the text is a number or a UUID, as accounts of
// providers are.
func isAccount(text string) bool {
	isNumber := len(text) > 0 && len(text) < 20 && strings.Trim(text, "0123456789") == ""
	isUUID := len(text) == 36 && strings.Count(text, "-") == 4 && strings.Trim(strings.ToLower(text), "0123456789abcdef-") == ""
	return isNumber || isUUID
}

// shortestKey is the length below which a key is a mistake: it could be guessed.
const shortestKey = 6

// KeyProblem says why a text cannot be a callback key, or returns "".
func KeyProblem(key callback.Key) string {
	text := string(key)
	switch {
	case strings.TrimSpace(text) == "":
		return "is empty"
	case text != strings.TrimSpace(text):
		return "has white space around it"
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }):
		return "has a character that is not printable ASCII"
	case len(text) > 1 && text[0] == text[len(text)-1] && strings.ContainsRune("\"'`", rune(text[0])):
		return "is in quotes"
	case len(text) < shortestKey:
		return fmt.Sprintf("is shorter than %d characters", shortestKey)
	}
	return ""
}

var errForm = errors.New(`the value is not of the form {"account": {"current": "key", "previous": "key"}}`)

// Parse reads the value of a secret. A value without accounts is valid. An entry
// that cannot be used is a flaw and does not affect the others. The error, for a
// value that is no JSON object, does not hold any part of the value.
func Parse(value string) (Content, error) {
	entries, ok := readMembers(strings.TrimPrefix(value, byteOrderMark))
	if !ok {
		return Content{}, errForm
	}
	content := Content{Keys: callback.Keys{}}
	listed := map[string]int{}
	for _, entry := range entries {
		listed[spelling(entry.name)]++
	}
	for n, entry := range entries {
		account := strings.TrimSpace(entry.name)
		keys, problem := readKeys(entry)
		if listed[spelling(entry.name)] > 1 {
			keys, problem = callback.AccountKeys{}, "the account is listed more than once"
		}
		if problem != "" {
			keys.Flawed = true
			content.Flaws = append(content.Flaws, Flaw{Account: account, Problem: problem, Stored: entry.stored(), entry: n + 1})
		}
		if account != "" {
			content.Keys[account] = keys
		}
	}
	return content, nil
}

// byteOrderMark is what some editors put before a text.
const byteOrderMark = "\ufeff"

// member is a name and a value of a JSON object.
type member struct {
	name  string
	value jsontext.Value
}

// readMembers reads a text that is one JSON object. It keeps names that stand
// twice, so that they can be reported, and replaces invalid UTF-8, so that it
// concerns one entry only.
func readMembers(text string) (members []member, ok bool) {
	decoder := jsontext.NewDecoder(strings.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if token, err := decoder.ReadToken(); err != nil || token.Kind() != jsontext.KindBeginObject {
		return nil, false
	}
	for decoder.PeekKind() == jsontext.KindString {
		token, err := decoder.ReadToken()
		if err != nil {
			return nil, false
		}
		name := token.String() // the decoder reuses the token
		value, err := decoder.ReadValue()
		if err != nil {
			return nil, false
		}
		members = append(members, member{name, value.Clone()})
	}
	if _, err := decoder.ReadToken(); err != nil {
		return nil, false
	}
	_, err := decoder.ReadToken()
	return members, errors.Is(err, io.EOF)
}

// text returns the member's value where that is a string.
func (m member) text() (text string, ok bool) {
	if m.value.Kind() != jsontext.KindString {
		return "", false
	}
	unquoted, _ := jsontext.AppendUnquote(nil, m.value) // fails on invalid UTF-8 only, which it replaces
	return string(unquoted), true
}

// stored returns the member as JSON.
func (m member) stored() string {
	name, _ := jsontext.AppendQuote(nil, m.name) // fails on invalid UTF-8 only, which the decoder has replaced
	return string(name) + ":" + string(m.value)
}

// spelling is equal for two spellings of one account.
func spelling(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// readKeys returns the keys of an entry that can be used, and the first problem.
func readKeys(entry member) (callback.AccountKeys, string) {
	members, ok := readMembers(string(entry.value))
	if !ok {
		return callback.AccountKeys{}, `the entry is not of the form {"current": "key", "previous": "key"}`
	}
	texts := map[string]string{}
	for _, m := range members {
		text, isText := m.text()
		_, twice := texts[m.name]
		switch {
		case m.name != "current" && m.name != "previous":
			return callback.AccountKeys{}, "the entry has a name other than current and previous"
		case twice:
			return callback.AccountKeys{}, "the entry has the same name twice"
		case !isText:
			return callback.AccountKeys{}, "a key is not text"
		}
		texts[m.name] = text
	}
	return usable(callback.Key(texts["current"]), callback.Key(texts["previous"]), entry.name)
}

// usable leaves out invalid keys. An empty previous key means none.
func usable(current, previous callback.Key, name string) (keys callback.AccountKeys, problem string) {
	switch {
	case strings.TrimSpace(name) == "":
		return keys, "the account has no name"
	case name != strings.TrimSpace(name):
		return keys, "the name of the account has white space around it"
	}
	if text := KeyProblem(previous); previous != "" && text != "" {
		problem = "the previous key " + text
	} else {
		keys.Previous = previous
	}
	if text := KeyProblem(current); text != "" {
		problem = "the current key " + text
	} else {
		keys.Current = current
	}
	return keys, problem
}
