package payout_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"payout-callbacks/pkg/payout"
)

// maxStatements limits the size of the subsets that are merged in every order.
const maxStatements = 5

// I5, exhaustively: of a dozen statements that agree and conflict in every way,
// every subset of up to five gives an identical record in every order.
func TestMerge_OrdersOfSubsets(t *testing.T) {
	t.Parallel()
	for name, dozen := range map[string][]any{
		"callbacks of a payout": payoutStatements(), "all sources of a payout": payoutSources(),
		"callbacks of a batch": batchStatements(), "all sources of a batch": batchSources(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &law{T: t, statements: dozen, records: map[uint]payout.Record{}}
			l.extend(payout.Record{}, 0, 0)
			t.Logf("%d statements, %d subsets of up to %d of them, %d orders", len(dozen), len(l.records), maxStatements, l.orders)
			if len(dozen) != 12 || len(l.records) != 1585 || l.orders != 108_384 {
				t.Error("the subsets and orders are not complete")
			}
		})
	}
}

// law walks the tree of all orders: each node merges one more statement into the
// record of the statements before it.
type law struct {
	*testing.T
	statements []any
	records    map[uint]payout.Record // by the set of statements, one bit each
	orders     int
}

func (l *law) extend(record payout.Record, merged uint, count int) {
	if count == maxStatements {
		return
	}
	for n, item := range l.statements {
		if merged&(1<<n) != 0 {
			continue
		}
		next, set := merge(record, item), merged|1<<n
		l.orders++
		first, known := l.records[set]
		if !known {
			l.records[set] = next
		} else if !reflect.DeepEqual(first, next) {
			l.Fatalf("statements %b: the record depends on the order:\n%s", set, cmp.Diff(first, next))
		}
		l.extend(next, set, count+1)
	}
}

func merge(record payout.Record, item any) payout.Record {
	switch item := item.(type) {
	case payout.Event:
		record, _ = record.Apply(item)
	case payout.Resolution:
		record, _ = record.Resolve(item)
	}
	return record
}

func payoutStatements() []any {
	event := func(status payout.Status, edit func(*payout.Event)) payout.Event {
		e := payout.Event{ID: paid, Status: status, Amount: "1.1", Currency: "TRX", Reference: "PAY-1"}
		edit(&e)
		return e
	}
	nothing := func(*payout.Event) {}
	reject := func(status payout.Status, replaces ...string) payout.Resolution {
		return payout.Resolution{
			ID: paid, Rejected: map[payout.Field][]string{payout.FieldStatus: {string(status)}}, Replaces: replaces,
		}
	}
	return []any{
		event(payout.Pending, nothing),
		event(payout.Delayed, func(e *payout.Event) { e.Reason = "slow" }),
		event(payout.Succeeded, func(e *payout.Event) { e.TxID, e.BlockHeight, e.BlockTime = "0xabc", 7, 1686814482000 }),
		event(payout.Succeeded, func(e *payout.Event) { e.TxID, e.BlockHeight = "0xabc", 9 }), // the chain was reorganised
		event(payout.Succeeded, func(e *payout.Event) { e.TxID, e.Memo, e.To = "0xdef", "7", "an address" }),
		event(payout.Succeeded, func(e *payout.Event) { e.Amount = "1.2" }),
		event(payout.Failed, func(e *payout.Event) { e.Reason = "Invalid Account" }),
		event(payout.Failed, func(e *payout.Event) { e.Reason = "Dormant Account" }),
		event(payout.Rejected, func(e *payout.Event) { e.Reason, e.Currency = "approval", "" }),
		reject(payout.Failed),
		reject(payout.Succeeded),
		reject(payout.Succeeded, reject(payout.Failed).Fingerprint(), reject(payout.Succeeded).Fingerprint()),
	}
}

// payoutSources returns statements of all sources about a payout.
func payoutSources() []any {
	by := func(source payout.Source, status payout.Status, edit ...func(*payout.Event)) payout.Event {
		e := payout.Event{ID: paid, Source: source, Status: status, Amount: "1.1", Currency: "TRX", Reference: "PAY-1"}
		for _, change := range edit {
			change(&e)
		}
		return e
	}
	amount := func(e *payout.Event) { e.Amount = "1.2" }
	deadline := func(at int64) func(*payout.Event) { return func(e *payout.Event) { e.Deadline = at } }
	return []any{
		by(payout.SourceCallback, payout.Succeeded, func(e *payout.Event) { e.TxID, e.BlockHeight = "0xabc", 7 }),
		by(payout.SourceCallback, payout.Failed, func(e *payout.Event) { e.Reason = "why" }),
		by(payout.SourceExpectation, payout.Expected, deadline(5)),
		by(payout.SourceExpectation, payout.Expected, deadline(3), amount),
		by(payout.SourceQuery, payout.Pending),
		by(payout.SourceQuery, payout.Succeeded),
		by(payout.SourceQuery, payout.Succeeded, amount),
		by(payout.SourceQuery, payout.Cancelled),
		overdue(paid, "open"),
		overdue(paid, "unknown-to-provider"),
		payout.Event{ID: paid, Source: payout.SourceReconciler, Status: payout.Linked, LinkedTo: "cregis/payout/1382528827416576/7"},
		payout.Event{ID: paid, Source: payout.SourceResolution, Status: payout.Failed, Reason: "closed"},
	}
}

