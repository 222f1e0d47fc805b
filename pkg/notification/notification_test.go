package notification_test

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/notification"
	"payout-callbacks/pkg/payout"
)

const (
	paid  payout.ID = "cregis/payout/1382528827416576/7001"
	batch payout.ID = "pivot/batch/922e39ab-7565-49f6-b84f-fb56122821ae/5b0f3c6e-2f6e-4a39-9d0c-6f1d2a7e4b55"
)

var at = time.Date(2026, 11, 21, 9, 0, 0, 123e6, time.UTC)

// event returns an event of a Cregis payout, with edits.
func event(status payout.Status, edit ...func(*payout.Event)) payout.Event {
	e := payout.Event{
		ID: paid, Status: status, Amount: "2.5", Currency: "TRX", Chain: "195", Token: "195", Reference: "order-7001",
		From: "canary-from", To: "canary-to", Memo: "canary-memo",
	}
	for _, item := range edit {
		item(&e)
	}
	return e
}

func amount(a payout.Amount) func(*payout.Event) { return func(e *payout.Event) { e.Amount = a } }
func txid(id string) func(*payout.Event)         { return func(e *payout.Event) { e.TxID = id } }
func reason(text string) func(*payout.Event)     { return func(e *payout.Event) { e.Reason = text } }

func from(source payout.Source) func(*payout.Event) {
	return func(e *payout.Event) { e.Source = source }
}

// expectation returns the event of a payout that our own service ordered.
func expectation(edit ...func(*payout.Event)) payout.Event {
	ordered := func(e *payout.Event) { e.Source, e.Chain, e.Deadline = payout.SourceExpectation, "", at.UnixMilli() }
	return event(payout.Expected, append([]func(*payout.Event){ordered}, edit...)...)
}

// overdue returns the reconciler's event.
func overdue(id payout.ID, why string) payout.Event {
	return payout.Event{ID: id, Source: payout.SourceReconciler, Status: payout.Overdue, Reason: why}
}

// linked returns the reconciler's event about an expected payout.
func linked(to payout.ID) payout.Event {
	return payout.Event{ID: paid, Source: payout.SourceReconciler, Status: payout.Linked, LinkedTo: to}
}

func height(n uint64) func(*payout.Event) {
	return func(e *payout.Event) { e.BlockHeight, e.BlockTime = n, int64(n) }
}

// answered returns a batch event as the answer to a query states it.
func answered(e payout.Event) payout.Event {
	e.Source = payout.SourceQuery
	return e
}

// totals returns an event of a Pivot batch with three items.
func totals(status payout.Status, succeeded, failed, cancelled int64) payout.Event {
	tally := func(n int64) payout.Tally {
		return payout.Tally{Count: n, Amount: []payout.Amount{"0", "1000.5", "2001", "3001.5"}[n]}
	}
	return payout.Event{ID: batch, Status: status, Totals: payout.Totals{
		Pending: tally(3 - succeeded - failed - cancelled), Succeeded: tally(succeeded), Failed: tally(failed), Cancelled: tally(cancelled),
	}}
}

func reject(field payout.Field, values ...string) payout.Resolution {
	return payout.Resolution{ID: paid, Rejected: map[payout.Field][]string{field: values}}
}

// fold returns the records before each statement and after the last.
func fold(statements ...any) []payout.Record {
	records := []payout.Record{{}}
	for _, statement := range statements {
		next := records[len(records)-1]
		switch statement := statement.(type) {
		case payout.Event:
			next, _ = next.Apply(statement)
		case payout.Resolution:
			next, _ = next.Resolve(statement)
		}
		records = append(records, next)
	}
	return records
}

func record(statements ...any) payout.Record { return fold(statements...)[len(statements)] }

// publishedCase is a history, and the type that is published after each statement.
type publishedCase struct {
	statements []any
	want       []notification.Type
}

const none notification.Type = "" // nothing is published

