package pivot_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/pivot"
	"payout-callbacks/pkg/reconcile"
)

const uuid = "d6a46a2c-1b26-40c5-9ca3-e063e69635a0" // of the documentation's samples

// ordered is the expectation of the printed callback of a single payout.
func ordered() reconcile.Expectation {
	return reconcile.Expectation{
		Provider: "pivot", Type: "single", Account: merchant, ID: uuid, Reference: "TestReforzaPivot001", Amount: "100000.00", Currency: "IDR",
	}
}

func expect(t *testing.T, e reconcile.Expectation) payout.Event {
	t.Helper()
	event, err := pivot.Provider{}.Expect(e)
	if err != nil {
		t.Fatal(err)
	}
	return event
}

func TestExpect(t *testing.T) {
	single := payout.Event{
		ID: payout.NewID("pivot", payout.TypePayout, merchant, uuid, "TestReforzaPivot001"), Source: payout.SourceExpectation, Status: payout.Expected,
		Reference: "TestReforzaPivot001", Amount: "100000", Currency: "IDR",
	}
	batch := payout.Event{
		ID: payout.NewID("pivot", payout.TypeBatch, merchant, uuid, ""), Source: payout.SourceExpectation, Status: payout.Expected, Reference: "RUN-1",
		Totals: payout.Totals{Pending: payout.Tally{Count: 3, Amount: "300000"}},
	}
	for name, test := range map[string]struct {
		e      reconcile.Expectation
		change func(*payout.Event)
		want   payout.Event
	}{
		"single": {e: ordered(), want: single},
		"payout, other spellings": {
			e: reconcile.Expectation{
				Type: "payout", Account: merchant, ID: strings.ToUpper(uuid), Reference: "TestReforzaPivot001", Amount: "100000", Currency: "IDR",
			}, want: single,
		},
		"single without an id": {
			e:      reconcile.Expectation{Type: "single", Account: merchant, Reference: "TestReforzaPivot001", Amount: "100000", Currency: "IDR"},
			change: func(e *payout.Event) { e.ID = "pivot/payout/" + merchant + "//TestReforzaPivot001" }, want: single,
		},
		"form C": {
			e:    reconcile.Expectation{Type: "single", Account: merchant, ID: uuid, Reference: "e\u0301", Amount: "100000", Currency: "IDR"},
			want: single, change: func(e *payout.Event) {
				e.ID, e.Reference = payout.NewID("pivot", payout.TypePayout, merchant, uuid, "é"), "é"
			},
		},
		"batch": {
			e:    reconcile.Expectation{Type: "batch", Account: merchant, ID: uuid, Reference: "RUN-1", Amount: "300000", Items: 3},
			want: batch,
		},
		"batch without an id": {
			e:      reconcile.Expectation{Type: "batch", Account: merchant, Reference: "RUN-1", Amount: "300000", Items: 3},
			change: func(e *payout.Event) { e.ID = "pivot/batch/" + merchant + "//RUN-1" }, want: batch,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if test.change != nil {
				test.change(&test.want)
			}
			if difference := cmp.Diff(test.want, expect(t, test.e)); difference != "" {
				t.Error(difference)
			}
		})
	}
}

