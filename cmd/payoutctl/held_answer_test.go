package main_test

import (
	"strings"
	"testing"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// A held answer is shown and dismissed like a held callback, and cannot be explained.
func TestHeldAnswer_Commands(t *testing.T) {
	fake := newTables(t)
	receipt := inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "pivot", Source: payout.SourceQuery, Type: payout.TypeBatch, Account: demoMerchant, Subject: []byte("x"), Reason: "mismatch",
	}, []byte(`{"status":"DONE"}`), "", longAgo())
	if _, err := fake.store().Create(t.Context(), receipt); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args string
		code int
		want string
	}{
		{"receipts held", 0, "pivot     query   mismatch"},
		{"show ID", 0, "The provider answered this to a query, and it is not understood"},
		{"explain ID", 2, "is an answer to a query, and not a callback"},
		{"dismiss ID --reason why", 0, "dismissed"},
	} {
		args := strings.Fields(strings.ReplaceAll(test.args, "ID", receipt.Key.Payout))
		code, out, problems := runOnTables(t, fake, fake.URL, args...)
		if code != test.code || !strings.Contains(out+problems, test.want) {
			t.Errorf("%s: exit code %d, want %q\n%s%s", test.args, code, test.want, out, problems)
		}
	}
}
