package payout

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/shopspring/decimal"
)

// Amount is an exact, non-negative decimal in its one canonical text: no sign,
// no exponent, no superfluous zeros ("1.1", "0", "100000"). The empty Amount
// means that none was told. Two Amounts are equal when their texts are.
type Amount string

// The bound on digits is checked before any decimal parser sees the text: a
// parser would expand 1e1000000000.
var amountText = regexp.MustCompile(`^(0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?$`)

// sumText takes what Add makes of the four amounts of a batch, too: a digit more.
var sumText = regexp.MustCompile(`^[0-9]{1,31}(\.[0-9]{1,30})?$`)

// Valid reports whether the Amount can be reckoned with: it is empty, or one that
// ParseAmount or Add made. What somebody wrote into a store by hand may not be.
func (a Amount) Valid() bool { return a == "" || sumText.MatchString(string(a)) }

// ParseAmount reads an amount as providers write it: at most 30 digits on
// either side of the point, no sign, no exponent, no leading zeros.
func ParseAmount(text string) (Amount, error) {
	if !amountText.MatchString(text) {
		return "", fmt.Errorf("not a plain decimal of at most 30+30 digits (%d bytes)", len(text))
	}
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return Amount(text), nil
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
