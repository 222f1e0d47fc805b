package pivot

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// form is what the text of a field must look like. Each form is bounded, because
// the text becomes part of a key or is kept for good.
type form struct {
	want  string // for a note
	match func(string) bool
}

var (
	// Letters and digits rather than hexadecimal digits: Pivot's ids are UUIDs in
	// all examples, and no page promises that they stay UUIDs.
	isUUID     = form{"letters, digits and hyphens, at most 64", regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`).MatchString}
	isCurrency = form{"three capital letters", regexp.MustCompile(`^[A-Z]{3}$`).MatchString}
	// Ours, 1-100 characters in the request that creates the payout. Any script is
	// accepted, but no character that is invisible or reverses the rest of a line.
	// Characters are counted in the canonical form. Escaped, the longest reference
	// has 1,200 bytes: an id with it stays below the 2,048 of a DynamoDB partition
	// key.
	isReference = form{"1 to 100 printable characters", isPrintable}
)

func isPrintable(text string) bool {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) }) {
		return false
	}
	count := utf8.RuneCountInString(canonicalText(text))
	return count >= 1 && count <= 100
}

// text reads a string field and checks its form.
func (r *reader) text(at field, form form) string {
	text := r.body.string(at)
	if !form.match(text) {
		r.holdf(callback.ReasonField, "%s: %s, want %s", at, r.display(at), form.want)
	}
	return text
}

// maxReason is the number of bytes of the longest reason. The documented reasons
// have fewer than 40.
const maxReason = 1000

// reason reads the provider's reason, which is null for a successful payout.
func (r *reader) reason() string {
	text := r.body.string(reason)
	if r.body.has(reason) && r.body.kind(reason) != jsontext.KindString || len(text) > maxReason {
		r.holdf(callback.ReasonField, "reason: %s, want null or at most %d bytes of text", r.display(reason), maxReason)
	}
	return text
}

// amount reads a payout's amount, documented as a string. A number would mean that
// the format has changed, and perhaps the unit with it.
func (r *reader) amount() payout.Amount {
	value, err := payout.ParseAmount(r.body.string(amountValue))
	if err != nil {
		r.holdf(callback.ReasonField, "amount.value: %s, want a plain decimal in a string", r.display(amountValue))
	}
	return value
}

// maxDigits keeps the sum of the four counts within an int64. A request has at
// most a thousand items.
const maxDigits = 18

// tally reads a count of items and the sum of their amounts, both documented as
// numbers. The body keeps a string in its quotes, which no number has.
func (r *reader) tally(countAt, sumAt field) payout.Tally {
	// JSON has no plus sign, leading zero or other base, so that ParseUint accepts
	// plain digits only.
	count, err := strconv.ParseUint(r.body[countAt], 10, 63)
	if err != nil || len(r.body[countAt]) > maxDigits {
		r.holdf(callback.ReasonField, "%s: %s, want a plain count as a number", countAt, r.display(countAt))
	}
	sum, err := payout.ParseAmount(r.body[sumAt])
	if err != nil {
		r.holdf(callback.ReasonField, "%s: %s, want a plain decimal as a number", sumAt, r.display(sumAt))
	}
	return payout.Tally{Count: int64(count), Amount: sum}
}

// cancelled reads the tally that the older page does not have: absent is zero.
func (r *reader) cancelled() payout.Tally {
	for _, at := range []field{cancelledCount, cancelledAmount} {
		if !r.body.has(at) {
			r.body[at] = "0"
		}
	}
	return r.tally(cancelledCount, cancelledAmount)
}
