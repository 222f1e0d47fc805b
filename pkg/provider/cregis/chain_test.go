package cregis_test

import (
	"testing"

	"payout-callbacks/pkg/provider/cregis"
)

// Addresses and tokens have the form of their chain; on a chain that Cregis's list
// does not contain, any known form of 20 characters or more.
func TestForms_ByChain(t *testing.T) {
	const evm, tron = "0xdAC17F958D2ee523a2206206994597C13D831ec7", "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS"
	accepted := map[string][]string{
		"0": {
			"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
			"bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc",
		},
		"2":    {"LaMT348PWRnrqeeWArpwQPbuanpXDZGEUz", "ltc1qg42tkwuuxefutzxezdkdel39gfstuap288mfea", "M8T1B2Z97gVdvmfkQcAtYbEepune1tzGua"},
		"3":    {"DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L"},
		"5":    {"bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a", "qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"},
		"60":   {evm},
		"2510": {evm},
		"144":  {"rhAZ673nG6fSXovPAkw3EcrhKyWwXducoi", "XV5sbjUmgPpvXv4ixFWZ5ptAYZ6PD2gYsjNFQLKYW33DzBm"},
		"195":  {tron},
		"1000": {"7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"},
		"2000": {
			"EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDs", "UQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_p0p",
			"0:b113a994b5024a16719f69139328eb759596c38a25f59028b146fecdc3621dfe",
		},
		"2307": {"f01234", "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za", "f410fkkld55ioe7qg24wvt7fu6pbknb56ht7pt4zamxa", evm},
		"3000": {"0x02a212de6a9dfa3a69e22387acfbafbb1a9e591bd9d636e7895dcfc8de05f331"},
		"999":  {evm, tron, "rhAZ673nG6fSXovPAkw3EcrhKyWwXducoi", "GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7", "cosmos1fl48vsnmsdzcv85q5d2q4z5ajdha8yu34mf0eh"},
	}
	refused := map[string][]string{
		"0":  {tron, evm, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNaage5", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdqage5"},
		"60": {tron, evm + "age5", evm[:41], "dAC17F958D2ee523a2206206994597C13D831ec7"}, "144": {tron}, "195": {evm, tron + "age5", tron[:33]},
		"1000": {evm}, "2000": {tron, evm}, "2307": {tron, "f0", "f0x"}, "3000": {evm},
		"999": {"f01234", "x", "a new kind of address", "TXsmKpEuW7qWnXzJLGP"}, "": {"f01234"},
	}
	check := func(addresses map[string][]string, want bool) {
		for chain, texts := range addresses {
			for _, text := range texts {
				for _, name := range []string{"address", "from_address", "to_address"} {
					if got := cregis.Forms(chain)[name](text); got != want {
						t.Errorf("chain %s, %s %s: accepted %t, want %t", chain, name, text, got, want)
					}
				}
			}
		}
	}
	check(accepted, true)
	check(refused, false)
}

func TestForms_TokenByChain(t *testing.T) {
	tests := []struct {
		chain, token string
		want         bool
	}{
		{"60", "60", true},
		{"60", "0xdac17f958d2ee523a2206206994597c13d831ec7", true},
		{"60", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", false},
		{"195", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", true},
		{"195", "1002000", true},
		{"195", "195txid", false},
		{"0", "0", true},
		{"0", "USDT", false},
		{"144", "USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B", true},
		{"1000", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", true},
		{"2000", "EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDs", true},
		{"3000", "0x2::sui::SUI", true},
		{"999", "ibc:0123456789abcdef", true},
		{"999", "any text", false},
	}
	for _, test := range tests {
		if got := cregis.Forms(test.chain)["token_id"](test.token); got != test.want {
			t.Errorf("chain %s, token %s: accepted %t, want %t", test.chain, test.token, got, test.want)
		}
	}
}
