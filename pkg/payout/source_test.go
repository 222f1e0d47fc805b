package payout_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/payout"
)

// ordered returns an expectation of the payout paid.
func ordered(edit ...func(*payout.Event)) payout.Event {
	return stated(payout.SourceExpectation, payout.Expected, append([]func(*payout.Event){func(e *payout.Event) { e.Deadline = 5 }}, edit...)...)
}

// stated returns an event of a source about the payout paid.
func stated(source payout.Source, status payout.Status, edit ...func(*payout.Event)) payout.Event {
	e := payout.Event{ID: paid, Source: source, Status: status, Amount: "1.1", Currency: "TRX"}
	for _, change := range edit {
		change(&e)
	}
	return e
}

func answered(e payout.Event) payout.Event {
	e.Source = payout.SourceQuery
	return e
}

func orderedBatch(items int64, amount payout.Amount) payout.Event {
	return payout.Event{ID: batch, Source: payout.SourceExpectation, Status: payout.Expected,
		Totals: payout.Totals{Pending: payout.Tally{Count: items, Amount: amount}}}
}

func closedBatch(status payout.Status) payout.Event {
	return payout.Event{ID: batch, Source: payout.SourceResolution, Status: status}
}

// derived is what follows from a record.
type derived struct {
	Status                             payout.Status
	Expected, Confirmed, Open, Overdue bool
}

func TestRecord_DerivedOfPayout(t *testing.T) {
	const callback, query, person = payout.SourceCallback, payout.SourceQuery, payout.SourceResolution
	otherAmount := func(e *payout.Event) { e.Amount = "1.2" }
	unstated := func(e *payout.Event) { e.Amount, e.Currency = "", "" }
	link := func(to payout.ID) payout.Event {
		return payout.Event{ID: paid, Source: payout.SourceReconciler, Status: payout.Linked, LinkedTo: to}
	}
	late := overdue(paid, "open")
	for name, test := range map[string]struct {
		statements []any
		want       derived
	}{
		"nothing":                             {nil, derived{}},
		"callback in progress":                {[]any{stated(callback, payout.Pending)}, derived{Status: payout.Pending, Open: true}},
		"final callback":                      {[]any{stated(callback, payout.Succeeded)}, derived{Status: payout.Succeeded}},
		"expectation":                         {[]any{ordered()}, derived{Status: payout.Expected, Expected: true, Open: true}},
		"expectation, then progress":          {[]any{ordered(), stated(callback, payout.Pending)}, derived{Status: payout.Pending, Expected: true, Open: true}},
		"expectation after the end":           {[]any{stated(callback, payout.Failed), ordered()}, derived{Status: payout.Failed, Expected: true}},
		"expectation of another amount":       {[]any{stated(callback, payout.Succeeded), ordered(otherAmount)}, derived{Status: payout.Conflicted, Expected: true}},
		"expectation without an amount":       {[]any{stated(callback, payout.Succeeded), ordered(unstated)}, derived{Status: payout.Succeeded, Expected: true}},
		"two expectations of other amounts":   {[]any{ordered(), ordered(otherAmount)}, derived{Status: payout.Conflicted, Expected: true}},
		"final answer":                        {[]any{stated(query, payout.Succeeded)}, derived{Status: payout.Succeeded, Confirmed: true}},
		"final callback and answer":           {[]any{stated(callback, payout.Failed), stated(query, payout.Failed)}, derived{Status: payout.Failed, Confirmed: true}},
		"final callback, another answer":      {[]any{stated(callback, payout.Succeeded), stated(query, payout.Failed)}, derived{Status: payout.Conflicted}},
		"final callback, older answer":        {[]any{stated(callback, payout.Succeeded), stated(query, payout.Pending)}, derived{Status: payout.Succeeded}},
		"final callback, answer with a value": {[]any{stated(callback, payout.Succeeded), stated(query, payout.Succeeded, otherAmount)}, derived{Status: payout.Conflicted}},
		"cancelled answer":                    {[]any{ordered(), stated(query, payout.Cancelled)}, derived{Status: payout.Cancelled, Expected: true, Confirmed: true}},
		"answer in progress":                  {[]any{ordered(), stated(query, payout.Pending)}, derived{Status: payout.Pending, Expected: true, Open: true}},
		"overdue":                             {[]any{ordered(), late}, derived{Status: payout.Expected, Expected: true, Open: true, Overdue: true}},
		"overdue in progress":                 {[]any{ordered(), late, stated(callback, payout.Pending)}, derived{Status: payout.Pending, Expected: true, Open: true, Overdue: true}},
		"overdue, then final":                 {[]any{ordered(), late, stated(callback, payout.Failed)}, derived{Status: payout.Failed, Expected: true}},
		"overdue and in conflict":             {[]any{ordered(), late, ordered(otherAmount)}, derived{Status: payout.Conflicted, Expected: true}},
		"overdue alone":                       {[]any{late}, derived{}},
		"linked":                              {[]any{ordered(), late, link("cregis/payout/1/7")}, derived{Status: payout.Linked, Expected: true}},
		"linked after a person closed it":     {[]any{ordered(), stated(person, payout.Failed), link("cregis/payout/1/7")}, derived{Status: payout.Linked, Expected: true}},
		"linked twice":                        {[]any{ordered(), link("cregis/payout/1/7"), link("cregis/payout/1/8")}, derived{Status: payout.Conflicted, Expected: true}},
		"closed by a person":                  {[]any{ordered(), late, stated(person, payout.Failed)}, derived{Status: payout.Failed, Expected: true}},
		"closed by a person, then confirmed":  {[]any{ordered(), stated(person, payout.Failed), stated(query, payout.Failed)}, derived{Status: payout.Failed, Expected: true, Confirmed: true}},
		"closed by a person, then otherwise":  {[]any{ordered(), stated(person, payout.Failed), stated(callback, payout.Succeeded)}, derived{Status: payout.Conflicted, Expected: true}},
		"resolved for the answer": {[]any{stated(callback, payout.Succeeded), stated(query, payout.Failed), payout.Resolution{
			ID: paid, Rejected: map[payout.Field][]string{payout.FieldStatus: {"succeeded"}},
		}}, derived{Status: payout.Failed, Confirmed: true}},
		"resolved against the answer": {[]any{stated(callback, payout.Succeeded), stated(query, payout.Failed), payout.Resolution{
			ID: paid, Rejected: map[payout.Field][]string{payout.FieldStatus: {"failed"}},
		}}, derived{Status: payout.Succeeded}},
	} {
		t.Run(name, func(t *testing.T) { wantDerived(t, test.statements, test.want) })
	}
}

