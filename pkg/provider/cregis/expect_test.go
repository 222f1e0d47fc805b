package cregis_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/reconcile"
)

// ordered is the expectation of the printed callback.
func ordered() reconcile.Expectation {
	return reconcile.Expectation{
		Provider: "cregis", Type: "payout", Account: project, ID: "1391751691788288", Reference: "1e0fb3a0a9454ad8928d26b592e8b3c7",
		Amount: "1.10", Currency: "195@195", To: "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS",
	}
}

func expect(t *testing.T, e reconcile.Expectation) payout.Event {
	t.Helper()
	event, err := cregis.Provider{}.Expect(e)
	if err != nil {
		t.Fatal(err)
	}
	return event
}

func TestExpect(t *testing.T) {
	withID := payout.Event{
		ID: "cregis/payout/" + project + "/1391751691788288", Source: payout.SourceExpectation, Status: payout.Expected,
		Reference: "1e0fb3a0a9454ad8928d26b592e8b3c7", Amount: "1.1", Chain: "195", Token: "195", To: "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS",
	}
	if difference := cmp.Diff(withID, expect(t, ordered())); difference != "" {
		t.Error(difference)
	}
	early := ordered()
	early.Type, early.ID, early.Reference, early.Memo = "sub-address-payout", "", "PAY/1", "7"
	withoutID := withID
	withoutID.ID, withoutID.Reference, withoutID.Memo = "cregis/sub-address-payout/"+project+"//PAY%2F1", "PAY/1", "7"
	if difference := cmp.Diff(withoutID, expect(t, early)); difference != "" {
		t.Error(difference)
	}
	least := expect(t, reconcile.Expectation{Type: "payout", Account: project, ID: "1"})
	if want := (payout.Event{ID: "cregis/payout/" + project + "/1", Source: payout.SourceExpectation, Status: payout.Expected}); least != want {
		t.Errorf("%+v, want %+v", least, want)
	}
}

func TestExpect_BadFields(t *testing.T) {
	for name, test := range map[string]struct {
		field  string
		change func(*reconcile.Expectation)
	}{
		"no type":                    {"type", func(e *reconcile.Expectation) { e.Type = "" }},
		"Pivot's type":               {"type", func(e *reconcile.Expectation) { e.Type = "single" }},
		"a batch":                    {"type", func(e *reconcile.Expectation) { e.Type = "batch" }},
		"no account":                 {"account", func(e *reconcile.Expectation) { e.Account = "" }},
		"an account with a zero":     {"account", func(e *reconcile.Expectation) { e.Account = "01" }},
		"a merchant":                 {"account", func(e *reconcile.Expectation) { e.Account = "922e39ab-7565-49f6-b84f-fb56122821ae" }},
		"an id of text":              {"id", func(e *reconcile.Expectation) { e.ID = "x" }},
		"an id above int64":          {"id", func(e *reconcile.Expectation) { e.ID = "9223372036854775808" }},
		"neither id nor reference":   {"reference", func(e *reconcile.Expectation) { e.ID, e.Reference = "", "" }},
		"a reference with a tab":     {"reference", func(e *reconcile.Expectation) { e.Reference = "a\tb" }},
		"a long reference":           {"reference", func(e *reconcile.Expectation) { e.Reference = strings.Repeat("a", 129) }},
		"an amount with a sign":      {"amount", func(e *reconcile.Expectation) { e.Amount = "-1" }},
		"an amount with an exponent": {"amount", func(e *reconcile.Expectation) { e.Amount = "1e9" }},
		"an amount with a comma":     {"amount", func(e *reconcile.Expectation) { e.Amount = "1,1" }},
		"a currency with a space":    {"currency", func(e *reconcile.Expectation) { e.Currency = "Unknown Coin" }},
		"a chain without a token":    {"currency", func(e *reconcile.Expectation) { e.Currency = "195@" }},
		"a recipient with a space":   {"to", func(e *reconcile.Expectation) { e.To = "T 1" }},
		"a long recipient":           {"to", func(e *reconcile.Expectation) { e.To = strings.Repeat("1", 129) }},
		"a memo with a line":         {"memo", func(e *reconcile.Expectation) { e.Memo = "a\nb" }},
		"a long memo":                {"memo", func(e *reconcile.Expectation) { e.Memo = strings.Repeat("é", 129) }},
		"items":                      {"items", func(e *reconcile.Expectation) { e.Items = 2 }},
	} {
		t.Run(name, func(t *testing.T) {
			e := ordered()
			test.change(&e)
			event, err := cregis.Provider{}.Expect(e)
			problem, ok := errors.AsType[*reconcile.FieldError](err)
			if !ok || problem.Field != test.field || event != (payout.Event{}) {
				t.Errorf("%+v, %v, want an error that names %s", event, err, test.field)
			}
		})
	}
}

