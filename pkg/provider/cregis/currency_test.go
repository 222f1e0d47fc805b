package cregis_test

import (
	"os"
	"strings"
	"testing"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
)

// row is a line of our copy of the published list.
type row struct{ name, chain, token, symbol string }

func publishedRows(t *testing.T) []row {
	t.Helper()
	list, err := os.ReadFile("currencies.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for line := range strings.SplitSeq(strings.TrimSpace(string(list)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Split(line, "\t")
		if len(columns) != 5 || columns[4] == "" {
			t.Fatalf("%q: want name, chain_id, token_id, decimals, symbol", line)
		}
		rows = append(rows, row{columns[0], columns[1], columns[2], columns[4]})
	}
	if len(rows) != 44 {
		t.Fatalf("%d currencies, want the 42 of the published list and 2 of its edition of 2023", len(rows))
	}
	return rows
}

// spellings returns the ways in which a callback can name the currency of a row.
func (r row) spellings() []string {
	first, network, _ := strings.Cut(r.name, "-")
	spellings := []string{
		r.name, r.symbol, strings.ToLower(r.symbol), r.name + "#Shasta", r.symbol + "#Sepolia2",
		r.chain + "@" + r.token, r.chain + "@" + r.token + "#Testnet", "0" + r.chain + "@" + r.token,
	}
	if hex, found := strings.CutPrefix(r.token, "0x"); found {
		spellings = append(spellings, r.chain+"@0x"+strings.ToUpper(hex))
	}
	if strings.ToUpper(first) == first {
		spellings = append(spellings, first)
	}
	if network != "" && r.name != "Avalanche-C" {
		spellings = append(spellings, r.symbol+"-"+network)
	}
	return spellings
}

// recipients are addresses by chain, as explorers show them.
var recipients = map[string]string{
	"0": "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "2": "LaMT348PWRnrqeeWArpwQPbuanpXDZGEUz",
	"3": "DBXu2kgc3xtvCUWFcxFE3r9hEYgmuaaCyD", "5": "qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
	"144": "rN7n7otQDd6FczFgLdSqtcsAUxDkw6fzRH", "195": "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS",
	"1000": "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU", "2000": "EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDs",
	"2307": "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za", "3000": "0x" + strings.Repeat("5a", 32),
}

func (r row) fields() map[string]any {
	to, ok := recipients[r.chain]
	if !ok {
		to = "0x8894e0a0c962cb723c1976a4421c95949be2d4e3"
	}
	return map[string]any{"chain_id": r.chain, "token_id": r.token, "currency": r.name, "address": to}
}

func TestCurrency_PublishedNames(t *testing.T) {
	for _, r := range publishedRows(t) {
		t.Run(r.name, func(t *testing.T) {
			var record payout.Record
			fields := r.fields()
			for _, spelling := range r.spellings() {
				fields["currency"] = spelling
				event, held := parseFields(t, fields)
				if held != nil {
					t.Errorf("%q is held for %s: %s", spelling, held.Reason, held.Note)
					continue
				}
				want := r.symbol
				if strings.Contains(spelling, "@") {
					want = "" // it states chain and token, and no currency
				}
				if event.Currency != want || event.Chain != r.chain || event.Token != r.token {
					t.Errorf("%q is %q on %q, token %q, want %q on %q, token %q", spelling,
						event.Currency, event.Chain, event.Token, want, r.chain, r.token)
				}
				record, _ = record.Apply(event)
			}
			if fields := record.Conflicts(); len(fields) != 0 || record.Value(payout.FieldCurrency) != r.symbol {
				t.Errorf("the spellings conflict in %v; currency %q", fields, record.Value(payout.FieldCurrency))
			}
		})
	}
}

func TestCurrency_DifferentAssetsStayDifferent(t *testing.T) {
	rows := publishedRows(t)
	assets := map[string]string{}
	for _, r := range rows {
		asset := r.chain + "@" + r.token
		if other, ok := assets[asset]; ok && other != r.symbol {
			t.Errorf("%s is %s and %s", asset, other, r.symbol)
		}
		assets[asset] = r.symbol
	}
	for _, row := range rows {
		for _, other := range rows {
			for _, spelling := range other.spellings() {
				got, ok := cregis.FindSymbol(row.chain, row.token, spelling)
				isBare := !strings.ContainsAny(spelling, "- ") || strings.Contains(spelling, "#")
				switch {
				case ok && got == row.symbol && other.symbol != row.symbol:
					t.Errorf("%q of %s is read as %s", spelling, other.name, row.name)
				case ok && !isBare && other.chain != row.chain:
					t.Errorf("%q of chain %s is %q on chain %s", spelling, other.chain, got, row.chain)
				}
			}
		}
	}
}

func TestCurrency_UnlistedNames(t *testing.T) {
	for name, test := range map[string]struct {
		chain, token, text, want string
		isMismatch               bool
	}{
		"a symbol":                            {"195", "195", "JST", "JST", false},
		"a bridged token is another currency": {"60", "60", "USDC.e", "USDC.e", false},
		"a staked one":                        {"60", "60", "stETH", "stETH", false},
		"a network that we know":              {"2510", "2510", "DAI-BEP20", "DAI", false},
		"a network with lower-case letters":   {"62", "62", "DAI-Polygon", "DAI", false},
		"a network that we do not know":       {"900", "900", "USDT-LINEA", "USDT", false},
		"a network of another chain":          {"195", "195", "DAI-ERC20", "", true},
		"a name of another chain":             {"60", "60", "Solana", "", true},
		"a symbol that is a name elsewhere":   {"60", "60", "TON", "TON", false},
		"a token of another chain":            {"60", "60", "195@195", "", true},
		"another token":                       {"195", "195", "195@TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "", true},
		"a sandbox on its own chain":          {"9195", "9195", "USDT-TRC20#Shasta", "USDT", false},
	} {
		t.Run(name, func(t *testing.T) {
			fields := row{chain: test.chain, token: test.token, name: test.text}.fields()
			event, held := parseFields(t, fields)
			isMismatch := held != nil && held.Reason == callback.ReasonMismatch
			if isMismatch != test.isMismatch || held != nil && !isMismatch || event.Currency != test.want {
				t.Errorf("%q is %q, held %+v; want %q, mismatch %t", test.text, event.Currency, held, test.want, test.isMismatch)
			}
		})
	}
	for _, text := range []string{"bitcoin Cash", "Bitcoin cash", "Bitcoin  Cash", "Bitcoin#", "TRON#a b", "TRON##a", "#Shasta", "USDT-", "-TRC20", "USDT-polygon", "A B", "195@", "@195", "195@195@1"} {
		if event, held := parseFields(t, map[string]any{"currency": text}); held == nil || held.Reason != callback.ReasonField {
			t.Errorf("%q is %q, held %+v; want it held for %s", text, event.Currency, held, callback.ReasonField)
		}
	}
}
