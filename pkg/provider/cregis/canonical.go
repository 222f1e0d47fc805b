package cregis

import (
	b64 "encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// Canonical forms: an address, a token or a transaction id has one spelling in an
// event, by the rules of its chain, so that two spellings are not a conflict. The
// receipt keeps the body as it was sent. A text stays as it is if its case is
// significant (base 58) or its spelling is unknown.

// The chains with special rules, by Cregis's numbers.
const (
	chainBitcoin     = "0"
	chainLitecoin    = "2"
	chainBitcoinCash = "5"
	chainTON         = "2000"
	chainFilecoin    = "2307"
)

// canonicalNumber returns a number without leading zeros.
func canonicalNumber(text string) string {
	if trimmed := strings.TrimLeft(text, "0"); trimmed != "" {
		return trimmed
	}
	return "0"
}

// canonicalAddress returns an address in the canonical form of its chain. On a chain that
// Cregis's list does not have, or if the chain is not known (""), it recognizes the
// spellings that no other kind of address has, so that an expectation without a chain has
// the form of the callback.
func canonicalAddress(chain, text string) string {
	switch _, isListed := chainForms[chain]; {
	case isHexNumber(text):
		return strings.ToLower(text) // the case is at most a checksum (EIP-55)
	case chain == chainTON:
		return canonicalTON(text)
	case chain == chainBitcoinCash:
		return canonicalCash(text)
	case chain == chainBitcoin || chain == chainLitecoin:
		return canonicalBech32(text)
	case !isListed:
		return canonicalBech32(canonicalCash(canonicalTON(text)))
	}
	return text
}

// canonicalToken returns a token in the canonical form of its chain. In a
// type such as 0x2::sui::SUI, only the address is a number.
func canonicalToken(chain, text string) string {
	if isDigits(text) {
		return canonicalNumber(text)
	}
	address, kind, isType := strings.Cut(text, "::")
	if address = canonicalAddress(chain, address); isType {
		return address + "::" + kind
	}
	return address
}

// canonicalTxID returns the id of a transaction to a recipient in canonical form:
// 32 bytes in lower-case hexadecimal digits, with 0x if the recipient's address has
// it. Ids of other forms stay as they are.
func canonicalTxID(chain, to, text string) string {
	digits := strings.TrimPrefix(text, "0x")
	switch isEVM := isHexNumber(to) && len(to) == len("0x")+40; {
	case chain == chainTON && !isHash(digits):
		return canonicalHash(text)
	case !isHash(digits):
		return text
	case isEVM, chain == chainFilecoin:
		return "0x" + strings.ToLower(digits)
	}
	return strings.ToLower(digits)
}

var (
	isHash      = matching(`[0-9a-fA-F]{64}`)
	isHexNumber = matching(`0x[0-9a-fA-F]+`)
	isCashAddr  = matching(`[qp][a-z0-9]{41}`)
)

// canonicalBech32 returns an address of BIP 173 in lower case. An address in mixed
// case is not valid and stays as it is, like addresses in base 58.
func canonicalBech32(text string) string {
	lower := strings.ToLower(text)
	if text != strings.ToUpper(text) {
		return text
	}
	for _, prefix := range []string{"bc1", "tb1", "bcrt1", "ltc1", "tltc1", "rltc1"} {
		if strings.HasPrefix(lower, prefix) {
			return lower
		}
	}
	return text
}

// canonicalCash returns a CashAddr in lower case without its optional prefix.
func canonicalCash(text string) string {
	short := text
	if _, address, hasPrefix := strings.Cut(text, ":"); hasPrefix {
		short = address
	}
	lower := strings.ToLower(short)
	if short != lower && short != strings.ToUpper(short) || !isCashAddr(lower) {
		return text
	}
	return lower
}

// The parts of a TON address: a tag, the workchain, the account, a checksum.
const (
	tonAccount     = 2
	tonChecksum    = tonAccount + 32
	tonSize        = tonChecksum + 2
	tonBounceable  = 0x11
	tonUnbounced   = 0x51
	tonTestnetFlag = 0x80
)

// canonicalTON returns the bounceable URL-safe form of an address on TON, which
// explorers show. Other spellings of an account have no bounce flag, use the other
// base 64, or are workchain:account.
func canonicalTON(text string) string {
	address, ok := decodeTON(text)
	if !ok {
		return text
	}
	address[0] = tonBounceable | address[0]&tonTestnetFlag
	binary.BigEndian.PutUint16(address[tonChecksum:], crc16(address[:tonChecksum]))
	return b64.URLEncoding.EncodeToString(address[:])
}

// decodeTON decodes an address. It reports false for any other text and for a wrong
// checksum.
func decodeTON(text string) (address [tonSize]byte, ok bool) {
	if workchain, account, isRaw := strings.Cut(text, ":"); isRaw {
		return decodeRawTON(workchain, account)
	}
	if len(text) != b64.URLEncoding.EncodedLen(tonSize) {
		return address, false
	}
	n, err := b64.URLEncoding.Decode(address[:], []byte(strings.NewReplacer("+", "-", "/", "_").Replace(text)))
	if err != nil || n != tonSize {
		return address, false
	}
	tag := address[0] &^ tonTestnetFlag
	isValid := binary.BigEndian.Uint16(address[tonChecksum:]) == crc16(address[:tonChecksum])
	return address, isValid && (tag == tonBounceable || tag == tonUnbounced)
}

// decodeRawTON decodes an address of the form workchain:account.
func decodeRawTON(workchain, account string) (address [tonSize]byte, ok bool) {
	switch workchain {
	case "0":
	case "-1":
		address[1] = 0xff
	default:
		return address, false
	}
	if !isHash(account) {
		return address, false
	}
	_, err := hex.Decode(address[tonAccount:tonChecksum], []byte(account))
	return address, err == nil
}

// crc16 returns the checksum of TON's addresses: CRC-16/XMODEM.
func crc16(data []byte) uint16 {
	var sum uint16
	for _, b := range data {
		sum ^= uint16(b) << 8
		for range 8 {
			carry := sum & 0x8000
			sum <<= 1
			if carry != 0 {
				sum ^= 0x1021
			}
		}
	}
	return sum
}

// canonicalHash returns the hexadecimal digits of a hash of TON, which can also be
// written in base 64.
func canonicalHash(text string) string {
	text, original := strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(text, "=")), text
	hash, err := b64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(hash) != 32 {
		return original
	}
	return hex.EncodeToString(hash)
}
