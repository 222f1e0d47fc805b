package payout_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"payout-callbacks/pkg/payout"
)

// batchEvent returns a batch event with so many items of 1000 each by status.
func batchEvent(status payout.Status, pending, succeeded, failed int64) payout.Event {
	tally := func(n int64) payout.Tally { return payout.Tally{Count: n, Amount: payout.Amount(fmt.Sprint(n * 1000))} }
	return payout.Event{ID: batch, Status: status, Totals: payout.Totals{
		Pending: tally(pending), Succeeded: tally(succeeded), Failed: tally(failed),
	}}
}

func resolve(t *testing.T, record payout.Record, events ...payout.Event) payout.Record {
	t.Helper()
	resolution, err := record.NewResolution(events...)
	if err != nil {
		t.Fatal(err)
	}
	next, _ := record.Resolve(resolution)
	return next
}

func TestNewResolution_StatusAndAmount(t *testing.T) {
	event := payout.Event{ID: paid, Status: payout.Succeeded, Amount: "1", Currency: "TRX"}
	other := payout.Event{ID: paid, Status: payout.Failed, Amount: "2", Currency: "TRX", Reason: "why"}
	record := fold([]any{event, other})
	resolution, err := record.NewResolution(other)
	if err != nil {
		t.Fatal(err)
	}
	want := payout.Resolution{
		ID:       paid,
		Trusted:  map[payout.Field]string{payout.FieldStatus: "failed", payout.FieldAmount: "2"},
		Rejected: map[payout.Field][]string{payout.FieldStatus: {"succeeded"}, payout.FieldAmount: {"1"}},
	}
	if diff := cmp.Diff(want, resolution); diff != "" {
		t.Errorf("resolution:\n%s", diff)
	}
	record, _ = record.Resolve(resolution)
	if record.Status() != payout.Failed || record.Value(payout.FieldAmount) != "2" || record.Reason() != "why" {
		t.Errorf("shows %s %s %q", record.Status(), record.Value(payout.FieldAmount), record.Reason())
	}
}

func TestNewResolution_RepeatsEarlierResolution(t *testing.T) {
	event := payout.Event{ID: paid, Status: payout.Succeeded, Amount: "1"}
	record := resolve(t, fold([]any{event, payout.Event{ID: paid, Status: payout.Succeeded, Amount: "2"}}), event)
	// The event with the new status has the rejected amount, too.
	late := payout.Event{ID: paid, Status: payout.Failed, Amount: "2"}
	record, _ = record.Apply(late)
	if got := record.Conflicts(); !slices.Equal(got, []payout.Field{payout.FieldStatus}) {
		t.Fatalf("conflicts: %v", got)
	}
	record = resolve(t, record, late)
	if record.Status() != payout.Failed || record.Value(payout.FieldAmount) != "1" {
		t.Errorf("shows %s %s, want failed and the amount of the first resolution", record.Status(), record.Value(payout.FieldAmount))
	}
}

func TestNewResolution_ChangesEarlierResolution(t *testing.T) {
	succeeded, failed := payout.Event{ID: paid, Status: payout.Succeeded}, payout.Event{ID: paid, Status: payout.Failed}
	record := resolve(t, fold([]any{succeeded, failed}), succeeded)
	if _, err := record.NewResolution(succeeded); !errors.Is(err, payout.ErrNoConflict) {
		t.Errorf("same event again: got %v, want ErrNoConflict", err)
	}
	record = resolve(t, record, failed)
	if record.Status() != payout.Failed || len(record.Resolutions) != 2 {
		t.Errorf("shows %s after %d decisions", record.Status(), len(record.Resolutions))
	}
}

