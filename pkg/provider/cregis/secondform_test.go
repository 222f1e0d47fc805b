package cregis_test

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// byHand is the second implementation of the forms that are written alike on
// all chains, by field.
var byHand = map[string]func(string) bool{
	"amount": func(text string) bool {
		whole, fraction, hasPoint := strings.Cut(text, ".")
		if !consistsOf(whole, digits, 1, 30) || len(whole) > 1 && whole[0] == '0' {
			return false
		}
		return !hasPoint || consistsOf(fraction, digits, 1, 30)
	},
	"block_height": func(text string) bool {
		_, err := strconv.ParseUint(text, 10, 64)
		return err == nil && consistsOf(text, digits, 1, 20)
	},
	"block_time":     func(text string) bool { return text == "0" || consistsOf(text, digits, 10, 16) },
	"chain_id":       func(text string) bool { return consistsOf(text, digits, 1, 20) },
	"cid":            isByHandID,
	"currency":       isByHandCurrency,
	"memo":           func(text string) bool { return utf8.RuneCountInString(text) <= 128 },
	"nonce":          func(text string) bool { return consistsOf(text, alnums, 6, 6) },
	"pid":            isByHandID,
	"remark":         func(text string) bool { return utf8.RuneCountInString(text) <= 256 },
	"status":         func(text string) bool { return consistsOf(text, "2467", 1, 1) },
	"third_party_id": func(text string) bool { return consistsOf(text, printables, 1, 128) },
	"timestamp":      func(text string) bool { return consistsOf(text, digits, 13, 13) },
	"txid": func(text string) bool {
		cid, isCID := strings.CutPrefix(text, "bafy")
		return isCID && consistsOf(cid, lowers+"234567", 58, 58) ||
			consistsOf(strings.TrimPrefix(text, "0x"), mixedDigits, 64, 64) ||
			consistsOf(text, base58, 42, 44) || consistsOf(text, base58, 80, 88) ||
			consistsOf(strings.TrimSuffix(text, "="), alnums+"+/-_", 43, 43) ||
			consistsOf(text, uppers+"234567", 52, 52)
	},
}

const (
	lowers     = "abcdefghijklmnopqrstuvwxyz"
	uppers     = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	printables = alnums + " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)

// consistsOf reports whether text has between least and most bytes, all of them
// among the characters.
func consistsOf(text, characters string, least, most int) bool {
	return len(text) >= least && len(text) <= most && prefixLen(text, characters) == len(text)
}

// prefixLen returns the number of bytes at the beginning that are among the
// characters.
func prefixLen(text, characters string) int {
	for i := range len(text) {
		if strings.IndexByte(characters, text[i]) < 0 {
			return i
		}
	}
	return len(text)
}

func isByHandID(text string) bool {
	const largest = "9223372036854775807"
	return consistsOf(text, digits, 1, 19) && text[0] != '0' && (len(text) < len(largest) || text <= largest)
}

// isByHandCurrency does not know chain@token, which depends on the chain.
func isByHandCurrency(text string) bool {
	name, network, isSandbox := strings.Cut(text, "#")
	switch {
	case isSandbox && !consistsOf(network, alnums, 1, 20):
		return false
	case strings.Contains(published, "|"+name+"|"):
		return true
	}
	symbol, network, hasNetwork := strings.Cut(name, "-")
	if hasNetwork && !consistsOf(network, uppers+digits, 1, 20) && !strings.Contains(networks, "|"+network+"|") {
		return false
	}
	return isByHandSymbol(symbol)
}

const (
	published = `|Bitcoin|Bitcoin Cash|Ethereum|Ethereum Classic|Uniswap-ERC20|ChainLink-ERC20|Dogecoin|Litecoin|Arbitrum One|Optimism|Avalanche-C|Base|Solana|Filecoin|`
	networks  = `|Polygon|Arbitrum One|Optimism|Avalanche-C|Base|Solana|Jetton|Ripple|`
)

func isByHandSymbol(text string) bool {
	if consistsOf(text, lowers, 2, 12) {
		return true
	}
	text = strings.TrimPrefix(text, "$")
	head := prefixLen(text, lowers)
	body := prefixLen(text[head:], uppers+digits)
	if head > 5 || body < 1 || body > 20 {
		return false
	}
	switch tail := text[head+body:]; {
	case tail == "":
		return true
	case strings.HasSuffix(text, "USDe"):
		return tail == "e"
	default:
		return tail[0] == '.' && consistsOf(tail[1:], lowers, 1, 1)
	}
}
