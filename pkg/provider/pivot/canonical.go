package pivot

import "strings"

// Canonical forms: a payout has one id and one reference (nfc.go) however they
// are spelled. The receipt keeps the body as it was sent, and a question to Pivot
// takes the spelling from there.

// canonicalID returns a uuid of RFC 9562 in lower case, its canonical form. Of
// any other id the case may count, and it stays as it is.
func canonicalID(id string) string {
	if !isRFC9562(id) {
		return id
	}
	return strings.ToLower(id)
}

func isSameID(a, b string) bool { return canonicalID(a) == canonicalID(b) }

// isRFC9562 reports whether the text is a uuid in its textual form, in either
// case: 8-4-4-4-12 hexadecimal digits.
func isRFC9562(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, char := range []byte(text) {
		switch i {
		case 8, 13, 18, 23:
			if char != '-' {
				return false
			}
		default:
			if (char < '0' || char > '9') && (char|0x20 < 'a' || char|0x20 > 'f') {
				return false
			}
		}
	}
	return true
}
