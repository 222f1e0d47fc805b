package payout_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"payout-callbacks/pkg/payout"
)

var (
	paid  = payout.NewID("cregis", payout.TypePayout, "1382528827416576", "1391751691788288", "")
	batch = payout.NewID("pivot", payout.TypeBatch, "922e39ab", "d6a46a2c", "")
)

func TestRecord_Status(t *testing.T) {
	event := func(status payout.Status, edit ...func(*payout.Event)) payout.Event {
		e := payout.Event{ID: paid, Status: status, Amount: "1.1", Currency: "TRX", Reference: "PAY-1"}
		for _, item := range edit {
			item(&e)
		}
		return e
	}
	amount := func(a payout.Amount) func(*payout.Event) { return func(e *payout.Event) { e.Amount = a } }
	reason := func(r string) func(*payout.Event) { return func(e *payout.Event) { e.Reason = r } }
	block := func(height uint64) func(*payout.Event) { return func(e *payout.Event) { e.BlockHeight = height } }
	txid := func(id string) func(*payout.Event) { return func(e *payout.Event) { e.TxID = id } }
	for _, test := range []struct {
		name   string
		events []payout.Event
		want   payout.Status
		reason string
	}{
		{"no statements", nil, "", ""},
		{"success", []payout.Event{event(payout.Succeeded)}, payout.Succeeded, ""},
		{"final after pending", []payout.Event{event(payout.Pending), event(payout.Failed)}, payout.Failed, ""},
		{"late pending", []payout.Event{event(payout.Failed), event(payout.Pending)}, payout.Failed, ""},
		{"delayed before pending", []payout.Event{event(payout.Delayed), event(payout.Pending)}, payout.Delayed, ""},
		{"two final statuses (I8)", []payout.Event{event(payout.Succeeded), event(payout.Failed)}, payout.Conflicted, ""},
		{"two amounts", []payout.Event{event(payout.Succeeded), event(payout.Succeeded, amount("2"))}, payout.Conflicted, ""},
		{"one value and an absent one", []payout.Event{event(payout.Succeeded, txid("")), event(payout.Succeeded, txid("0xabc"))}, payout.Succeeded, ""},
		{"two transactions", []payout.Event{event(payout.Succeeded, txid("0xdef")), event(payout.Succeeded, txid("0xabc"))}, payout.Conflicted, ""},
		{"reorganised block", []payout.Event{event(payout.Succeeded, block(7)), event(payout.Succeeded, block(9))}, payout.Succeeded, ""},
		{"two reasons", []payout.Event{event(payout.Rejected, reason("signature")), event(payout.Rejected, reason("approval"))}, payout.Rejected, "approval"},
		{"reasons of two statuses", []payout.Event{event(payout.Pending, reason("a")), event(payout.Failed, reason("b"))}, payout.Failed, "b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			record := fold(statements(test.events))
			if got := record.Status(); got != test.want {
				t.Errorf("status: got %q, want %q", got, test.want)
			}
			if got := record.Reason(); got != test.reason {
				t.Errorf("reason: got %q, want %q", got, test.reason)
			}
		})
	}
}

