// Package reason is how a change that is made by hand to a resource of AWS is
// explained on the resource itself: in a tag. CloudTrail keeps each value that
// the tag ever had, with who set it and when.
package reason

import (
	"strings"
	"time"
	"unicode"
)

// Tag is the name of the tag.
const Tag = "payout-callbacks:last-change"

// maxTag is the length of a tag's value in characters, AWS's own bound.
const maxTag = 256

// Line returns the tag's value: when, what and why, cut to what a tag holds.
// What a tag cannot hold becomes a space.
func Line(now time.Time, what, why string) string {
	text := now.UTC().Format(time.RFC3339) + " " + what + ": " + why
	text = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_.:/=+-@", r) {
			return r
		}
		return ' '
	}, text)
	runes := []rune(strings.Join(strings.Fields(text), " "))
	return string(runes[:min(len(runes), maxTag)])
}