func publishedCases() map[string]publishedCase {
	resolved := reject(payout.FieldStatus, "failed")
	replaced := reject(payout.FieldStatus, "succeeded")
	replaced.Replaces = []string{resolved.Fingerprint()}
	amountOnce := reject(payout.FieldAmount, "2.6")
	amountTwice := reject(payout.FieldAmount, "2.5")
	amountTwice.Replaces = []string{amountOnce.Fingerprint()}
	// corrects returns a history that resolves a field to one value and then to the other.
	corrects := func(field payout.Field, first, second string, edit func(*payout.Event)) []any {
		once, twice := reject(field, second), reject(field, first)
		twice.Replaces = []string{once.Fingerprint()}
		return []any{event(payout.Succeeded, txid("0xa")), event(payout.Succeeded, txid("0xa"), edit), once, twice}
	}
	corrected := []notification.Type{notification.PayoutSucceeded, notification.PayoutConflicted, notification.PayoutResolved, notification.PayoutResolved}
	return map[string]publishedCase{
		"no final status":             {[]any{event(payout.Pending), event(payout.Delayed)}, []notification.Type{none, none}},
		"succeeded":                   {[]any{event(payout.Pending), event(payout.Succeeded)}, []notification.Type{none, notification.PayoutSucceeded}},
		"failed":                      {[]any{event(payout.Failed)}, []notification.Type{notification.PayoutFailed}},
		"rejected":                    {[]any{event(payout.Rejected)}, []notification.Type{notification.PayoutRejected}},
		"cancelled":                   {[]any{event(payout.Cancelled)}, []notification.Type{notification.PayoutCancelled}},
		"transaction stated later":    {[]any{event(payout.Succeeded), event(payout.Succeeded, txid("0xabc"))}, []notification.Type{notification.PayoutSucceeded, none}},
		"block stated later":          {[]any{event(payout.Succeeded), event(payout.Succeeded, height(7))}, []notification.Type{notification.PayoutSucceeded, none}},
		"reason stated later":         {[]any{event(payout.Failed), event(payout.Failed, reason("why"))}, []notification.Type{notification.PayoutFailed, none}},
		"late pending":                {[]any{event(payout.Succeeded), event(payout.Pending)}, []notification.Type{notification.PayoutSucceeded, none}},
		"amount stated later":         {[]any{event(payout.Succeeded, amount("")), event(payout.Succeeded)}, []notification.Type{notification.PayoutSucceeded, none}},
		"conflict":                    {[]any{event(payout.Succeeded), event(payout.Failed)}, []notification.Type{notification.PayoutSucceeded, notification.PayoutConflicted}},
		"second conflict":             {[]any{event(payout.Succeeded), event(payout.Failed), event(payout.Failed, amount("9"))}, []notification.Type{notification.PayoutSucceeded, notification.PayoutConflicted, none}},
		"resolution":                  {[]any{event(payout.Succeeded), event(payout.Failed), resolved}, []notification.Type{notification.PayoutSucceeded, notification.PayoutConflicted, notification.PayoutResolved}},
		"rejected value again":        {[]any{event(payout.Succeeded), event(payout.Failed), resolved, event(payout.Failed, reason("again"))}, []notification.Type{notification.PayoutSucceeded, notification.PayoutConflicted, notification.PayoutResolved, none}},
		"conflict after a resolution": {[]any{event(payout.Succeeded), event(payout.Failed), resolved, event(payout.Rejected)}, []notification.Type{notification.PayoutSucceeded, notification.PayoutConflicted, notification.PayoutResolved, notification.PayoutConflicted}},
		"replaced resolution":         {[]any{event(payout.Succeeded), event(payout.Failed), resolved, replaced}, []notification.Type{notification.PayoutSucceeded, notification.PayoutConflicted, notification.PayoutResolved, notification.PayoutResolved}},
		"resolution before conflict":  {[]any{resolved, event(payout.Succeeded), event(payout.Failed)}, []notification.Type{none, notification.PayoutResolved, none}},
		"amount corrected":            {[]any{event(payout.Succeeded), event(payout.Succeeded, amount("2.6")), amountOnce, amountTwice}, []notification.Type{notification.PayoutSucceeded, notification.PayoutConflicted, notification.PayoutResolved, notification.PayoutResolved}},
		"reference corrected":         {corrects(payout.FieldReference, "order-7001", "order-9", func(e *payout.Event) { e.Reference = "order-9" }), corrected},
		"currency corrected":          {corrects(payout.FieldCurrency, "TRX", "USDT", func(e *payout.Event) { e.Currency = "USDT" }), corrected},
		"chain corrected":             {corrects(payout.FieldChain, "195", "60", func(e *payout.Event) { e.Chain = "60" }), corrected},
		"token corrected":             {corrects(payout.FieldToken, "195", "196", func(e *payout.Event) { e.Token = "196" }), corrected},
		"transaction corrected":       {corrects(payout.FieldTxID, "0xa", "0xb", func(e *payout.Event) { e.TxID = "0xb" }), corrected},
		"address corrected":           {corrects(payout.FieldTo, "canary-to", "canary-2", func(e *payout.Event) { e.To = "canary-2" }), append(corrected[:3:3], none)},
		"corrected during a conflict": {[]any{event(payout.Succeeded), event(payout.Failed), event(payout.Failed, amount("2.6")), amountOnce, amountTwice}, []notification.Type{notification.PayoutSucceeded, notification.PayoutConflicted, none, none, none}},
		"batch":                       {[]any{totals(payout.Pending, 0, 0, 0), totals(payout.Delayed, 0, 0, 0), totals(payout.Done, 1, 0, 0), totals(payout.Done, 2, 1, 0)}, []notification.Type{notification.BatchUpdated, notification.BatchUpdated, notification.BatchUpdated, notification.BatchUpdated}},
		"batch item by item":          {[]any{totals(payout.Done, 1, 0, 0), totals(payout.Done, 2, 0, 0)}, []notification.Type{notification.BatchUpdated, notification.BatchUpdated}},
		"unchanged batch":             {[]any{totals(payout.Done, 2, 0, 0), totals(payout.Done, 1, 0, 0), totals(payout.Pending, 0, 0, 0)}, []notification.Type{notification.BatchUpdated, none, none}},
	}
}

