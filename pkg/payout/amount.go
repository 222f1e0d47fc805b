package payout

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

// Amount is an exact, non-negative decimal in its one canonical text: no sign,
// no exponent, no superfluous zeros ("1.1", "0", "100000"). The empty Amount
// means that none was told. Two Amounts are equal when their texts are.
type Amount string

// maxDigits bounds what stands on either side of the point. It is checked before
// any decimal parser sees the text: a parser would expand 1e1000000000.
const maxDigits = 30

// Valid reports whether the Amount can be reckoned with: it is empty, or one that
// ParseAmount or Add made. What somebody wrote into a store by hand may not be.
func (a Amount) IsValid() bool {
	// What Add makes of the four amounts of a batch may have a digit more.
	return a == "" || isPlain(string(a), maxDigits+1)
}

// ParseAmount reads an amount as providers write it: at most 30 digits on
// either side of the point, no sign, no exponent, no leading zeros.
func ParseAmount(text string) (Amount, error) {
	padded := len(text) > 1 && text[0] == '0' && text[1] != '.'
	if padded || !isPlain(text, maxDigits) {
		return "", fmt.Errorf("not a plain decimal of at most 30+30 digits (%d bytes)", len(text))
	}
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return Amount(text), nil
}

// isPlain reports whether a text is digits, at most so many of them before a
// point, if there is one, and at most maxDigits after it.
func isPlain(text string, before int) bool {
	whole, fraction, point := strings.Cut(text, ".")
	return isDigits(whole, before) && (!point || isDigits(fraction, maxDigits))
}

func isDigits(text string, most int) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return 1 <= len(text) && len(text) <= most
}

// Add returns a + b.
func (a Amount) Add(b Amount) Amount {
	return Amount(a.decimal().Add(b.decimal()).String())
}

// Cmp returns -1, 0 or 1 as a is less than, equal to or greater than b. The
// empty Amount counts as zero.
func (a Amount) Cmp(b Amount) int {
	return a.decimal().Cmp(b.decimal())
}

func (a Amount) decimal() decimal.Decimal {
	if a == "" {
		return decimal.Zero
	}
	d, err := decimal.NewFromString(string(a))
	if err != nil {
		panic("payout: Amount that is not valid")
	}
	return d
}
