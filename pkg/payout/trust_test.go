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

// total is an event of the batch: how many items of 1000 each stand where.
func total(status payout.Status, pending, succeeded, failed int64) payout.Event {
	tally := func(n int64) payout.Tally { return payout.Tally{Count: n, Amount: payout.Amount(fmt.Sprint(n * 1000))} }
	return payout.Event{ID: batch, Status: status, Totals: payout.Totals{
		Pending: tally(pending), Succeeded: tally(succeeded), Failed: tally(failed),
	}}
}

func trusted(t *testing.T, record payout.Record, events ...payout.Event) payout.Record {
	t.Helper()
	decision, err := record.NewResolution(events...)
	if err != nil {
		t.Fatal(err)
	}
	next, _ := record.Resolve(decision)
	return next
}

func TestTrustEndsAConflictOfStatusAndAmount(t *testing.T) {
	event := payout.Event{ID: paid, Status: payout.Succeeded, Amount: "1", Currency: "TRX"}
	other := payout.Event{ID: paid, Status: payout.Failed, Amount: "2", Currency: "TRX", Reason: "why"}
	record := fold([]any{event, other})
	decision, err := record.NewResolution(other)
	if err != nil {
		t.Fatal(err)
	}
	want := payout.Resolution{
		ID:       paid,
		Trusted:  map[payout.Field]string{payout.FieldStatus: "failed", payout.FieldAmount: "2"},
		Rejected: map[payout.Field][]string{payout.FieldStatus: {"succeeded"}, payout.FieldAmount: {"1"}},
	}
	if diff := cmp.Diff(want, decision); diff != "" {
		t.Errorf("decision:\n%s", diff)
	}
	record, _ = record.Resolve(decision)
	if record.Status() != payout.Failed || record.Value(payout.FieldAmount) != "2" || record.Reason() != "why" {
		t.Errorf("shows %s %s %q", record.Status(), record.Value(payout.FieldAmount), record.Reason())
	}
}

func TestTrustKeepsWhatWasDecidedBefore(t *testing.T) {
	event := payout.Event{ID: paid, Status: payout.Succeeded, Amount: "1"}
	record := trusted(t, fold([]any{event, payout.Event{ID: paid, Status: payout.Succeeded, Amount: "2"}}), event)
	// Whoever tells the new status tells the amount that was rejected, too.
	late := payout.Event{ID: paid, Status: payout.Failed, Amount: "2"}
	record, _ = record.Apply(late)
	if got := record.Conflicts(); !slices.Equal(got, []payout.Field{payout.FieldStatus}) {
		t.Fatalf("contradictions: %v", got)
	}
	record = trusted(t, record, late)
	if record.Status() != payout.Failed || record.Value(payout.FieldAmount) != "1" {
		t.Errorf("shows %s %s, want failed and the amount that was decided first", record.Status(), record.Value(payout.FieldAmount))
	}
}

func TestAMindCanBeChanged(t *testing.T) {
	succeeded, failed := payout.Event{ID: paid, Status: payout.Succeeded}, payout.Event{ID: paid, Status: payout.Failed}
	record := trusted(t, fold([]any{succeeded, failed}), succeeded)
	if _, err := record.NewResolution(succeeded); !errors.Is(err, payout.ErrNoConflict) {
		t.Errorf("the same once more: got %v, want ErrAgreed", err)
	}
	record = trusted(t, record, failed)
	if record.Status() != payout.Failed || len(record.Resolutions) != 2 {
		t.Errorf("shows %s after %d decisions", record.Status(), len(record.Resolutions))
	}
}

func TestTrustRefusesWhatWouldDecideNothing(t *testing.T) {
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
		want   *payout.UndecidedError // nil: ErrAgreed
	}{
		"nothing contradicts":                {fold([]any{bare}), []payout.Event{bare}, nil},
		"it tells nothing of a field":        {torn, []payout.Event{bare}, &payout.UndecidedError{Missing: []payout.Field{payout.FieldTxID}}},
		"two that contradict each other":     {torn, []payout.Event{bare, rich}, &payout.UndecidedError{Conflicting: []payout.Field{payout.FieldStatus}}},
		"more values than are kept":          {many, []payout.Event{{ID: paid, Amount: "1"}}, &payout.UndecidedError{Overflowed: []payout.Field{payout.FieldAmount}}},
		"no event at all":                    {torn, nil, &payout.UndecidedError{Missing: []payout.Field{payout.FieldStatus, payout.FieldTxID}}},
		"an event of which nothing is asked": {torn, []payout.Event{{ID: paid, Memo: "x"}}, &payout.UndecidedError{Missing: []payout.Field{payout.FieldStatus, payout.FieldTxID}}},
	} {
		_, err := test.record.NewResolution(test.events...)
		undecided, ok := errors.AsType[*payout.UndecidedError](err)
		if test.want == nil && !errors.Is(err, payout.ErrNoConflict) || test.want != nil && (!ok || !cmp.Equal(test.want, undecided)) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := torn.NewResolution(rich); err != nil {
		t.Errorf("one that tells all: %v", err)
	}
}