func TestNewResolution_Undecided(t *testing.T) {
	bare := payout.Event{ID: paid, Status: payout.Succeeded}
	rich := payout.Event{ID: paid, Status: payout.Failed, TxID: "0xabc"}
	other := payout.Event{ID: paid, Status: payout.Failed, TxID: "0xdef"}
	torn := fold([]any{bare, rich, other})
	many := payout.Record{ID: paid}
	for n := range 12 {
		many, _ = many.Apply(payout.Event{ID: paid, Status: payout.Succeeded, Amount: payout.Amount(fmt.Sprint(n + 1))})
	}
	for name, test := range map[string]struct {
		record payout.Record
		events []payout.Event
		want   *payout.UndecidedError // nil: ErrNoConflict
	}{
		"no conflict":             {fold([]any{bare}), []payout.Event{bare}, nil},
		"no value for a field":    {torn, []payout.Event{bare}, &payout.UndecidedError{Missing: []payout.Field{payout.FieldTxID}}},
		"two different values":    {torn, []payout.Event{bare, rich}, &payout.UndecidedError{Conflicting: []payout.Field{payout.FieldStatus}}},
		"overflowed field":        {many, []payout.Event{{ID: paid, Amount: "1"}}, &payout.UndecidedError{Overflowed: []payout.Field{payout.FieldAmount}}},
		"no event":                {torn, nil, &payout.UndecidedError{Missing: []payout.Field{payout.FieldStatus, payout.FieldTxID}}},
		"value for another field": {torn, []payout.Event{{ID: paid, Memo: "x"}}, &payout.UndecidedError{Missing: []payout.Field{payout.FieldStatus, payout.FieldTxID}}},
	} {
		_, err := test.record.NewResolution(test.events...)
		undecided, ok := errors.AsType[*payout.UndecidedError](err)
		if test.want == nil && !errors.Is(err, payout.ErrNoConflict) || test.want != nil && (!ok || !cmp.Equal(test.want, undecided)) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := torn.NewResolution(rich); err != nil {
		t.Errorf("values for all fields: %v", err)
	}
}

// I8, for a batch: totals that settle more than the batch has wait for a person,
// whose resolution holds for exactly those totals.
func TestNewResolution_SettledExceedsTotal(t *testing.T) {
	first, second := batchEvent(payout.Done, 0, 2, 0), batchEvent(payout.Done, 0, 1, 1)
	record := fold([]any{first, second})
	if got := record.Conflicts(); !slices.Equal(got, []payout.Field{payout.FieldSettled}) {
		t.Fatalf("conflicts: %v, want settled", got)
	}
	record = resolve(t, record, second)
	if record.Status() != payout.Done || record.EffectiveTotals() != (payout.Totals{
		Succeeded: payout.Tally{Count: 1, Amount: "1000"}, Failed: payout.Tally{Count: 1, Amount: "1000"}, Cancelled: payout.Tally{Amount: "0"},
	}) {
		t.Errorf("shows %s with %+v", record.Status(), record.EffectiveTotals())
	}
	again, _ := record.Apply(batchEvent(payout.Delayed, 1, 1, 0))
	if again.Status() != payout.Done {
		t.Errorf("smaller totals: got %s, want done", again.Status())
	}
	greater, _ := record.Apply(batchEvent(payout.Done, 0, 0, 2))
	if greater.Status() != payout.Conflicted {
		t.Errorf("greater totals: got %s, want conflicted", greater.Status())
	}
	if solved := resolve(t, greater, second); solved.Status() != payout.Done {
		t.Errorf("resolved again: got %s", solved.Status())
	}
	resolution, err := fold([]any{first, second}).NewResolution(first)
	if err != nil {
		t.Fatal(err)
	}
	if r, _ := record.Resolve(resolution); r.Status() != payout.Conflicted {
		t.Errorf("two resolutions that trust different totals: got %s, want conflicted", r.Status())
	}
}

// Trusting the smaller of two sizes makes the settled items exceed the total.
func TestNewResolution_SmallerBatch(t *testing.T) {
	small, large := batchEvent(payout.Done, 0, 2, 0), batchEvent(payout.Done, 0, 3, 0)
	record := resolve(t, fold([]any{small, large}), small)
	if record.Status() != payout.Done || record.Value(payout.FieldItems) != "2" || record.EffectiveTotals().Settled().Count != 2 {
		t.Errorf("shows %s, %s items, %d settled", record.Status(), record.Value(payout.FieldItems), record.EffectiveTotals().Settled().Count)
	}
}

func TestResolve_InvalidSettledKey(t *testing.T) {
	first, second := batchEvent(payout.Done, 0, 2, 0), batchEvent(payout.Done, 0, 1, 1)
	record := fold([]any{first, second})
	for _, text := range []string{
		"", "succeeded", "succeeded 1 1e9, failed 0 0, cancelled 0 0", "succeeded 01 1, failed 0 0, cancelled 0 0",
		"succeeded 9999999999999999999 1, failed 0 0, cancelled 0 0", "succeeded 1 ., failed 0 0, cancelled 0 0",
	} {
		resolved, _ := record.Resolve(payout.Resolution{
			ID:       batch,
			Trusted:  map[payout.Field]string{payout.FieldSettled: text},
			Rejected: map[payout.Field][]string{payout.FieldSettled: {record.Settled.SettledKey()}},
		})
		if got := resolved.Status(); got != payout.Conflicted {
			t.Errorf("%q: got %s, want conflicted", text, got)
		}
	}
}

// NewResolution ends every conflict of any record, and returns an identical
// resolution for the same statements in any order (I5).
func TestNewResolution_AnyRecord(t *testing.T) {
	for name, generator := range map[string]*rapid.Generator[any]{"payout": statement(), "batch": rapid.Custom(totals)} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				items := rapid.SliceOfNDistinct(generator, 1, 8, getFingerprint).Draw(t, "statements")
				record := fold(items)
				again := fold(rapid.Permutation(items).Draw(t, "shuffled"))
				for _, candidate := range items {
					event, ok := candidate.(payout.Event)
					if !ok {
						continue
					}
					resolution, err := record.NewResolution(event)
					same, err2 := again.NewResolution(event)
					if (err == nil) != (err2 == nil) || err == nil && resolution.Fingerprint() != same.Fingerprint() {
						t.Fatalf("the resolution depends on the order: %+v, %+v", resolution, same)
					}
					if err != nil {
						continue
					}
					next, outcome := record.Resolve(resolution)
					if outcome == payout.Conflict {
						t.Fatalf("still in conflict in %v after %+v", next.Conflicts(), resolution)
					}
					if record, _ = record.Resolve(resolution); !cmp.Equal(record, next) {
						t.Fatal("Resolve gives two records")
					}
					again, _ = again.Resolve(resolution)
				}
			})
		})
	}
}

func ExampleRecord_NewResolution() {
	id := payout.NewID("cregis", payout.TypePayout, "1382528827416576", "1391751691788288", "")
	succeeded := payout.Event{ID: id, Status: payout.Succeeded, Amount: "1.1"}
	failed := payout.Event{ID: id, Status: payout.Failed, Amount: "1.1"}
	record, _ := payout.Record{}.Apply(succeeded)
	record, _ = record.Apply(failed)
	resolution, _ := record.NewResolution(failed)
	record, outcome := record.Resolve(resolution)
	fmt.Println(outcome, record.Status(), resolution.Rejected)
	// Output: changed failed map[status:[succeeded]]
}
