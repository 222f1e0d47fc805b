package cregis

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// The forms of values. They are written out by hand, because regular
// expressions would cost more than all the rest; form_test.go holds them to
// the expressions.

// class is a set of ASCII characters.
type class uint16

const (
	digit       class = 1 << iota
	upper             // A-Z
	lower             // a-z
	hexa              // 0-9 A-F a-f
	base58            // letters and digits without 0 O I l
	base32            // A-Z 2-7
	lowerBase32       // a-z 2-7
	mark              // : _ -
	base64            // + / - _ besides letters and digits
	printable         // space to ~
	underscore

	alnum = digit | upper | lower
)

var classes = func() (table [256]class) {
	members := map[class]string{
		digit:       "0123456789",
		upper:       "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
		lower:       "abcdefghijklmnopqrstuvwxyz",
		hexa:        "0123456789ABCDEFabcdef",
		base58:      "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
		base32:      "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
		lowerBase32: "abcdefghijklmnopqrstuvwxyz234567",
		mark:        ":_-",
		base64:      "+/-_",
		underscore:  "_",
	}
	for class, characters := range members {
		for _, c := range []byte(characters) {
			table[c] |= class
		}
	}
	for c := byte(' '); c <= '~'; c++ {
		table[c] |= printable
	}
	return table
}()

// made reports whether text has from least to most characters, all of the class.
func made(text string, of class, least, most int) bool {
	if len(text) < least || len(text) > most {
		return false
	}
	return run(text, of) == len(text)
}

// run returns the number of characters of the class that text begins with.
func run(text string, of class) int {
	for i := range len(text) {
		if classes[text[i]]&of == 0 {
			return i
		}
	}
	return len(text)
}

// isID takes a positive int64 in its one way of writing: it names an account
// or a payout.
func isID(text string) bool {
	if !made(text, digit, 1, 19) || text[0] == '0' {
		return false
	}
	const greatest = "9223372036854775807"
	return len(text) < len(greatest) || text <= greatest
}

func isAmount(text string) bool {
	whole, fraction, point := strings.Cut(text, ".")
	if !made(whole, digit, 1, 30) || len(whole) > 1 && whole[0] == '0' {
		return false
	}
	return !point || made(fraction, digit, 1, 30)
}

func isCount(text string) bool { return made(text, digit, 1, 20) }

func isHeight(text string) bool {
	_, err := strconv.ParseUint(text, 10, 64)
	return err == nil && isCount(text)
}

// isBlockTime takes milliseconds, or seconds as some queries have them, and
// the 0 that a program may write for a block that there is not.
func isBlockTime(text string) bool { return text == "0" || made(text, digit, 10, 16) }

func isTimestamp(text string) bool { return made(text, digit, 13, 13) }

func isNonce(text string) bool { return made(text, alnum, 6, 6) }

func isStatus(text string) bool {
	_, known := statuses[text]
	return known
}

func isRemark(text string) bool { return utf8.RuneCountInString(text) <= 256 }

func isMemo(text string) bool { return utf8.RuneCountInString(text) <= 128 }

// isPrintable is the form of our reference unless Options has a pattern.
func isPrintable(text string) bool { return made(text, printable, 1, maxReference) }

const maxReference = 128

func isSymbol(text string) bool {
	if made(text, lower, 2, 12) {
		return true
	}
	text = strings.TrimPrefix(text, "$")
	head := run(text, lower)
	body := run(text[head:], upper|digit)
	if head > 5 || body < 1 || body > 20 {
		return false
	}
	switch tail := text[head+body:]; {
	case tail == "":
		return true
	case strings.HasSuffix(text, "USDe"):
		return tail == "e"
	default:
		return tail[0] == '.' && made(tail[1:], lower, 1, 1)
	}
}

// isTxID takes 32 bytes in hexadecimal digits (BTC, TRON, XRP, TON, Cardano …;
// with 0x EVM, Aptos), a signature or a digest in base 58 (Solana, Sui, NEAR),
// 32 bytes in base 64 (TON), base 32 (Algorand), and the CID of a message in
// base 32 (Filecoin).
func isTxID(text string) bool {
	if cid, found := strings.CutPrefix(text, "bafy"); found {
		return made(cid, lowerBase32, 58, 58)
	}
	return made(strings.TrimPrefix(text, "0x"), hexa, 64, 64) ||
		made(text, base58, 42, 44) || made(text, base58, 80, 88) ||
		made(strings.TrimSuffix(text, "="), alnum|base64, 43, 43) ||
		made(text, base32, 52, 52)
}