func TestRecord_DerivedOfBatch(t *testing.T) {
	pending, part, done := bulkEvent(payout.Pending, 3, 0, 0, 0), bulkEvent(payout.Done, 1, 2, 0, 0), bulkEvent(payout.Done, 0, 2, 1, 0)
	for name, test := range map[string]struct {
		statements []any
		want       derived
	}{
		"expectation":                           {[]any{orderedBatch(0, "")}, derived{Status: payout.Expected, Expected: true, Open: true}},
		"expectation without totals, then done": {[]any{orderedBatch(0, ""), done}, derived{Status: payout.Done, Expected: true}},
		"expectation of the items":              {[]any{orderedBatch(3, ""), done}, derived{Status: payout.Done, Expected: true}},
		"expectation of the sum":                {[]any{orderedBatch(0, "3001.5"), done}, derived{Status: payout.Done, Expected: true}},
		"expectation of other items":            {[]any{orderedBatch(4, ""), done}, derived{Status: payout.Conflicted, Expected: true}},
		"expectation of another sum":            {[]any{orderedBatch(3, "3000"), done}, derived{Status: payout.Conflicted, Expected: true}},
		"done":                                  {[]any{done}, derived{Status: payout.Done}},
		"done without items":                    {[]any{bulkEvent(payout.Done, 0, 0, 0, 0)}, derived{Status: payout.Done}},
		"done, and the answer":                  {[]any{done, answered(done)}, derived{Status: payout.Done, Confirmed: true}},
		"done, and an older answer":             {[]any{done, answered(part)}, derived{Status: payout.Done}},
		"done, and a pending answer":            {[]any{done, answered(pending)}, derived{Status: payout.Done}},
		"done by an answer":                     {[]any{part, answered(done)}, derived{Status: payout.Done, Confirmed: true}},
		"an answer with items pending":          {[]any{part, answered(part)}, derived{Status: payout.Pending, Open: true}},
		"an answer of other totals":             {[]any{done, answered(bulkEvent(payout.Done, 0, 3, 0, 0))}, derived{Status: payout.Conflicted}},
		"overdue":                               {[]any{part, overdue(batch, "open")}, derived{Status: payout.Pending, Open: true, Overdue: true}},
		"closed by a person":                    {[]any{orderedBatch(3, ""), overdue(batch, "open"), closedBatch(payout.Cancelled)}, derived{Status: payout.Cancelled, Expected: true}},
		"closed in progress":                    {[]any{pending, closedBatch(payout.Done), answered(pending)}, derived{Status: payout.Done}},
		"closed with items pending":             {[]any{part, closedBatch(payout.Done), answered(part)}, derived{Status: payout.Done}},
		"closed, then settled: totals decide":   {[]any{pending, closedBatch(payout.Cancelled), done}, derived{Status: payout.Done}},
		"closed, then settled and confirmed":    {[]any{pending, closedBatch(payout.Done), answered(done)}, derived{Status: payout.Done, Confirmed: true}},
		"closed in two ways (I8)":               {[]any{pending, closedBatch(payout.Done), closedBatch(payout.Cancelled)}, derived{Status: payout.Conflicted}},
	} {
		t.Run(name, func(t *testing.T) { wantDerived(t, test.statements, test.want) })
	}
}

