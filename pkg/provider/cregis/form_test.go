package cregis_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"payout-callbacks/pkg/provider/cregis"
)

// TestForms_SecondImplementation compares the expressions with byHand.
func TestForms_SecondImplementation(t *testing.T) {
	alphabets := []string{"0", "0123456789", "01.", hexDigits, "ABCDEF01", base58, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
		base64Std + "=_-", "abcdeABCDE0.-$@", "USDe", "0x1:", "é", " ~a\x7f\x1f", "TRX:.-0a"}
	text := rapid.Custom(func(t *rapid.T) string {
		var parts []string
		for range rapid.IntRange(1, 3).Draw(t, "parts") {
			alphabet := []rune(rapid.SampledFrom(alphabets).Draw(t, "alphabet"))
			length := rapid.SampledFrom([]int{0, 1, 1, 2, 3, 5, 6, 10, 12, 13, 16, 19, 20, 21, 25, 30, 34, 40, 43, 44, 52, 58, 64, 88, 128, 129, 257}).Draw(t, "length")
			parts = append(parts, string(rapid.SliceOfN(rapid.SampledFrom(alphabet), length, length).Draw(t, "runes")))
		}
		return strings.Join(parts, rapid.SampledFrom([]string{"", ".", "::", "-", "@", "0x"}).Draw(t, "glue"))
	})
	forms := cregis.Forms("195")
	for _, byChain := range []string{"address", "from_address", "to_address", "token_id"} {
		forms[byChain] = nil // see chain_test.go
	}
	check := func(t *rapid.T) {
		value := text.Draw(t, "value")
		for name, form := range forms {
			if name == "currency" && strings.Contains(value, "@") {
				continue // its token depends on the chain
			}
			if form != nil && form(value) != byHand[name](value) {
				t.Fatalf("%s: %q: got %t, want %t", name, value, form(value), !form(value))
			}
		}
	}
	for range 20 {
		rapid.Check(t, check)
	}
}

func TestForms_Limits(t *testing.T) {
	tests := []struct {
		name, value string
		want        bool
	}{
		{"cid", "9223372036854775807", true},
		{"cid", "9223372036854775808", false},
		{"cid", "0", false},
		{"cid", "01", false},
		{"cid", "+1", false},
		{"cid", "", false},
		{"block_height", "18446744073709551615", true},
		{"block_height", "18446744073709551616", false},
		{"block_height", "0", true},
		{"amount", "0", true},
		{"amount", "0.0", true},
		{"amount", "00.1", false},
		{"amount", ".5", false},
		{"amount", "5.", false},
		{"amount", strings.Repeat("9", 30) + "." + strings.Repeat("9", 30), true},
		{"amount", strings.Repeat("9", 31), false},
		{"amount", "1." + strings.Repeat("9", 31), false},
		{"amount", "1e3", false},
		{"status", "06", false},
		{"third_party_id", "a third_party_id of mine", true},
		{"third_party_id", strings.Repeat("x", 129), false},
		{"remark", strings.Repeat("é", 256), true},
		{"remark", strings.Repeat("é", 257), false},
		{"memo", strings.Repeat("é", 129), false},
		{"currency", "TRXfee1", false},
		{"currency", "TRXf", false},
		{"currency", "195@195", true},
		{"currency", "2510@0x55d398326f99059fF775485246999027B3197955", true},
		{"currency", "weETH", true},
		{"currency", "$WIF", true},
		{"currency", "USDT-BEP20", true},
		{"token_id", "195txid", false},
		{"txid", strings.Repeat("a", 63), false},
	}
	forms := cregis.Forms("195")
	for _, test := range tests {
		if got := forms[test.name](test.value); got != test.want {
			t.Errorf("%s: %q: got %t, want %t", test.name, test.value, got, test.want)
		}
	}
}
