package notification_test

import (
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

func height(n uint64) func(*payout.Event) {
	return func(e *payout.Event) { e.BlockHeight, e.BlockTime = n, int64(n) }
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

func TestFromChange_Histories(t *testing.T) {
	for name, test := range publishedCases() {
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
	if got, ok := notification.FromRecord(payout.Record{ID: paid}, at); ok {
		t.Errorf("record without events: %+v", got)
	}
}