// I8, of a batch: what settles more than there is waits for a person, whose word
// holds for exactly those totals.
func TestAnOverdrawnBatchIsResolved(t *testing.T) {
	first, second := total(payout.Done, 0, 2, 0), total(payout.Done, 0, 1, 1)
	record := fold([]any{first, second})
	if got := record.Conflicts(); !slices.Equal(got, []payout.Field{payout.FieldSettled}) {
		t.Fatalf("contradictions: %v, want settled", got)
	}
	record = trusted(t, record, second)
	if record.Status() != payout.Done || record.EffectiveTotals() != (payout.Totals{
		Succeeded: payout.Tally{Count: 1, Amount: "1000"}, Failed: payout.Tally{Count: 1, Amount: "1000"}, Cancelled: payout.Tally{Amount: "0"},
	}) {
		t.Errorf("shows %s with %+v", record.Status(), record.EffectiveTotals())
	}
	again, _ := record.Apply(total(payout.Delayed, 1, 1, 0))
	if again.Status() != payout.Done {
		t.Errorf("totals that are no greater: got %s, want done", again.Status())
	}
	greater, _ := record.Apply(total(payout.Done, 0, 0, 2))
	if greater.Status() != payout.Conflicted {
		t.Errorf("greater totals: got %s, want conflicted again", greater.Status())
	}
	if solved := trusted(t, greater, second); solved.Status() != payout.Done {
		t.Errorf("and resolved again: got %s", solved.Status())
	}
	resolution, err := fold([]any{first, second}).NewResolution(first)
	if err != nil {
		t.Fatal(err)
	}
	if r, _ := record.Resolve(resolution); r.Status() != payout.Conflicted {
		t.Errorf("two people who trust different totals: got %s, want conflicted", r.Status())
	}
}

// The smaller of two sizes makes what the greater one settled too much.
func TestTrustingASmallerBatchDecidesWhatIsSettled(t *testing.T) {
	small, large := total(payout.Done, 0, 2, 0), total(payout.Done, 0, 3, 0)
	record := trusted(t, fold([]any{small, large}), small)
	if record.Status() != payout.Done || record.Value(payout.FieldItems) != "2" || record.EffectiveTotals().Settled().Count != 2 {
		t.Errorf("shows %s, %s items, %d settled", record.Status(), record.Value(payout.FieldItems), record.EffectiveTotals().Settled().Count)
	}
}

func TestTotalsThatCannotBeReadDecideNothing(t *testing.T) {
	first, second := total(payout.Done, 0, 2, 0), total(payout.Done, 0, 1, 1)
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

// Whatever was told, and decided, a decision by Trust ends every contradiction,
// and the identical one is made of the same facts in any order (I5).
func TestTrustEndsEveryContradiction(t *testing.T) {
	for name, generator := range map[string]*rapid.Generator[any]{"payout": fact(), "batch": rapid.Custom(totals)} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				items := rapid.SliceOfNDistinct(generator, 1, 8, fingerprintOf).Draw(t, "facts")
				record := fold(items)
				again := fold(rapid.Permutation(items).Draw(t, "shuffled"))
				for _, candidate := range items {
					event, ok := candidate.(payout.Event)
					if !ok {
						continue
					}
					decision, err := record.NewResolution(event)
					same, errAgain := again.NewResolution(event)
					if (err == nil) != (errAgain == nil) || err == nil && decision.Fingerprint() != same.Fingerprint() {
						t.Fatalf("in another order another decision: %+v, %+v", decision, same)
					}
					if err != nil {
						continue
					}
					next, outcome := record.Resolve(decision)
					if outcome == payout.Conflict {
						t.Fatalf("still contradicts in %v after %+v", next.Conflicts(), decision)
					}
					if record, _ = record.Resolve(decision); !cmp.Equal(record, next) {
						t.Fatal("Resolve is not a function")
					}
					again, _ = again.Resolve(decision)
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
	decision, _ := record.NewResolution(failed)
	record, outcome := record.Resolve(decision)
	fmt.Println(outcome, record.Status(), decision.Rejected)
	// Output: changed failed map[status:[succeeded]]
}
