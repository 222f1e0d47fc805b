package cregis_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
)

// parseFields parses the printed example with other fields.
func parseFields(t *testing.T, others map[string]any) (payout.Event, *callback.Held) {
	t.Helper()
	fields := map[string]any{
		"pid": 1382528827416576, "cid": 1391751691788288, "address": "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS", "chain_id": "195", "token_id": "195",
		"currency": "TRX", "amount": "1.1", "third_party_id": "1e0fb3a0a9454ad8928d26b592e8b3c7", "status": 6,
		"txid": "6dd05b0972075542219a3fcc116c58feaf9480f1f698cc46c4367ded83955cfd", "nonce": "ubqso3", "timestamp": 1687850657960,
	}
	maps.Copy(fields, others)
	raw, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return cregis.Provider{}.Restore(callback.NewRequest(payout.TypePayout, nil, raw), callback.Sender{Account: "1382528827416576"}).Event()
}

const (
	evm      = "0x8894E0a0c962CB723c1976a4421c95949bE2D4E3"
	hash     = "6dd05b0972075542219a3fcc116c58feaf9480f1f698cc46c4367ded83955cfd"
	tonHash  = "f1c8a3a2a0b4fbffc8b3c6d1e0a9f8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2fb"
	tonURL   = "8cijoqC0-__Is8bR4Kn4t8bV5POiscDZ6PemtcTT4vs"
	message  = "bafy2bzaceaecvxqeidqvdbnyfgtrwhdqzdqnwvtuqyjcj5g5t3yuzyhb6o5yk"
	usdtEQ   = "EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDs"
	usdtUQ   = "UQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_p0p"
	usdtRaw  = "0:b113a994b5024a16719f69139328eb759596c38a25f59028b146fecdc3621dfe"
	segwit   = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
	cash     = "qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"
	tronUSDT = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
)

func TestCanonicalAddress(t *testing.T) {
	for _, test := range []struct{ chain, text, want string }{
		{"60", evm, strings.ToLower(evm)},
		{"2510", strings.ToLower(evm), strings.ToLower(evm)},
		{"61", "0x" + strings.ToUpper(evm[2:]), strings.ToLower(evm)},
		{"999", evm, strings.ToLower(evm)}, // 0x is no base 58: the chain does not matter
		{"2307", evm, strings.ToLower(evm)},
		{"3000", "0x" + strings.ToUpper(hash), "0x" + hash},
		{"195", "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS", "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS"},
		{"1000", "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU", "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"},
		{"0", strings.ToUpper(segwit), segwit},
		{"0", "BC1" + segwit[3:], "BC1" + segwit[3:]}, // mixed case is not valid
		{"0", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"},
		{"2", "LTC1QG82U5L3Q7V8TX7D2Y0Q3QXH2X8Z3N7P4Z7J3V6", "ltc1qg82u5l3q7v8tx7d2y0q3qxh2x8z3n7p4z7j3v6"},
		{"5", "bitcoincash:" + cash, cash},
		{"5", "BITCOINCASH:" + strings.ToUpper(cash), cash},
		{"5", cash, cash},
		{"5", "1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu", "1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu"},
		{"2000", usdtEQ, usdtEQ},
		{"2000", usdtUQ, usdtEQ},
		{"2000", usdtRaw, usdtEQ},
		{"2000", "0:" + strings.ToUpper(usdtRaw[2:]), usdtEQ},
		{"2000", strings.ReplaceAll(usdtEQ, "_", "/"), usdtEQ},
		{"2000", usdtEQ[:47] + "t", usdtEQ[:47] + "t"}, // a wrong checksum
		{"2000", "1:" + usdtRaw[2:], "1:" + usdtRaw[2:]},
		{"195", usdtUQ, usdtUQ}, // unknown on another chain
		{"2307", "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za", "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za"},
		{"60", "", ""},
	} {
		got := cregis.CanonicalAddress(test.chain, test.text)
		if got != test.want {
			t.Errorf("chain %s: %s is %s, want %s", test.chain, test.text, got, test.want)
		}
		if again := cregis.CanonicalAddress(test.chain, got); again != got {
			t.Errorf("chain %s: %s becomes %s when done again", test.chain, got, again)
		}
	}
}

func TestCanonicalToken(t *testing.T) {
	for _, test := range []struct{ chain, text, want string }{
		{"195", "195", "195"},
		{"195", "0195", "195"},
		{"0", "0", "0"},
		{"0", "00", "0"},
		{"60", "0xDAC17F958D2ee523a2206206994597C13D831ec7", "0xdac17f958d2ee523a2206206994597c13d831ec7"},
		{"195", tronUSDT, tronUSDT},
		{"2000", usdtUQ, usdtEQ},
		{"3000", "0xA" + hash[1:] + "::usdC::USDC", "0xa" + hash[1:] + "::usdC::USDC"},
	} {
		if got := cregis.CanonicalToken(test.chain, test.text); got != test.want {
			t.Errorf("chain %s: %s is %s, want %s", test.chain, test.text, got, test.want)
		}
	}
}

func TestCanonicalTxID(t *testing.T) {
	const base58 = "5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnbJLgp8uirBgmQpjKhoR4tjF3ZpRzrFmBV6UjKdiSZkQUW"
	for _, test := range []struct{ chain, to, text, want string }{
		{"60", evm, hash, "0x" + hash},
		{"60", evm, "0x" + strings.ToUpper(hash), "0x" + hash},
		{"999", evm, hash, "0x" + hash},
		{"195", "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS", "0x" + strings.ToUpper(hash), hash},
		{"144", "rN7n7otQDd6FczFgLdSqtcsAUxDkw6fzRH", strings.ToUpper(hash), hash},
		{"2307", "f01234", strings.ToUpper(hash), "0x" + hash},
		{"2307", "f01234", message, message},
		{"1000", "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU", base58, base58},
		{"2000", usdtEQ, tonURL, tonHash},
		{"2000", usdtEQ, tonURL + "=", tonHash},
		{"2000", usdtEQ, strings.NewReplacer("-", "+", "_", "/").Replace(tonURL) + "=", tonHash},
		{"2000", usdtEQ, strings.ToUpper(tonHash), tonHash},
		{"195", "", tonURL, tonURL},
		{"60", evm, "", ""},
	} {
		if got := cregis.CanonicalTxID(test.chain, test.to, test.text); got != test.want {
			t.Errorf("chain %s: %s is %s, want %s", test.chain, test.text, got, test.want)
		}
	}
}

func TestParse_FilecoinMessageID(t *testing.T) {
	fields := map[string]any{"chain_id": "2307", "token_id": "2307", "currency": "Filecoin", "address": recipients["2307"]}
	for text, isID := range map[string]bool{
		message: true, "0x" + hash: true, hash: true,
		message[:61]: false, message + "a": false, strings.ToUpper(message): false, "bafy" + strings.Repeat("1", 58): false,
	} {
		fields["txid"] = text
		if _, held := parseFields(t, fields); (held == nil) != isID {
			t.Errorf("%s: held %+v, want an id: %t", text, held, isID)
		}
	}
}