// What a team orders is in no conflict with its callback, however both spell the
// currency, and whichever comes first.
func TestExpect_CurrencySpellings(t *testing.T) {
	for _, row := range publishedRows(t) {
		for _, stated := range row.spellings() {
			fields := row.fields()
			fields["currency"] = stated
			event, held := parseFields(t, fields)
			if held != nil {
				t.Fatalf("%s: %s", stated, held.Note)
			}
			for _, spelling := range row.spellings() {
				e := ordered()
				e.Currency, e.To = spelling, fields["address"].(string)
				checkAgreement(t, spelling+" and "+stated, expect(t, e), event)
			}
		}
	}
}

// TON and SUI are published names, and symbols of tokens on other chains.
func TestExpect_SymbolsOfOtherChains(t *testing.T) {
	for _, symbol := range []string{"TON", "SUI", "ABC"} {
		event, held := parseFields(t, map[string]any{"chain_id": "2510", "token_id": strings.ToLower(evm), "currency": symbol, "address": evm})
		if held != nil {
			t.Fatal(held.Note)
		}
		e := ordered()
		e.Currency, e.To = symbol, evm
		checkAgreement(t, symbol, expect(t, e), event)
	}
}

// The recipient of an expectation without a chain has the form of the callback.
func TestExpect_RecipientSpellings(t *testing.T) {
	for chain, spellings := range map[string][]string{
		"0":    {segwit, strings.ToUpper(segwit)},
		"2":    {"ltc1qg82u5l3q7v8tx7d2y0q3qxh2x8z3n7p4z7j3v6", "LTC1QG82U5L3Q7V8TX7D2Y0Q3QXH2X8Z3N7P4Z7J3V6"},
		"5":    {cash, "bitcoincash:" + cash, "BITCOINCASH:" + strings.ToUpper(cash)},
		"60":   {evm, strings.ToLower(evm), "0x" + strings.ToUpper(evm[2:])},
		"195":  {tronUSDT},
		"1000": {"7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"},
		"2000": {usdtEQ, usdtUQ, usdtRaw, "0:" + strings.ToUpper(usdtRaw[2:])},
		"3000": {"0x" + hash, "0x" + strings.ToUpper(hash)},
		"9999": {usdtEQ, usdtUQ, usdtRaw}, // a chain of the sandbox
		"9998": {segwit, strings.ToUpper(segwit)},
	} {
		for _, stated := range spellings {
			for _, spelling := range spellings {
				for _, currency := range []string{"", "ABC", "0" + chain + "@" + chain} {
					e := ordered()
					e.Currency, e.To = currency, spelling
					if got, want := expect(t, e).To, cregis.CanonicalAddress(chain, stated); got != want {
						t.Errorf("currency %q, chain %s: %s is %s, want %s", currency, chain, spelling, got, want)
					}
				}
			}
		}
	}
	for chain, address := range recipients {
		if got := cregis.CanonicalAddress("", address); got != cregis.CanonicalAddress(chain, address) {
			t.Errorf("chain %s: %s is %s without a chain", chain, address, got)
		}
	}
}

func TestExpect_Differences(t *testing.T) {
	event, held := parseFields(t, map[string]any{"memo": "7"})
	if held != nil {
		t.Fatal(held.Note)
	}
	for field, change := range map[payout.Field]func(*reconcile.Expectation){
		payout.FieldReference: func(e *reconcile.Expectation) { e.Reference = "other" },
		payout.FieldAmount:    func(e *reconcile.Expectation) { e.Amount = "1.11" },
		payout.FieldCurrency:  func(e *reconcile.Expectation) { e.Currency = "USDT" },
		payout.FieldChain:     func(e *reconcile.Expectation) { e.Currency = "BNB-BSC" },
		payout.FieldToken:     func(e *reconcile.Expectation) { e.Currency = "195@" + tronUSDT },
		payout.FieldTo:        func(e *reconcile.Expectation) { e.To = tronUSDT },
		payout.FieldMemo:      func(e *reconcile.Expectation) { e.Memo = "8" },
	} {
		e := ordered()
		change(&e)
		record, _ := payout.Record{}.Apply(expect(t, e))
		record, _ = record.Apply(event)
		conflicts := record.Conflicts()
		if !slices.Contains(conflicts, field) {
			t.Errorf("conflicts %v, want %s", conflicts, field)
		}
	}
}

// checkAgreement checks that two statements about one payout are in no conflict.
func checkAgreement(t *testing.T, name string, a, b payout.Event) {
	t.Helper()
	for _, events := range [][]payout.Event{{a, b}, {b, a}} {
		record := payout.Record{}
		for _, event := range events {
			record, _ = record.Apply(event)
		}
		if conflicts := record.Conflicts(); len(conflicts) > 0 || a.ID != b.ID {
			t.Errorf("%s: conflicts %v: %+v and %+v", name, conflicts, a, b)
			return
		}
	}
}
