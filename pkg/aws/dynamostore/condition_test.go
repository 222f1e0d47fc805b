package dynamostore_test

import (
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/templatetest"
)

var accepted = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// newChange creates the receipt of an event and returns the change that applies it
// to a record.
func newChange(t *testing.T, store inbox.Store, record payout.Record, status payout.Status) inbox.Change {
	t.Helper()
	event := payout.Event{ID: "cregis/payout/1/2", Status: status, Amount: "1"}
	receipt := inbox.NewReceipt(event, nil, "", accepted)
	if existing, err := store.Create(t.Context(), receipt); err != nil || existing.State != "" {
		t.Fatalf("existing receipt %q, %v", existing, err)
	}
	next, outcome := record.Apply(event)
	receipt.State, receipt.Outcome, receipt.AppliedAt = inbox.Applied, outcome, accepted
	return inbox.Change{Receipt: receipt, Record: next, ExpectedVersion: record.Version}
}

// I4: of two consumers that read the same version, the second gets the record that
// the first wrote. A test with many concurrent consumers seldom reaches this case.
func TestApply_OutdatedVersion(t *testing.T) {
	store := newStore(t, templatetest.DynamoDB(t))
	first := newChange(t, store, payout.Record{}, payout.Pending)
	if failed, err := store.Apply(t.Context(), first); err != nil || failed != nil {
		t.Fatalf("the first: %+v, %v", failed, err)
	}
	change, other := newChange(t, store, first.Record, payout.Succeeded), newChange(t, store, first.Record, payout.Failed)
	if failed, err := store.Apply(t.Context(), change); err != nil || failed != nil {
		t.Fatalf("the second: %+v, %v", failed, err)
	}
	failed, err := store.Apply(t.Context(), other)
	if err != nil || failed == nil || !failed.RecordFailed || failed.ReceiptFailed || failed.Payout.Record.Version != 2 {
		t.Errorf("the third, with the version of the first: %+v, %v, want a failed condition and the stored record", failed, err)
	}
}

func TestDue_AppliedReceipt(t *testing.T) {
	store := newStore(t, templatetest.DynamoDB(t))
	change := newChange(t, store, payout.Record{}, payout.Succeeded)
	later := accepted.Add(24 * time.Hour)
	if due, err := store.Due(t.Context(), later, 10); err != nil || len(due) != 1 {
		t.Fatalf("received: %d receipts due, %v, want 1", len(due), err)
	}
	if failed, err := store.Apply(t.Context(), change); err != nil || failed != nil {
		t.Fatalf("apply: %+v, %v", failed, err)
	}
	if due, err := store.Due(t.Context(), later, 10); err != nil || len(due) != 0 {
		t.Errorf("applied: %d receipts due, %v, want 0", len(due), err)
	}
}