// overdue returns the reconciler's statement that a payout is overdue.
func overdue(id payout.ID, reason string) payout.Event {
	return payout.Event{ID: id, Source: payout.SourceReconciler, Status: payout.Overdue, Reason: reason}
}

// bulkEvent returns a callback of a batch with these items, of 1000.5 each.
func bulkEvent(status payout.Status, pending, succeeded, failed, cancelled int64) payout.Event {
	amounts := []payout.Amount{"0", "1000.5", "2001", "3001.5", "4002"}
	tally := func(n int64) payout.Tally { return payout.Tally{Count: n, Amount: amounts[n]} }
	return payout.Event{ID: batch, Status: status, Totals: payout.Totals{
		Pending: tally(pending), Succeeded: tally(succeeded), Failed: tally(failed), Cancelled: tally(cancelled),
	}}
}

// batchSources returns statements of all sources about a batch.
func batchSources() []any {
	by := func(source payout.Source, e payout.Event) payout.Event {
		e.Source = source
		return e
	}
	order := func(deadline, items int64, amount payout.Amount) payout.Event {
		return payout.Event{
			ID: batch, Source: payout.SourceExpectation, Status: payout.Expected, Reference: "payday", Deadline: deadline,
			Totals: payout.Totals{Pending: payout.Tally{Count: items, Amount: amount}},
		}
	}
	closing := func(status payout.Status) payout.Event {
		return payout.Event{ID: batch, Source: payout.SourceResolution, Status: status}
	}
	return []any{
		bulkEvent(payout.Pending, 3, 0, 0, 0),
		bulkEvent(payout.Done, 0, 2, 1, 0),
		order(5, 3, "3001.5"),
		order(3, 4, ""),
		by(payout.SourceQuery, bulkEvent(payout.Pending, 3, 0, 0, 0)),
		by(payout.SourceQuery, bulkEvent(payout.Done, 1, 1, 1, 0)), // older than the callback
		by(payout.SourceQuery, bulkEvent(payout.Done, 0, 2, 1, 0)),
		by(payout.SourceQuery, bulkEvent(payout.Cancelled, 0, 1, 1, 1)),
		overdue(batch, "open"),
		overdue(batch, "unasked"),
		closing(payout.Done),
		closing(payout.Cancelled),
	}
}

func batchStatements() []any {
	event := bulkEvent
	other := event(payout.Done, 0, 3, 0, 0)
	other.Totals.Succeeded.Amount = "1"
	// The greatest totals of Done 2+1 and Done 3+0 settle more than three items.
	settle := func(trusted payout.Event) payout.Resolution {
		return payout.Resolution{
			ID:       batch,
			Trusted:  map[payout.Field]string{payout.FieldSettled: trusted.Claim(payout.FieldSettled)},
			Rejected: map[payout.Field][]string{payout.FieldSettled: {"succeeded 3 3001.5, failed 1 1000.5, cancelled 0 0"}},
		}
	}
	return []any{
		event(payout.Pending, 3, 0, 0, 0),
		event(payout.Delayed, 3, 0, 0, 0),
		event(payout.Done, 1, 1, 1, 0),
		event(payout.Done, 0, 2, 1, 0),
		event(payout.Done, 0, 3, 0, 0),
		event(payout.Done, 0, 4, 0, 0), // of another size
		other,                          // of another sum
		event(payout.Cancelled, 0, 1, 0, 2),
		event(payout.Cancelled, 0, 0, 0, 3),
		payout.Resolution{ID: batch, Rejected: map[payout.Field][]string{payout.FieldItems: {"4"}, payout.FieldAmount: {"1", "4002"}}},
		settle(event(payout.Done, 0, 3, 0, 0)),
		settle(event(payout.Done, 0, 2, 1, 0)),
	}
}

// I5, for batches: the record does not depend on the order of totals.
func TestMerge_OrderOfTotals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfNDistinct(rapid.Custom(totals), 1, 10, getFingerprint).Draw(t, "statements")
		shuffled := rapid.Permutation(items).Draw(t, "shuffled")
		if diff := cmp.Diff(fold(items), fold(shuffled)); diff != "" {
			t.Fatalf("the record depends on the order:\n%s", diff)
		}
	})
}

// totals draws a batch event whose numbers may be inconsistent.
func totals(t *rapid.T) any {
	tally := func(name string) payout.Tally {
		n := rapid.Int64Range(0, 3).Draw(t, name)
		return payout.Tally{Count: n, Amount: []payout.Amount{"0", "0.5", "1000", "1000.5"}[rapid.IntRange(0, 3).Draw(t, name+" amount")]}
	}
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0:
		return orderedBatch(rapid.Int64Range(0, 3).Draw(t, "items"), rapid.SampledFrom([]payout.Amount{"", "1000"}).Draw(t, "sum"))
	case 1:
		return closedBatch(rapid.SampledFrom([]payout.Status{payout.Done, payout.Cancelled}).Draw(t, "closed"))
	}
	status := rapid.SampledFrom([]payout.Status{payout.Pending, payout.Delayed, payout.Done, payout.Cancelled}).Draw(t, "status")
	source := rapid.SampledFrom([]payout.Source{"", payout.SourceQuery}).Draw(t, "source")
	return payout.Event{ID: batch, Source: source, Status: status, Totals: payout.Totals{
		Pending: tally("pending"), Succeeded: tally("succeeded"), Failed: tally("failed"), Cancelled: tally("cancelled"),
	}}
}