// sourceCases are histories with statements of other sources than callbacks.
func sourceCases() map[string]publishedCase {
	query, closed := from(payout.SourceQuery), from(payout.SourceResolution)
	resolved := reject(payout.FieldAmount, "2.6")
	order := payout.Event{ID: batch, Source: payout.SourceExpectation, Status: payout.Expected, Reference: "payday"}
	closing := payout.Event{ID: batch, Source: payout.SourceResolution, Status: payout.Done}
	const (
		succeeded, failed, conflicted = notification.PayoutSucceeded, notification.PayoutFailed, notification.PayoutConflicted
		confirmed, late, updated      = notification.PayoutConfirmed, notification.PayoutOverdue, notification.BatchUpdated
	)
	return map[string]publishedCase{
		"expected":                        {[]any{expectation()}, []notification.Type{none}},
		"expected again":                  {[]any{expectation(), expectation(func(e *payout.Event) { e.Deadline-- })}, []notification.Type{none, none}},
		"expected with two amounts":       {[]any{expectation(), expectation(amount("2.6")), resolved}, []notification.Type{none, conflicted, notification.PayoutResolved}},
		"linked":                          {[]any{expectation(), linked("cregis/payout/7/1")}, []notification.Type{none, none}},
		"linked twice":                    {[]any{expectation(), linked("cregis/payout/7/1"), linked("cregis/payout/7/2")}, []notification.Type{none, none, conflicted}},
		"linked after a resolution":       {[]any{expectation(), expectation(amount("2.6")), resolved, linked("cregis/payout/7/1")}, []notification.Type{none, conflicted, notification.PayoutResolved, none}},
		"overdue, then linked":            {[]any{expectation(), overdue(paid, "unasked"), linked("cregis/payout/7/1")}, []notification.Type{none, late, none}},
		"expected, then succeeded":        {[]any{expectation(), event(payout.Succeeded)}, []notification.Type{none, succeeded}},
		"expected after it succeeded":     {[]any{event(payout.Succeeded), expectation()}, []notification.Type{succeeded, none}},
		"differs from the order":          {[]any{expectation(), event(payout.Succeeded, amount("9"))}, []notification.Type{none, conflicted}},
		"succeeded by a query":            {[]any{expectation(), event(payout.Succeeded, query)}, []notification.Type{none, succeeded}},
		"confirmed later":                 {[]any{event(payout.Succeeded), event(payout.Succeeded, query)}, []notification.Type{succeeded, confirmed}},
		"confirmed by the first query":    {[]any{event(payout.Succeeded), event(payout.Succeeded, query), event(payout.Succeeded, query, height(7))}, []notification.Type{succeeded, confirmed, none}},
		"query before the callback":       {[]any{event(payout.Succeeded, query), event(payout.Succeeded)}, []notification.Type{succeeded, none}},
		"query says pending":              {[]any{event(payout.Succeeded), event(payout.Pending, query)}, []notification.Type{succeeded, none}},
		"query says otherwise":            {[]any{event(payout.Succeeded), event(payout.Failed, query)}, []notification.Type{succeeded, conflicted}},
		"cancelled by a query":            {[]any{expectation(), event(payout.Cancelled, query)}, []notification.Type{none, notification.PayoutCancelled}},
		"overdue":                         {[]any{expectation(), overdue(paid, "open")}, []notification.Type{none, late}},
		"overdue for a second reason":     {[]any{expectation(), overdue(paid, "open"), overdue(paid, "unknown-to-provider")}, []notification.Type{none, late, none}},
		"overdue, stated out of order":    {[]any{overdue(paid, "open"), expectation()}, []notification.Type{none, late}},
		"overdue and in progress":         {[]any{expectation(), overdue(paid, "open"), event(payout.Pending)}, []notification.Type{none, late, none}},
		"overdue, then failed":            {[]any{expectation(), overdue(paid, "open"), event(payout.Failed)}, []notification.Type{none, late, failed}},
		"overdue after the end":           {[]any{expectation(), event(payout.Failed), overdue(paid, "open")}, []notification.Type{none, failed, none}},
		"overdue and in conflict":         {[]any{expectation(), overdue(paid, "open"), expectation(amount("2.6")), resolved}, []notification.Type{none, late, conflicted, notification.PayoutResolved}},
		"closed by a person":              {[]any{expectation(), overdue(paid, "unasked"), event(payout.Failed, closed)}, []notification.Type{none, late, failed}},
		"expected batch":                  {[]any{order, totals(payout.Pending, 0, 0, 0)}, []notification.Type{none, updated}},
		"overdue batch":                   {[]any{order, overdue(batch, "open"), totals(payout.Pending, 0, 0, 0)}, []notification.Type{none, late, updated}},
		"overdue batch with totals":       {[]any{totals(payout.Done, 1, 0, 0), order, overdue(batch, "open"), totals(payout.Done, 2, 0, 0)}, []notification.Type{updated, none, late, updated}},
		"confirmed batch":                 {[]any{totals(payout.Done, 2, 1, 0), answered(totals(payout.Done, 2, 1, 0))}, []notification.Type{updated, confirmed}},
		"batch that ends by a query":      {[]any{totals(payout.Done, 1, 0, 0), answered(totals(payout.Done, 2, 1, 0))}, []notification.Type{updated, updated}},
		"older answer about a batch":      {[]any{totals(payout.Done, 2, 1, 0), answered(totals(payout.Pending, 0, 0, 0)), answered(totals(payout.Done, 1, 1, 0))}, []notification.Type{updated, none, none}},
		"batch closed by a person":        {[]any{order, overdue(batch, "open"), closing}, []notification.Type{none, late, updated}},
		"closed batch with a late answer": {[]any{order, closing, answered(totals(payout.Pending, 0, 0, 0))}, []notification.Type{none, updated, updated}},
	}
}

