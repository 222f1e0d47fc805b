package dynamostore

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// A held item under the key of a payout is damaged. It must not stop a run each time.
func TestClaimHeld_DamagedReceipt(t *testing.T) {
	store := newBilledStore(t, billed{})
	receipt := inbox.NewReceipt(payout.Event{ID: "cregis/payout/1/2", Status: payout.Succeeded}, nil, "", now)
	encoded, err := encodeReceipt(receipt)
	if err != nil {
		t.Fatal(err)
	}
	encoded["state"] = text(string(inbox.Held))
	delete(encoded, "acceptedAt")
	encodeHeldSchedule(encoded, receipt.Key, inbox.Schedule{At: now}, time.Time{})
	if _, err := store.Client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &store.Receipts, Item: encoded}); err != nil {
		t.Fatal(err)
	}
	due := reconcile.DueHeld{Key: receipt.Key, At: now}
	next := inbox.Schedule{At: now.Add(time.Hour), Tries: 1}
	if _, ok, err := store.ClaimHeld(t.Context(), due, next); ok || !errors.Is(err, inbox.ErrDamagedReceipt) {
		t.Errorf("claim: %t, %v, want ErrDamagedReceipt", ok, err)
	}
	if listed, err := store.DueHeld(t.Context(), now, 10); err != nil || len(listed) > 0 {
		t.Errorf("claimed, and due: %v, %v", listed, err)
	}
	if err := store.FinishHeld(t.Context(), receipt.Key, next, inbox.Schedule{}); err != nil {
		t.Error(err)
	}
	if listed, err := store.DueHeld(t.Context(), now.Add(2*time.Hour), 10); err != nil || len(listed) > 0 {
		t.Errorf("ended, and due: %v, %v", listed, err)
	}
}

// An index entry that was left behind does not return a closed receipt to the queries.
func TestClaimHeld_ReleasedReceipt(t *testing.T) {
	store := newBilledStore(t, billed{})
	held := inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "pivot", Type: payout.TypePayout, Account: "a", ProviderID: "1"}, nil, "", now)
	encoded, err := encodeReceipt(held)
	if err != nil {
		t.Fatal(err)
	}
	encoded["state"] = text(string(inbox.Released))
	if _, err := store.Client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &store.Receipts, Item: encoded}); err != nil {
		t.Fatal(err)
	}
	due := reconcile.DueHeld{Key: held.Key, At: held.Query.At}
	if _, ok, err := store.ClaimHeld(t.Context(), due, inbox.Schedule{At: now.Add(time.Hour), Tries: 1}); ok || err != nil {
		t.Errorf("claim: %t, %v, want false", ok, err)
	}
}
