package cregis

import (
	"regexp"
	"strconv"
	"unicode/utf8"
)

// form reports whether text is a valid value of a field in a callback about the
// chain.
type form func(chain, text string) bool

// onAnyChain returns the form of a value that is written alike on all chains.
func onAnyChain(isValid func(text string) bool) form {
	return func(_, text string) bool { return isValid(text) }
}

// matching returns a function that reports whether the whole of a text matches
// the expression.
func matching(expression string) func(text string) bool {
	return wholeText(expression).MatchString
}

func wholeText(expression string) *regexp.Regexp {
	return regexp.MustCompile(`^(?:` + expression + `)$`)
}

// The forms of values that are written alike on all chains.
var (
	isDigits    = matching(`[0-9]+`)
	isCount     = matching(`[0-9]{1,20}`)
	isAmount    = matching(`(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?`)
	isTimestamp = matching(`[0-9]{13}`)
	isNonce     = matching(`[A-Za-z0-9]{6}`)

	// isBlockTime accepts milliseconds, the seconds of some queries, and the 0
	// of a program that has no block to name.
	isBlockTime = matching(`0|[0-9]{10,16}`)

	// isPrintable is the form of our references unless the provider has a
	// pattern for them.
	isPrintable = matching(`[ -~]{1,128}`)

	// isTxID accepts 32 bytes in hexadecimal digits (BTC, TRON, XRP, TON, Cardano;
	// with 0x EVM, Aptos), a signature or a digest in base 58 (Solana, Sui, NEAR),
	// 32 bytes in base 64 (TON), base 32 (Algorand), and the CID of a message in
	// base 32 (Filecoin).
	isTxID = matching(`(?:0x)?[0-9a-fA-F]{64}|` + base58Chars + `{42,44}|` + base58Chars + `{80,88}` +
		`|[A-Za-z0-9+/_-]{43}=?|[A-Z2-7]{52}|bafy[a-z2-7]{58}`)

	isPositiveNumber = matching(`[1-9][0-9]{0,18}`)
)

// maxReference is the number of characters of the longest reference.
const maxReference = 128

// isID accepts a positive int64 in its only spelling: it names an account or a
// payout.
func isID(text string) bool {
	_, err := strconv.ParseInt(text, 10, 64)
	return err == nil && isPositiveNumber(text)
}

func isHeight(text string) bool {
	_, err := strconv.ParseUint(text, 10, 64)
	return err == nil && isCount(text)
}

func isStatus(text string) bool {
	_, ok := statuses[text]
	return ok
}

func isRemark(text string) bool { return utf8.RuneCountInString(text) <= 256 }

func isMemo(text string) bool { return utf8.RuneCountInString(text) <= 128 }
