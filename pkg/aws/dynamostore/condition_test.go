package dynamostore_test

import (
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/templatetest"
)

var accepted = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// put creates the receipt of an event and returns the change that it makes to
// a record.
func put(t *testing.T, store inbox.Store, record payout.Record, status payout.Status) inbox.Change {
	t.Helper()
	event := payout.Event{ID: "cregis/payout/1/2", Status: status, Amount: "1"}
	receipt := inbox.NewReceipt(event, nil, "", accepted)
	if existing, err := store.Create(t.Context(), receipt); err != nil || existing.State != "" {
		t.Fatalf("found %q, %v", existing, err)
	}
	next, outcome := record.Apply(event)
	receipt.State, receipt.Outcome, receipt.AppliedAt = inbox.Applied, outcome, accepted
	return inbox.Change{Receipt: receipt, Record: next, ExpectedVersion: record.Version}
}

// I4: two consumers that read one version write one after the other, and the
// second is told what the first wrote. That it comes out right among many at
// once proves little: they seldom meet.
func TestAChangeToARecordThatMovedOnIsRefused(t *testing.T) {
	store := newStore(t, templatetest.DynamoDB(t))
	first := put(t, store, payout.Record{}, payout.Pending)
	if refusal, err := store.Apply(t.Context(), first); err != nil || refusal != nil {
		t.Fatalf("the first: %+v, %v", refusal, err)
	}
	change, other := put(t, store, first.Record, payout.Succeeded), put(t, store, first.Record, payout.Failed)
	if refusal, err := store.Apply(t.Context(), change); err != nil || refusal != nil {
		t.Fatalf("the second: %+v, %v", refusal, err)
	}
	refusal, err := store.Apply(t.Context(), other)
	if err != nil || refusal == nil || !refusal.RecordFailed || refusal.ReceiptFailed || refusal.Record.Version != 2 {
		t.Errorf("the third, on the record of the first: %+v, %v, want the record refused and told", refusal, err)
	}
}

func TestAnAppliedReceiptIsNeverDue(t *testing.T) {
	store := newStore(t, templatetest.DynamoDB(t))
	change := put(t, store, payout.Record{}, payout.Succeeded)
	later := accepted.Add(24 * time.Hour)
	if due, err := store.Due(t.Context(), later, 10); err != nil || len(due) != 1 {
		t.Fatalf("received: %d are due, %v, want it", len(due), err)
	}
	if refusal, err := store.Apply(t.Context(), change); err != nil || refusal != nil {
		t.Fatalf("apply: %+v, %v", refusal, err)
	}
	if due, err := store.Due(t.Context(), later, 10); err != nil || len(due) != 0 {
		t.Errorf("applied: %d are due, %v, want none", len(due), err)
	}
}
