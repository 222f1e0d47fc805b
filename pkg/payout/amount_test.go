package payout_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"payout-callbacks/pkg/payout"
)

func TestParseAmount(t *testing.T) {
	for text, want := range map[string]payout.Amount{
		"0": "0", "0.0": "0", "1.10": "1.1", "1.1": "1.1", "100000": "100000", "100.00": "100", "0.000000000000000001": "0.000000000000000001",
		"123456789012345678901234567890.123456789012345678901234567890": "123456789012345678901234567890.12345678901234567890123456789",
	} {
		if got, err := payout.ParseAmount(text); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", " 1", "1 ", "+1", "-1", ".1", "1.", "01", "1,5", "1e5", "1e1000000000", "NaN", "Infinity", "0x1", "١", "1\n",
		strings.Repeat("9", 31), "0." + strings.Repeat("1", 31),
	} {
		if got, err := payout.ParseAmount(text); err == nil {
			t.Errorf("%q: got %q, want an error", text, got)
		}
	}
}

// A second implementation of both formats, by regular expressions.
func TestAmount_Format(t *testing.T) {
	parsed := regexp.MustCompile(`^(0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?$`)
	valid := regexp.MustCompile(`^([0-9]{1,31}(\.[0-9]{1,30})?)?$`)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[+-]?[0-9]{0,32}\.?[0-9]{0,32}([eE][0-9])?\n?`)).Draw(t, "text")
		if _, err := payout.ParseAmount(text); (err == nil) != parsed.MatchString(text) {
			t.Fatalf("ParseAmount(%q): got %v, want an error: %t", text, err, err == nil)
		}
		if got := payout.Amount(text).IsValid(); got != valid.MatchString(text) {
			t.Fatalf("Amount(%q).IsValid() = %t", text, got)
		}
	})
}

func TestAmount_Arithmetic(t *testing.T) {
	if got := payout.Amount("0.1").Add("0.2"); got != "0.3" {
		t.Errorf("got %s, want 0.3", got)
	}
	if got := payout.Amount("1.5").Add("0.5"); got != "2" {
		t.Errorf("got %s, want the canonical 2", got)
	}
	if payout.Amount("10").Cmp("9") != 1 || payout.Amount("").Cmp("0") != 0 {
		t.Error("amounts compare as text")
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`(0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?`).Draw(t, "amount")
		first, err := payout.ParseAmount(text)
		if err != nil {
			t.Fatal(err)
		}
		again, err := payout.ParseAmount(string(first))
		if err != nil || again != first || first.Add("0") != first {
			t.Fatalf("%s is not canonical: %s, %v, %s", first, again, err, first.Add("0"))
		}
	})
}

func TestID_SplitsInOneWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		account, id, reference := rapid.String().Draw(t, "account"), rapid.String().Draw(t, "id"), rapid.String().Draw(t, "reference")
		got := payout.NewID("pivot", payout.TypePayout, account, id, reference)
		if got.Provider() != "pivot" || got.Type() != payout.TypePayout || got.Account() != account {
			t.Fatalf("%s: got %q %q %q, want account %q", got, got.Provider(), got.Type(), got.Account(), account)
		}
		moved := payout.NewID("pivot", payout.TypePayout, account, id+"/"+reference, "")
		if reference != "" && moved == got {
			t.Fatalf("%s is the ID of two payouts", got)
		}
	})
}
