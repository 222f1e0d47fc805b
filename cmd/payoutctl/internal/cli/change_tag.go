package cli

import (
	"strings"
	"time"
	"unicode"
)

// ChangeTag is the tag in which payoutctl records the last change of a resource
// of AWS, and its reason. CloudTrail keeps every value of the tag, with the
// identity that set it and the time.
const ChangeTag = "payout-callbacks:last-change"

// FormatChange returns a value of ChangeTag: the time, the change and its reason.
// A character that AWS does not allow in a tag becomes a space, and a long text
// is cut.
func FormatChange(now time.Time, change, reason string) string {
	const maxLength = 256 // characters, AWS's limit
	text := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_.:/=+-@", r) {
			return r
		}
		return ' '
	}, now.UTC().Format(time.RFC3339)+" "+change+": "+reason)
	runes := []rune(strings.Join(strings.Fields(text), " "))
	return string(runes[:min(len(runes), maxLength)])
}
