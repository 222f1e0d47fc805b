package dynamostore_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

func TestUnapplied_OldestFirst(t *testing.T) {
	b := newTables(t)
	var want, held []time.Time
	for n := range 40 {
		at := start.Add(time.Duration(n) * time.Second)
		want, held = append(want, at.Add(inbox.FirstDue)), append(held, at)
		b.create(inbox.NewReceipt(newEvent(id("cregis", "7", fmt.Sprint(n)), payout.Failed, "1"), nil, "", at),
			inbox.NewHeldReceipt(inbox.HeldCallback{
				Provider: "pivot", Type: payout.TypePayout, Account: "m", Subject: fmt.Append(nil, n), Reason: "field",
			}, nil, "", at))
	}
	b.apply(newEvent(id("cregis", "7", "applied"), payout.Failed, "1"))
	for state, want := range map[inbox.State][]time.Time{inbox.Received: want, inbox.Held: held} {
		var got []time.Time
		for _, receipt := range collect(t, b.reader.Unapplied(t.Context(), state)) {
			if receipt.State != state || receipt.AcceptedAt.IsZero() {
				t.Errorf("%s: receipt %s is %s, accepted %s", state, receipt.Key.Receipt, receipt.State, receipt.AcceptedAt)
			}
			if state == inbox.Held {
				receipt.DueAt = receipt.AcceptedAt
			}
			got = append(got, receipt.DueAt)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s due (-want +got):\n%s", state, diff)
		}
	}
}

// Held receipts whose payout is asked about are in another partition, by the time of the
// query.
func TestUnapplied_HeldByAcceptance(t *testing.T) {
	b := newTables(t)
	var want, asked []inbox.Key
	for n := range 30 {
		held := inbox.HeldCallback{Provider: "pivot", Type: payout.TypePayout, Account: "m", Subject: fmt.Append(nil, n), Reason: "field"}
		if n%3 == 0 {
			held.ProviderID = "uuid"
		}
		receipt := inbox.NewHeldReceipt(held, nil, "", start.Add(time.Duration(n)*time.Second))
		if n%3 == 0 {
			receipt.Query.At = start.Add(time.Duration(100-n) * time.Minute)
			asked = append(asked, receipt.Key)
		}
		b.create(receipt)
		want = append(want, receipt.Key)
	}
	for range 2 {
		var got []inbox.Key
		for _, receipt := range collect(t, b.reader.Unapplied(t.Context(), inbox.Held)) {
			got = append(got, receipt.Key)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("held receipts (-want +got):\n%s", diff)
		}
		for _, key := range asked { // they move to the other partition and stay in order
			receipt, _, _ := b.reader.Receipt(t.Context(), key)
			if err := b.store.FinishHeld(t.Context(), key, receipt.Query, inbox.Schedule{}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestScheduled_EachAccount(t *testing.T) {
	b := newTables(t)
	b.inbox.Queries = map[string]inbox.QueryMode{"cregis": inbox.QueriesAll}
	for n := range 40 {
		b.apply(newEvent(id("cregis", "7", fmt.Sprint(n)), payout.Pending, "1"))
	}
	b.apply(newEvent(id("cregis", "8", "1"), payout.Succeeded, "1"))
	b.apply(newEvent(id("pivot", "m", "1"), payout.Pending, "1"))
	counts := map[string]int{}
	for _, stored := range collect(t, b.reader.Scheduled(t.Context(), time.UnixMilli(math.MaxInt64), 1)) {
		counts[stored.ID.Provider()+"/"+stored.ID.Account()]++
		if stored.Schedule.At.Before(start) {
			t.Errorf("%s is asked about at %s", stored.ID, stored.Schedule.At)
		}
	}
	if counts["cregis/7"] == 0 || counts["cregis/7"] > 16 || counts["cregis/8"] != 1 || len(counts) != 2 {
		t.Errorf("scheduled: %v, want at most 16 of cregis/7, and the one of cregis/8", counts)
	}
}
