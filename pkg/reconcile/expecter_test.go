package reconcile_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

const (
	paid     payout.ID = "cregis/payout/" + account + "/9001"
	withID             = `{"provider":"cregis","type":"payout","account":"` + account + `","id":"9001","reference":"R-1","amount":"1.1","currency":"TRX"}`
	noID               = `{"provider":"cregis","type":"payout","account":"` + account + `","reference":"R-1","amount":"1.1","currency":"TRX"}`
	expected payout.ID = "cregis/payout/" + account + "//R-1"
)

func succeeded(id payout.ID, amount payout.Amount) payout.Event {
	return payout.Event{ID: id, Status: payout.Succeeded, Reference: "R-1", Amount: amount, Currency: "TRX", TxID: "0xabc"}
}

func TestExpect_SameAgain(t *testing.T) {
	w := newWorld(t)
	first := w.expect(withID)
	if first.Payout != paid || first.Result != reconcile.ExpectNew || first.Status != payout.Expected {
		t.Errorf("got %+v", first)
	}
	before := w.store.Receipts()
	w.now = w.now.Add(minute) // the default deadline is later, too
	again := w.expect(withID)
	if again.Result != reconcile.ExpectDuplicate || again.Status != payout.Expected || len(w.store.Receipts()) != len(before) {
		t.Errorf("got %+v and %d receipts, want %d", again, len(w.store.Receipts()), len(before))
	}
	if note := before[0].Note; note != "arn:aws:iam::1:role/orders" {
		t.Errorf("note %q, want the caller", note)
	}
	w.check()
}

func TestExpect_BeforeAndAfterTheCallback(t *testing.T) {
	for _, isFirst := range []bool{true, false} {
		w := newWorld(t)
		if isFirst {
			w.expect(withID)
		}
		w.callback(succeeded(paid, "1.1"))
		if !isFirst {
			w.expect(withID)
		}
		w.wantRecord(paid, payout.Succeeded, payout.Record.IsExpected)
		w.check()
	}
}

func TestExpect_AnotherValue(t *testing.T) {
	for field, alter := range map[payout.Field][2]string{
		payout.FieldAmount:   {`"1.1"`, `"1.2"`},
		payout.FieldCurrency: {`"TRX"`, `"USDT"`},
	} {
		w := newWorld(t)
		w.callback(succeeded(paid, "1.1"))
		got := w.expect(strings.Replace(withID, alter[0], alter[1], 1))
		if got.Result != reconcile.ExpectConflict || len(got.Conflicts) != 1 || got.Conflicts[0].Field != field || len(got.Conflicts[0].Stated) != 2 {
			t.Errorf("%s: got %+v, want a conflict of this field with both values", field, got)
		}
		w.wantRecord(paid, payout.Conflicted, nil)
	}
}

func TestExpect_LeftOutIsNotCompared(t *testing.T) {
	w := newWorld(t)
	w.callback(succeeded(paid, "1.1"))
	w.expect(`{"provider":"cregis","type":"payout","account":"` + account + `","id":"9001"}`)
	w.wantRecord(paid, payout.Succeeded, payout.Record.IsExpected)
}

// An expectation without the id and the payout with the id become one, in each order.
func TestExpect_WithoutID(t *testing.T) {
	steps := map[string]func(w *world){
		"expected":       func(w *world) { w.expect(noID) },
		"expected by id": func(w *world) { w.expect(withID) },
		"called back":    func(w *world) { w.callback(succeeded(paid, "1.1")) },
	}
	for _, order := range [][]string{
		{"expected", "expected by id", "called back"}, {"expected", "called back", "expected by id"},
		{"called back", "expected"}, {"called back", "expected by id", "expected"}, {"expected by id", "expected", "called back"},
	} {
		w := newWorld(t)
		for _, step := range order {
			steps[step](w)
		}
		w.wantRecord(paid, payout.Succeeded, payout.Record.IsExpected)
		w.wantRecord(expected, payout.Linked, nil)
		w.check()
	}
}

// The values of an expectation without the id are compared once the id is known.
func TestExpect_WithoutIDDiffers(t *testing.T) {
	w := newWorld(t)
	w.expect(noID)
	w.expect(strings.Replace(withID, `,"amount":"1.1"`, "", 1))
	w.callback(succeeded(paid, "9"))
	w.wantRecord(paid, payout.Conflicted, func(r payout.Record) bool { return len(r.Claims[payout.FieldAmount].Seen) == 2 })
}