func TestRecord_BatchStatus(t *testing.T) {
	event := func(status payout.Status, pending, succeeded, cancelled int64) payout.Event {
		tally := func(n int64) payout.Tally {
			return payout.Tally{Count: n, Amount: payout.Amount(fmt.Sprint(n * 1000))}
		}
		return payout.Event{ID: batch, Status: status, Totals: payout.Totals{
			Pending: tally(pending), Succeeded: tally(succeeded), Cancelled: tally(cancelled),
		}}
	}
	shrunk := event(payout.Done, 0, 2, 0)
	shrunk.Totals.Succeeded.Amount = "1"
	for _, test := range []struct {
		name   string
		events []payout.Event
		want   payout.Status
	}{
		{"pending, then done", []payout.Event{event(payout.Pending, 2, 0, 0), event(payout.Done, 0, 2, 0)}, payout.Done},
		{"done, then a late pending", []payout.Event{event(payout.Done, 0, 2, 0), event(payout.Pending, 2, 0, 0)}, payout.Done},
		{"done with a pending item", []payout.Event{event(payout.Done, 1, 1, 0)}, payout.Pending},
		{"rest cancelled", []payout.Event{event(payout.Done, 1, 1, 0), event(payout.Cancelled, 0, 1, 1)}, payout.Cancelled},
		{"delayed", []payout.Event{event(payout.Delayed, 2, 0, 0), event(payout.Pending, 2, 0, 0)}, payout.Delayed},
		{"two sizes", []payout.Event{event(payout.Done, 0, 2, 0), event(payout.Done, 0, 3, 0)}, payout.Conflicted},
		{"two sums", []payout.Event{event(payout.Done, 0, 2, 0), shrunk}, payout.Conflicted},
		{"more settled than the total", []payout.Event{event(payout.Done, 0, 2, 0), event(payout.Cancelled, 0, 1, 1)}, payout.Conflicted},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := fold(statements(test.events)).Status(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestResolve_Conflict(t *testing.T) {
	succeeded := payout.Event{ID: paid, Status: payout.Succeeded, Amount: "1"}
	failed := payout.Event{ID: paid, Status: payout.Failed, Amount: "1"}
	trust := func(trusted, rejected payout.Status, replaces ...string) payout.Resolution {
		return payout.Resolution{
			ID:       paid,
			Trusted:  map[payout.Field]string{payout.FieldStatus: string(trusted)},
			Rejected: map[payout.Field][]string{payout.FieldStatus: {string(rejected)}},
			Replaces: replaces,
		}
	}
	first, opposite := trust(payout.Succeeded, payout.Failed), trust(payout.Failed, payout.Succeeded)
	last := trust(payout.Failed, payout.Succeeded, first.Fingerprint(), opposite.Fingerprint())
	again := failed
	again.TxID = "0xabc"
	rejected := payout.Event{ID: paid, Status: payout.Rejected, Amount: "1"}
	for _, test := range []struct {
		name       string
		statements []any
		want       payout.Status
	}{
		{"trusted status", []any{succeeded, failed, first}, payout.Succeeded},
		{"repeated rejected status", []any{succeeded, failed, first, again}, payout.Succeeded},
		{"new status", []any{succeeded, failed, first, rejected}, payout.Conflicted},
		{"two different resolutions", []any{succeeded, failed, first, opposite}, payout.Conflicted},
		{"resolution that replaces both", []any{succeeded, failed, first, opposite, last}, payout.Failed},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := fold(test.statements).Status(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// I5: the record does not depend on the order of statements.
func TestMerge_Order(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfNDistinct(statement(), 1, 12, getFingerprint).Draw(t, "statements")
		shuffled := rapid.Permutation(items).Draw(t, "shuffled")
		if diff := cmp.Diff(fold(items), fold(shuffled)); diff != "" {
			t.Fatalf("the record depends on the order:\n%s", diff)
		}
	})
}

func TestRecord_OverflowedValues(t *testing.T) {
	var events []any
	for n := range 12 {
		events = append(events, payout.Event{ID: paid, Status: payout.Succeeded, Amount: payout.Amount(fmt.Sprint(n + 1))})
	}
	record := fold(events)
	if got := record.Claims[payout.FieldAmount]; len(got.Seen) != 8 || !got.Overflow {
		t.Errorf("got %v, want the eight smallest and the overflow flag", got)
	}
	reject := payout.Resolution{ID: paid, Rejected: map[payout.Field][]string{payout.FieldAmount: record.Claims[payout.FieldAmount].Seen[1:]}}
	if resolved, _ := record.Resolve(reject); resolved.Status() != payout.Conflicted {
		t.Errorf("got %q, want conflicted: the values that were not kept are unknown", resolved.Status())
	}
}

func TestApply_ReceiverUnchanged(t *testing.T) {
	before := fold([]any{payout.Event{ID: paid, Status: payout.Pending, Amount: "1"}})
	kept := fold([]any{payout.Event{ID: paid, Status: payout.Pending, Amount: "1"}})
	before.Apply(payout.Event{ID: paid, Status: payout.Failed, Amount: "2", Reason: "x"})
	if diff := cmp.Diff(kept, before); diff != "" {
		t.Errorf("Apply changed its receiver:\n%s", diff)
	}
}

func TestApply_Outcome(t *testing.T) {
	var record payout.Record
	for _, step := range []struct {
		event payout.Event
		want  payout.Outcome
	}{
		{payout.Event{ID: paid, Status: payout.Succeeded, Amount: "1"}, payout.Changed},
		{payout.Event{ID: paid, Status: payout.Pending, Amount: "1"}, payout.Unchanged},
		{payout.Event{ID: paid, Status: payout.Succeeded, Amount: "1", TxID: "0xabc"}, payout.Changed},
		{payout.Event{ID: paid, Status: payout.Failed, Amount: "1"}, payout.Conflict},
	} {
		var got payout.Outcome
		if record, got = record.Apply(step.event); got != step.want {
			t.Errorf("%s: got %q, want %q", step.event.Status, got, step.want)
		}
	}
	if record.Version != 4 {
		t.Errorf("version: got %d, want the number of statements, 4", record.Version)
	}
}

// The fingerprint covers exactly what Apply reads: two events that differ in any
// such field have different fingerprints.
func TestFingerprint_EveryField(t *testing.T) {
	whole := payout.Event{
		ID: paid, Reference: "r", Status: payout.Succeeded, Reason: "why", Amount: "1", Currency: "TRX", Chain: "195",
		Token: "195", From: "a", To: "b", Memo: "m", TxID: "t", BlockHeight: 1, BlockTime: 2,
		Totals: payout.Totals{Pending: payout.Tally{Count: 1, Amount: "1"}, Succeeded: payout.Tally{Count: 2, Amount: "2"},
			Failed: payout.Tally{Count: 3, Amount: "3"}, Cancelled: payout.Tally{Count: 4, Amount: "4"}},
		Source: payout.SourceExpectation, Deadline: 5, LinkedTo: batch,
	}
	seen := map[string]string{whole.Fingerprint(): "the original"}
	for name, edit := range map[string]func(*payout.Event){
		"id":                func(e *payout.Event) { e.ID = batch },
		"reference":         func(e *payout.Event) { e.Reference = "" },
		"status":            func(e *payout.Event) { e.Status = payout.Failed },
		"reason":            func(e *payout.Event) { e.Reason = "" },
		"amount":            func(e *payout.Event) { e.Amount = "2" },
		"currency":          func(e *payout.Event) { e.Currency = "" },
		"chain":             func(e *payout.Event) { e.Chain = "" },
		"token":             func(e *payout.Event) { e.Token = "" },
		"from":              func(e *payout.Event) { e.From = "" },
		"to":                func(e *payout.Event) { e.To = "" },
		"memo":              func(e *payout.Event) { e.Memo = "" },
		"txid":              func(e *payout.Event) { e.TxID = "" },
		"block height":      func(e *payout.Event) { e.BlockHeight = 0 },
		"block time":        func(e *payout.Event) { e.BlockTime = 0 },
		"pending":           func(e *payout.Event) { e.Totals.Pending.Count = 9 },
		"succeeded amount":  func(e *payout.Event) { e.Totals.Succeeded.Amount = "9" },
		"failed":            func(e *payout.Event) { e.Totals.Failed = payout.Tally{} },
		"cancelled":         func(e *payout.Event) { e.Totals.Cancelled = payout.Tally{} },
		"source":            func(e *payout.Event) { e.Source = payout.SourceQuery },
		"callback":          func(e *payout.Event) { e.Source = "" },
		"deadline":          func(e *payout.Event) { e.Deadline = 4 },
		"linked to":         func(e *payout.Event) { e.LinkedTo = "" },
		"moved boundary":    func(e *payout.Event) { e.Chain, e.Token = "1951", "95" },
		"moved to the next": func(e *payout.Event) { e.From, e.To = "", "ab" },
	} {
		edited := whole
		edit(&edited)
		if other, taken := seen[edited.Fingerprint()]; taken {
			t.Errorf("%s: same fingerprint as %s", name, other)
		}
		seen[edited.Fingerprint()] = name
	}
}

func ExampleRecord_Apply() {
	id := payout.NewID("cregis", payout.TypePayout, "1382528827416576", "1391751691788288", "")
	record := payout.Record{ID: id}
	record, _ = record.Apply(payout.Event{ID: id, Status: payout.Succeeded, Amount: "1.1", Currency: "TRX"})
	record, outcome := record.Apply(payout.Event{ID: id, Status: payout.Failed, Amount: "1.1", Currency: "TRX"})
	fmt.Println(outcome, record.Status(), record.Conflicts(), record.Value(payout.FieldAmount))
	// Output: conflict conflicted [status] 1.1
}

func fold(items []any) payout.Record {
	record := payout.Record{}
	for _, item := range items {
		switch item := item.(type) {
		case payout.Event:
			record, _ = record.Apply(item)
		case payout.Resolution:
			record, _ = record.Resolve(item)
		}
	}
	return record
}

func statements(events []payout.Event) []any {
	var all []any
	for _, event := range events {
		all = append(all, event)
	}
	return all
}

func getFingerprint(item any) string {
	return item.(interface{ Fingerprint() string }).Fingerprint()
}

// statement draws events and resolutions of few distinct values, so that they agree
// and conflict.
func statement() *rapid.Generator[any] {
	value := rapid.SampledFrom([]string{"", "a", "b"})
	event := rapid.Custom(func(t *rapid.T) any {
		return payout.Event{
			ID: paid,
			Status: rapid.SampledFrom([]payout.Status{
				payout.Expected, payout.Pending, payout.Delayed, payout.Succeeded, payout.Failed, payout.Rejected, payout.Overdue, payout.Linked,
			}).Draw(t, "status"),
			Source: rapid.SampledFrom([]payout.Source{
				"", payout.SourceQuery, payout.SourceExpectation, payout.SourceReconciler, payout.SourceResolution,
			}).Draw(t, "source"),
			Deadline:    rapid.Int64Range(0, 3).Draw(t, "deadline"),
			Reason:      value.Draw(t, "reason"),
			Amount:      payout.Amount(rapid.SampledFrom([]string{"", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}).Draw(t, "amount")),
			TxID:        value.Draw(t, "txid"),
			Memo:        value.Draw(t, "memo"),
			BlockHeight: rapid.Uint64Max(3).Draw(t, "block"),
		}
	})
	resolution := rapid.Custom(func(t *rapid.T) any {
		statuses := []string{"succeeded", "failed", "rejected"}
		return payout.Resolution{ID: paid, Rejected: map[payout.Field][]string{
			payout.FieldStatus: {rapid.SampledFrom(statuses).Draw(t, "rejected")},
			payout.FieldMemo:   slices.DeleteFunc([]string{value.Draw(t, "memo")}, func(s string) bool { return s == "" }),
		}}
	})
	return rapid.OneOf(event, event, event, resolution)
}
