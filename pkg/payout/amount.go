package payout

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

// Amount is an exact, non-negative decimal in canonical form: no sign, no
// exponent, no superfluous zeros ("1.1", "0", "100000"). Equal amounts have equal
// texts. The empty Amount means that no amount was stated.
type Amount string

// maxDigits limits the digits on either side of the decimal point. It is checked
// before the text reaches a decimal parser, which would expand 1e1000000000.
const maxDigits = 30

// IsValid reports whether Add and Cmp can compute with the Amount: it is empty, or
// ParseAmount or Add returned it. A value that somebody wrote into a store by hand
// may not be valid.
func (a Amount) IsValid() bool {
	// The sum of a batch's four amounts may have one digit more.
	return a == "" || isPlain(string(a), maxDigits+1)
}

// ParseAmount parses an amount as providers write it: at most 30 digits on either
// side of the decimal point, no sign, no exponent, no leading zeros.
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

// isPlain reports whether text consists of at most maxWhole digits and, after an
// optional decimal point, at most maxDigits digits.
func isPlain(text string, maxWhole int) bool {
	whole, fraction, hasPoint := strings.Cut(text, ".")
	return isDigits(whole, maxWhole) && (!hasPoint || isDigits(fraction, maxDigits))
}

func isDigits(text string, limit int) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return 1 <= len(text) && len(text) <= limit
}

// Add returns a + b. The empty Amount counts as zero.
func (a Amount) Add(b Amount) Amount {
	return Amount(a.decimal().Add(b.decimal()).String())
}

// Cmp returns -1, 0 or 1 if a is less than, equal to or greater than b. The empty
// Amount counts as zero.
func (a Amount) Cmp(b Amount) int {
	return a.decimal().Cmp(b.decimal())
}

func (a Amount) decimal() decimal.Decimal {
	if a == "" {
		return decimal.Zero
	}
	d, err := decimal.NewFromString(string(a))
	if err != nil {
		panic("payout: invalid amount")
	}
	return d
}
