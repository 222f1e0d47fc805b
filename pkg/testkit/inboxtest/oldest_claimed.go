package inboxtest

import (
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

func oldestClaimed(t *testing.T, h Harness) {
	h.wantOldestClaimed(t, time.Time{})
	var receipts []inbox.Receipt
	for n := range 40 { // in several shards
		receipt := received(event(n, payout.Succeeded), "{}")
		receipt.AcceptedAt = start.Add(-time.Duration(n) * time.Second)
		create(t.Context(), t, h.Store, receipt)
		receipts = append(receipts, receipt)
	}
	create(t.Context(), t, h.Store, heldReceipt("held", nil))
	h.wantOldestClaimed(t, time.Time{})
	for n, receipt := range receipts[:30] {
		due := inbox.DueReceipt{Key: receipt.Key, DueAt: receipt.DueAt}
		if _, won, err := h.Store.Claim(t.Context(), due, start.Add(time.Duration(n)*time.Minute)); err != nil || !won {
			t.Fatalf("claim: %t, %v", won, err)
		}
	}
	h.wantOldestClaimed(t, receipts[29].AcceptedAt)
	for _, receipt := range receipts[5:30] {
		if failed, err := h.Store.Apply(t.Context(), newChange(receipt, payout.Record{})); err != nil || failed != nil {
			t.Fatalf("apply: %+v, %v", failed, err)
		}
	}
	h.wantOldestClaimed(t, receipts[4].AcceptedAt)
}

// wantOldestClaimed wants the time, or no receipt if it is zero.
func (h Harness) wantOldestClaimed(t *testing.T, want time.Time) {
	t.Helper()
	got, ok, err := h.Store.OldestClaimed(t.Context())
	if err != nil || ok == want.IsZero() || !got.Equal(want) {
		t.Errorf("the oldest claimed receipt: %s, %t, %v, want %s", got, ok, err, want)
	}
}