// The sender of an expectation without the id learns of the conflict with a callback.
func TestExpect_WithoutIDAfterTheCallback(t *testing.T) {
	for amount, want := range map[payout.Amount]reconcile.ExpectOutcome{"1.1": reconcile.ExpectChanged, "9": reconcile.ExpectConflict} {
		w := newWorld(t)
		w.callback(succeeded(paid, amount))
		got := w.expect(noID)
		if got.Status == payout.Linked || got.Result != want || (len(got.Conflicts) == 1) != (want == reconcile.ExpectConflict) {
			t.Errorf("callback of %s: got %+v, want %s", amount, got, want)
		}
		again := w.expect(noID)
		if want == reconcile.ExpectChanged {
			want = reconcile.ExpectDuplicate
		}
		if again.Status == payout.Linked || again.Result != want {
			t.Errorf("callback of %s: got %+v again, want %s", amount, again, want)
		}
	}
}

// What is expected without the id after the link is compared, too.
func TestExpect_WithoutIDAfterTheLink(t *testing.T) {
	w := newWorld(t)
	const amount = `,"amount":"1.1"`
	w.expect(strings.Replace(noID, amount, "", 1))
	w.expect(strings.Replace(withID, amount, "", 1))
	w.expect(noID)
	before := len(w.store.Receipts())
	w.expect(noID)
	if after := len(w.store.Receipts()); after != before {
		t.Errorf("the same again wrote %d receipts", after-before)
	}
	w.callback(succeeded(paid, "91.1"))
	w.wantRecord(paid, payout.Conflicted, payout.Record.IsExpected)
	w.check()
}

func TestExpect_TwoPayoutsForOneOrder(t *testing.T) {
	w := newWorld(t)
	w.expect(noID)
	w.expect(withID)
	w.expect(strings.Replace(withID, "9001", "9002", 1))
	w.wantRecord(expected, payout.Conflicted, func(r payout.Record) bool { return len(r.Claims[payout.FieldLinkedTo].Seen) == 2 })
}

// If the callback comes after the expectation without the id, the reconciler links both at
// the deadline.
func TestRun_LinksByReference(t *testing.T) {
	w := newWorld(t)
	w.expect(noID)
	w.callback(succeeded(paid, "1.1"))
	w.wantRecord(expected, payout.Expected, nil)
	w.run(11 * minute)
	w.wantRecord(expected, payout.Linked, nil)
	w.wantRecord(paid, payout.Succeeded, payout.Record.IsExpected)
	w.check()
}

func TestExpect_BadInput(t *testing.T) {
	for body, field := range map[string]string{
		`{"provider":"acme","type":"payout","account":"1","id":"1"}`:                               "provider",
		`{"provider":"cregis","type":"payout","id":"1"}`:                                           "account",
		strings.Replace(withID, `"1.1"`, `1.1`, 1):                                                 "amount",
		strings.Replace(withID, `"amount"`, `"amuont"`, 1):                                         "amuont",
		strings.Replace(withID, `"TRX"`, `"TRX","due":"soon"`, 1):                                  "due",
		strings.Replace(withID, `"TRX"`, `"TRX","due":"9601h"`, 1):                                 "due",
		strings.Replace(withID, `"TRX"`, `"TRX","due":"-9601h"`, 1):                                "due",
		strings.Replace(withID, `"TRX"`, `"TRX","due":"2029-01-01T00:00:00Z"`, 1):                  "due",
		strings.Replace(withID, `"TRX"`, `"TRX","currency":"TRX"`, 1):                              "currency",
		strings.Replace(withID, `"1.1"`, `[[[1.1]]]`, 1):                                           "amount",
		strings.Replace(withID, `"1.1"`, strings.Repeat(`[`, 1<<15)+strings.Repeat(`]`, 1<<15), 1): "",
		strings.Replace(withID, `"amount"`, `"a/~"`, 1):                                            "a/~",
		strings.Replace(withID, `"amount"`, `"`+strings.Repeat("a", 65)+`"`, 1):                    "",
		`[]`: "", `{`: "", `null and more`: "", withID + withID: "",
		strings.Replace(withID, "R-1", strings.Repeat("R", 64<<10), 1): "",
	} {
		w := newWorld(t)
		_, err := w.expecter.Expect(t.Context(), []byte(body), "caller")
		var fieldErr *reconcile.FieldError
		if !errors.As(err, &fieldErr) || fieldErr.Field != field {
			t.Errorf("%.120s: got %v, want an error about field %q", body, err, field)
		}
		if len(w.store.Receipts())+len(w.store.Records()) > 0 {
			t.Errorf("%.120s: something is kept", body)
		}
	}
}

func TestExpectationFields_OfTheStruct(t *testing.T) {
	var tags []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[reconcile.Expectation]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		tags = append(tags, name)
	}
	if got := reconcile.ExpectationFields(); !slices.Equal(got, tags) {
		t.Errorf("got %v, the struct has %v", got, tags)
	}
}
