package pivot

import (
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// form is what the text of a field must look like. Each is bounded, because
// the text becomes part of a key or is kept for ever.
type form struct {
	want  string
	match func(string) bool
}

var (
	// Letters and digits rather than hexadecimal: nothing says that Pivot's
	// uuid will stay one of RFC 9562, only that it is one in every example.
	isUUID     = form{"letters, digits and hyphens, at most 64", uuidLike}
	isCurrency = form{"three capital letters", isoLike}
	// Ours, 1-100 characters in the request that creates the payout. Any script
	// is let through; what a person cannot see, or what turns the rest of a
	// line around, is not. Characters are counted in the canonical form. Escaped,
	// the longest has 1,200 bytes: an id with it stays within the 2,048 of a
	// DynamoDB partition key.
	isReference = form{"1 to 100 printable characters", printable}
)

func uuidLike(text string) bool {
	for _, char := range []byte(text) {
		if char != '-' && (char < '0' || char > '9') && (char|0x20 < 'a' || char|0x20 > 'z') {
			return false
		}
	}
	return len(text) >= 1 && len(text) <= 64
}

func isoLike(text string) bool {
	for _, char := range []byte(text) {
		if char < 'A' || char > 'Z' {
			return false
		}
	}
	return len(text) == 3
}

func printable(text string) bool {
	for _, char := range text {
		if !unicode.IsGraphic(char) {
			return false
		}
	}
	count := utf8.RuneCountInString(canonicalText(text))
	return count >= 1 && count <= 100
}

// text reads a string of a form.
func (r *reader) text(at field, form form) string {
	text := r.body.string(at)
	if !form.match(text) {
		r.holdf(callback.ReasonField, "%s: %s, want %s", at, r.display(at), form.want)
	}
	return text
}

// maxReason bounds a free text. The documented ones have fewer than 40 bytes.
const maxReason = 1000

// reason reads the provider's words, which are null where all went well.
func (r *reader) reason() string {
	text := r.body.string(reason)
	if r.body.has(reason) && r.body.kind(reason) != jsontext.KindString || len(text) > maxReason {
		r.holdf(callback.ReasonField, "reason: %s, want null or at most %d bytes of text", r.display(reason), maxReason)
	}
	return text
}

// amount reads a payout's amount, documented as a string. A number means that
// the format has changed, and perhaps the unit with it.
func (r *reader) amount() payout.Amount {
	value, err := payout.ParseAmount(r.body.string(amountValue))
	if err != nil {
		r.holdf(callback.ReasonField, "amount.value: %s, want a plain decimal in a string", r.display(amountValue))
	}
	return value
}

// A request has at most a thousand items; eighteen digits only keep the sum of
// the four counts within an int64.
const maxDigits = 18

// tally reads how many items stand somewhere and the sum of their amounts, both
// documented as numbers. What is no number has no form of one either: a string
// stands here in its quotes.
func (r *reader) tally(countAt, sumAt field) payout.Tally {
	// JSON has no signs before, no zeros before and no other base: what
	// ParseUint takes is plain digits.
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

// cancelled is the tally that the older page does not print: absent is zero.
func (r *reader) cancelled() payout.Tally {
	for _, at := range []field{cancelledCount, cancelledAmount} {
		if !r.body.has(at) {
			r.body[at] = "0"
		}
	}
	return r.tally(cancelledCount, cancelledAmount)
}
