package pivot

import (
	"regexp"
	"strings"
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
