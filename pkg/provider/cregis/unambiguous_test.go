package cregis_test

import (
	"regexp"
	"strings"
	"testing"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
)

// A name before the beginning of its value is held in texts that people write.
func TestParse_NameBeforeValueInFreeText(t *testing.T) {
	tests := []struct {
		text string
		held bool
	}{
		{"status6", true},
		{"xstatus6y", true},
		{"status 6", false},
		{"status", false},
		{"rapid1", true},
		{"rapid transfer", false},
		{"cid9", true},
		{"amount1.1", true},
		{"amounts", false},
		{"chain_id195", true},
		{"block_height1", true},
		{"block_time0", true},
		{"timestamp1", true},
		{"nonceabcdef", true},
		{"nonceabcde", false},
		{"nonce abcdef", false},
		{"addressTXsmKpEuW7qWnXzJLGP9", true},
		{"addressTXsmKpEuW7qWnXzJLGP", false},
		{"addressf01", true},
		{"addresses", false},
		{"to_address0xdac17f958d2ee523a2206206994597c13d831ec7", true},
		{"currencyTRX", true},
		{"currency$WIF", true},
		{"currency: TRX", false},
		{"txid6dd05b", true},
		{"txid: 6dd05b", false},
		{"token_id195", true},
		{"statu", true},
		{"status of status6", true},
		{"statustatus6", true},
	}
	for _, test := range tests {
		for _, name := range []string{"remark", "memo", "third_party_id"} {
			_, held := parsePairs(cregis.Provider{}, payout.TypePayout, changed(payoutPairs, pair{name, test.text}))
			if (held != nil) != test.held || held != nil && held.Reason != callback.ReasonAmbiguous {
				t.Errorf("%s %q: held %v, want %t", name, test.text, held, test.held)
			}
		}
	}
}

func TestParse_ReferenceNameInFreeText(t *testing.T) {
	for name, want := range map[string]bool{"remark": true, "memo": true, "third_party_id": false} {
		_, held := parsePairs(cregis.Provider{}, payout.TypePayout, changed(payoutPairs, pair{name, "a third_party_id"}))
		if (held != nil) != want {
			t.Errorf("%s: held %v, want %t", name, held, want)
		}
	}
}

func TestParse_NameInFormattedValue(t *testing.T) {
	for _, change := range []pair{
		{"address", "TXsmemopEuW7qWnXzJLGP9eDLvWPR2GRn1"}, {"address", "TXsmKpEuW7qWntxidLGP9eDLvWPR2GRn1F"}, {"currency", "memo"},
	} {
		_, held := parsePairs(cregis.Provider{}, payout.TypePayout, changed(payoutPairs, change))
		if held == nil || held.Reason != callback.ReasonAmbiguous && held.Reason != callback.ReasonField {
			t.Errorf("%v: held %v", change, held)
		}
	}
}

// A currency is held if it could end elsewhere before another field: "uni" before a
// field isw…, "pepem" before a field emo….
func TestParse_ValueWithAnotherEnd(t *testing.T) {
	for currency, want := range map[string]callback.Reason{
		"pepe": "", "uniswap": callback.ReasonAmbiguous, "shiba": "", "abifoo": callback.ReasonAmbiguous, "USDe": "", "stETH": "",
	} {
		if _, held := parsePairs(cregis.Provider{}, payout.TypePayout, changed(payoutPairs, pair{"currency", currency})); reasonOf(held) != want {
			t.Errorf("%s: held %v, want %q", currency, held, want)
		}
	}
	_, held := parsePairs(cregis.Provider{}, payout.TypePayout, changed(payoutPairs, pair{"currency", "pepe"}, pair{"memo", "5"}))
	if reasonOf(held) != callback.ReasonAmbiguous {
		t.Errorf("pepe before a memo: held %v", held)
	}
}

// A field without a value is not signed. Any other undocumented field is held until
// the parameter CregisKnownFields names it.
func TestParse_UnknownField(t *testing.T) {
	body := func(value string) []byte {
		return []byte(strings.Replace(string(bodyOf(payoutPairs)), "{", `{"sub_status":`+value+`,`, 1))
	}
	for value, want := range map[string]callback.Reason{
		`""`: "", "null": "", `"x"`: callback.ReasonUnknownField, "0": callback.ReasonUnknownField, "false": callback.ReasonUnknownField,
	} {
		_, held := cregis.Provider{}.Restore(callback.NewRequest(payout.TypePayout, nil, body(value)), callback.Sender{}).Event()
		if got := reasonOf(held); got != want {
			t.Errorf("%s: held for %q, want %q", value, got, want)
		}
		known := cregis.New([]string{"fee", "sub_status"}, nil)
		if _, held := known.Restore(callback.NewRequest(payout.TypePayout, nil, body(value)), callback.Sender{}).Event(); held != nil {
			t.Errorf("%s, known: held %v", value, held)
		}
	}
}

func reasonOf(held *callback.Held) callback.Reason {
	if held == nil {
		return ""
	}
	return held.Reason
}

// A known field is a free text, and its name must not occur in the others.
func TestParse_KnownField(t *testing.T) {
	known := cregis.New([]string{"fee", "from_address", "amount"}, nil)
	tests := map[string]struct {
		changes []pair
		reason  callback.Reason
	}{
		"any text":                          {[]pair{{"fee", "1.5 USDT, see status"}}, ""},
		"a name before its value":           {[]pair{{"fee", "1.5status6"}}, callback.ReasonAmbiguous},
		"its own name":                      {[]pair{{"fee", "fee5"}}, ""},
		"its name in a remark":              {[]pair{{"remark", "fee5"}}, callback.ReasonAmbiguous},
		"its name as a word":                {[]pair{{"remark", "no fee. fee paid, fee: 5"}}, ""},
		"of another kind of message":        {[]pair{{"from_address", "TVjsyZ7fYF3qLF6BQgPmTEZy1xrNNyVAAA"}}, ""},
		"of another kind, without a form":   {[]pair{{"from_address", "x"}}, callback.ReasonField},
		"a documented field keeps its form": {[]pair{{"amount", "x"}}, callback.ReasonField},
		"another field":                     {[]pair{{"fees", "1"}}, callback.ReasonUnknownField},
	}
	for name, test := range tests {
		event, held := parsePairs(known, payout.TypePayout, changed(payoutPairs, test.changes...))
		if got := reasonOf(held); got != test.reason {
			t.Errorf("%s: held %v, want %q", name, held, test.reason)
		}
		if plain, _ := parsePairs(cregis.Provider{}, payout.TypePayout, payoutPairs); held == nil && event != plain {
			t.Errorf("%s: the event is %+v", name, event)
		}
	}
}

func TestParse_ReferencePattern(t *testing.T) {
	provider := cregis.New(nil, regexp.MustCompile(`\A(?:PAY-[0-9]+|é*)\z`))
	for reference, want := range map[string]callback.Reason{
		"PAY-7": "", "PAY-7x": callback.ReasonField, "é": "", strings.Repeat("é", 129): callback.ReasonField,
	} {
		event, held := parsePairs(provider, payout.TypePayout, changed(payoutPairs, pair{"third_party_id", reference}))
		if got := reasonOf(held); got != want || held == nil && event.Reference != reference {
			t.Errorf("%.10s: held %v, want %q", reference, held, want)
		}
	}
}