func TestExpect_BadFields(t *testing.T) {
	for name, test := range map[string]struct {
		field  string
		change func(*reconcile.Expectation)
	}{
		"no type":                    {"type", func(e *reconcile.Expectation) { e.Type = "" }},
		"Cregis's type":              {"type", func(e *reconcile.Expectation) { e.Type = "sub-address-payout" }},
		"no account":                 {"account", func(e *reconcile.Expectation) { e.Account = "" }},
		"an account with a slash":    {"account", func(e *reconcile.Expectation) { e.Account = "a/b" }},
		"an id with a space":         {"id", func(e *reconcile.Expectation) { e.ID = "a b" }},
		"a long id":                  {"id", func(e *reconcile.Expectation) { e.ID = strings.Repeat("a", 65) }},
		"an id without a reference":  {"reference", func(e *reconcile.Expectation) { e.Reference = "" }},
		"neither id nor reference":   {"reference", func(e *reconcile.Expectation) { e.ID, e.Reference = "", "" }},
		"a batch with neither":       {"reference", func(e *reconcile.Expectation) { e.Type, e.ID, e.Reference = "batch", "", "" }},
		"a reference that reverses":  {"reference", func(e *reconcile.Expectation) { e.Reference = "a\u202eb" }},
		"a long reference":           {"reference", func(e *reconcile.Expectation) { e.Reference = strings.Repeat("a", 101) }},
		"an amount with a sign":      {"amount", func(e *reconcile.Expectation) { e.Amount = "-1" }},
		"an amount with a separator": {"amount", func(e *reconcile.Expectation) { e.Amount = "100,000" }},
		"a currency in lower case":   {"currency", func(e *reconcile.Expectation) { e.Currency = "idr" }},
		"a recipient":                {"to", func(e *reconcile.Expectation) { e.To = "999966660001" }},
		"a memo":                     {"memo", func(e *reconcile.Expectation) { e.Memo = "7" }},
		"items of a single payout":   {"items", func(e *reconcile.Expectation) { e.Items = 1 }},
		"negative items":             {"items", func(e *reconcile.Expectation) { e.Type, e.Items = "batch", -1 }},
		"too many items":             {"items", func(e *reconcile.Expectation) { e.Type, e.Items = "batch", 1001 }},
	} {
		t.Run(name, func(t *testing.T) {
			e := ordered()
			test.change(&e)
			event, err := pivot.Provider{}.Expect(e)
			problem, ok := errors.AsType[*reconcile.FieldError](err)
			if !ok || problem.Field != test.field || event != (payout.Event{}) {
				t.Errorf("%+v, %v, want an error that names %s", event, err, test.field)
			}
		})
	}
}

// An expectation compares what it states, and nothing else.
func TestExpect_Differences(t *testing.T) {
	single, _ := parse(t, body(t, "single-success"))
	bulk, _ := parse(t, body(t, "bulk-done"))
	batch := reconcile.Expectation{Type: "batch", Account: merchant, ID: uuid}
	for name, test := range map[string]struct {
		callback payout.Event
		change   func(*reconcile.Expectation)
		want     []payout.Field
	}{
		"single":                  {single, func(*reconcile.Expectation) {}, nil},
		"no amount":               {single, func(e *reconcile.Expectation) { e.Amount = "" }, nil},
		"another amount":          {single, func(e *reconcile.Expectation) { e.Amount = "100001" }, []payout.Field{payout.FieldAmount}},
		"another currency":        {single, func(e *reconcile.Expectation) { e.Currency = "USD" }, []payout.Field{payout.FieldCurrency}},
		"batch":                   {bulk, func(e *reconcile.Expectation) { *e = batch }, nil},
		"batch with items":        {bulk, func(e *reconcile.Expectation) { *e = batch; e.Items = 1 }, nil},
		"batch with an amount":    {bulk, func(e *reconcile.Expectation) { *e = batch; e.Amount = "100000" }, nil},
		"batch of more items":     {bulk, func(e *reconcile.Expectation) { *e = batch; e.Items = 2 }, []payout.Field{payout.FieldItems}},
		"batch of another amount": {bulk, func(e *reconcile.Expectation) { *e = batch; e.Amount = "1" }, []payout.Field{payout.FieldAmount}},
	} {
		t.Run(name, func(t *testing.T) {
			e := ordered()
			test.change(&e)
			expected := expect(t, e)
			for _, events := range [][]payout.Event{{expected, test.callback}, {test.callback, expected}} {
				record := payout.Record{}
				for _, event := range events {
					record, _ = record.Apply(event)
				}
				if got := record.Conflicts(); !cmp.Equal(got, test.want) {
					t.Errorf("conflicts %v, want %v", got, test.want)
				}
			}
		})
	}
}