func TestFromChange_Histories(t *testing.T) {
	cases := publishedCases()
	maps.Copy(cases, sourceCases())
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			records := fold(test.statements...)
			var got []notification.Type
			for n := range test.statements {
				published, ok := notification.FromChange(records[n], records[n+1], at)
				if ok != (published.Type != none) {
					t.Errorf("statement %d: %t, and %q", n+1, ok, published.Type)
				}
				if ok && published.PreviousStatus != records[n].Status() {
					t.Errorf("statement %d: previous status %q, want %q", n+1, published.PreviousStatus, records[n].Status())
				}
				got = append(got, published.Type)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("published (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFromRecord(t *testing.T) {
	for name, test := range map[string]struct {
		record payout.Record
		want   notification.Notification
	}{
		"a payout": {
			record(event(payout.Pending), event(payout.Succeeded, txid("0xabc"), reason("so"))),
			notification.Notification{
				Schema: 1, ID: string(paid) + "#2", Type: notification.PayoutSucceeded, Payout: paid, Version: 2, Status: payout.Succeeded,
				Provider: "cregis", PayoutType: payout.TypePayout, Account: "1382528827416576", Reference: "order-7001",
				Amount: "2.5", Currency: "TRX", Chain: "195", Token: "195", TxID: "0xabc", Reason: "so", UpdatedAt: at,
			},
		},
		"a conflict": {
			record(event(payout.Succeeded), event(payout.Failed, amount("9"))),
			notification.Notification{
				Schema: 1, ID: string(paid) + "#2", Type: notification.PayoutConflicted, Payout: paid, Version: 2, Status: payout.Conflicted,
				Provider: "cregis", PayoutType: payout.TypePayout, Account: "1382528827416576", Reference: "order-7001",
				Currency: "TRX", Chain: "195", Token: "195", UpdatedAt: at,
				ConflictingFields: []payout.Field{payout.FieldAmount, payout.FieldStatus},
			},
		},
		"an overdue payout": {
			record(expectation(), overdue(paid, "open")),
			notification.Notification{
				Schema: 1, ID: string(paid) + "#2", Type: notification.PayoutOverdue, Payout: paid, Version: 2, Status: payout.Expected,
				Expected: true, Overdue: true, Sources: []payout.Source{payout.SourceExpectation, payout.SourceReconciler},
				Provider: "cregis", PayoutType: payout.TypePayout, Account: "1382528827416576", Reference: "order-7001",
				Amount: "2.5", Currency: "TRX", Token: "195", UpdatedAt: at,
			},
		},
		"a payout that differs from its order": {
			record(expectation(), event(payout.Succeeded, amount("9"))),
			notification.Notification{
				Schema: 1, ID: string(paid) + "#2", Type: notification.PayoutConflicted, Payout: paid, Version: 2, Status: payout.Conflicted,
				Expected: true, Sources: []payout.Source{payout.SourceCallback, payout.SourceExpectation},
				Provider: "cregis", PayoutType: payout.TypePayout, Account: "1382528827416576", Reference: "order-7001",
				Currency: "TRX", Chain: "195", Token: "195", UpdatedAt: at, ConflictingFields: []payout.Field{payout.FieldAmount},
			},
		},
		"a confirmed payout": {
			record(event(payout.Succeeded), event(payout.Succeeded, from(payout.SourceQuery))),
			notification.Notification{
				Schema: 1, ID: string(paid) + "#2", Type: notification.PayoutSucceeded, Payout: paid, Version: 2, Status: payout.Succeeded,
				Confirmed: true, Sources: []payout.Source{payout.SourceCallback, payout.SourceQuery},
				Provider: "cregis", PayoutType: payout.TypePayout, Account: "1382528827416576", Reference: "order-7001",
				Amount: "2.5", Currency: "TRX", Chain: "195", Token: "195", UpdatedAt: at,
			},
		},
		"a batch": {
			record(totals(payout.Done, 1, 1, 0)),
			notification.Notification{
				Schema: 1, ID: string(batch) + "#1", Type: notification.BatchUpdated, Payout: batch, Version: 1, Status: payout.Pending,
				Provider: "pivot", PayoutType: payout.TypeBatch, Account: "922e39ab-7565-49f6-b84f-fb56122821ae", Amount: "3001.5", UpdatedAt: at,
				Totals: &notification.Totals{
					Items: 3, Succeeded: payout.Tally{Count: 1, Amount: "1000.5"}, Failed: payout.Tally{Count: 1, Amount: "1000.5"},
					Cancelled: payout.Tally{Amount: "0"},
				},
			},
		},
	} {
		got, ok := notification.FromRecord(test.record, at)
		if diff := cmp.Diff(test.want, got); !ok || diff != "" {
			t.Errorf("%s: ok = %t (-want +got):\n%s", name, ok, diff)
		}
	}
	for name, silent := range map[string]payout.Record{
		"without events": {ID: paid}, "expected": record(expectation()), "in progress": record(expectation(), event(payout.Pending)),
		"linked, although it was overdue": record(expectation(), overdue(paid, "open"), linked("cregis/payout/7/1")),
	} {
		if got, ok := notification.FromRecord(silent, at); ok {
			t.Errorf("record %s: %+v", name, got)
		}
	}
}