// wantDerived merges the statements in both directions.
func wantDerived(t *testing.T, statements []any, want derived) {
	t.Helper()
	for range 2 {
		r := fold(statements)
		got := derived{r.Status(), r.IsExpected(), r.IsConfirmed(), r.IsOpen(), r.IsOverdue()}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("record %+v (-want +got):\n%s", r, diff)
		}
		slices.Reverse(statements)
	}
}

// Persons who close a batch in two ways are in conflict until a resolution trusts one.
func TestNewResolution_BatchClosedInTwoWays(t *testing.T) {
	record := fold([]any{bulkEvent(payout.Pending, 3, 0, 0, 0), closedBatch(payout.Done), closedBatch(payout.Cancelled)})
	resolution, err := record.NewResolution(closedBatch(payout.Cancelled))
	if err != nil {
		t.Fatal(err)
	}
	if resolved, _ := record.Resolve(resolution); resolved.Status() != payout.Cancelled {
		t.Errorf("got %q, want cancelled", resolved.Status())
	}
}

// An answer that states nothing new changes no value that the record shows.
func TestApply_OlderAnswer(t *testing.T) {
	for name, statements := range map[string][2]payout.Event{
		"payout": {stated(payout.SourceCallback, payout.Succeeded), stated(payout.SourceQuery, payout.Pending)},
		"batch":  {bulkEvent(payout.Done, 0, 2, 1, 0), answered(bulkEvent(payout.Done, 1, 1, 1, 0))},
	} {
		before, _ := payout.Record{}.Apply(statements[0])
		after, outcome := before.Apply(statements[1])
		if outcome != payout.Unchanged || !after.ShowsSame(before) {
			t.Errorf("%s: got %q", name, outcome)
		}
	}
}

func TestApply_OutcomeOfSources(t *testing.T) {
	var record payout.Record
	for n, step := range []struct {
		event payout.Event
		want  payout.Outcome
	}{
		{ordered(), payout.Changed},
		{ordered(func(e *payout.Event) { e.Memo = "7" }), payout.Changed}, // a value stated later
		{ordered(func(e *payout.Event) { e.Deadline = 3 }), payout.Unchanged},
		{ordered(func(e *payout.Event) { e.Deadline = 4 }), payout.Unchanged},
		{overdue(paid, "open"), payout.Changed},
		{overdue(paid, "unasked"), payout.Unchanged},
		{stated(payout.SourceCallback, payout.Succeeded), payout.Changed},
		{stated(payout.SourceQuery, payout.Pending), payout.Unchanged},
		{stated(payout.SourceQuery, payout.Succeeded), payout.Changed}, // confirmed
		{stated(payout.SourceQuery, payout.Failed), payout.Conflict},
	} {
		var got payout.Outcome
		if record, got = record.Apply(step.event); got != step.want {
			t.Errorf("step %d: got %q, want %q", n+1, got, step.want)
		}
	}
	if record.Deadline != 3 || record.Version != 10 {
		t.Errorf("got deadline %d and version %d, want the earliest, 3, and 10", record.Deadline, record.Version)
	}
}

// Callbacks have the fingerprints that they had before there were other sources.
func TestFingerprint_OfCallbacks(t *testing.T) {
	for want, event := range map[string]payout.Event{
		"1X93dTfS0R00HBbQ5ZHjDnw": {ID: paid, Status: payout.Succeeded, Amount: "1.1", Currency: "TRX", Chain: "195", Token: "195",
			Reference: "PAY-1", From: "a", To: "b", Memo: "m", TxID: "0xabc", BlockHeight: 7, BlockTime: 1686814482000},
		"1zRA1B3H84PAb_ZJ-5K55Sw": {ID: batch, Status: payout.Done, Totals: payout.Totals{
			Succeeded: payout.Tally{Count: 2, Amount: "2001"}, Failed: payout.Tally{Count: 1, Amount: "1000.5"}}},
		"17dfQllKwcXj1iCPd9R5y5A": {ID: payout.NewID("pivot", payout.TypePayout, "922e39ab", "d6a46a2c", "ref / 1"), Status: payout.Failed,
			Amount: "10000", Currency: "IDR", Reference: "ref / 1", Reason: "Invalid Account"},
	} {
		if got := event.Fingerprint(); got != want {
			t.Errorf("%s %s: got %s, want %s", event.ID, event.Status, got, want)
		}
		event.Source = payout.SourceCallback
		if got := event.Fingerprint(); got != want {
			t.Errorf("%s %s, source stated: got %s, want %s", event.ID, event.Status, got, want)
		}
	}
}
