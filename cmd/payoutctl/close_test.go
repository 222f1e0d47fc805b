package main_test

import (
	"encoding/json"
	"strings"
	"testing"

	"payout-callbacks/pkg/payout"
)

const openID, openBatchID = "cregis/payout/1/5", "pivot/batch/1/6"

// The decision is a receipt with actor and reason, and the prompt warns about paying twice.
func TestClose_OpenPayout(t *testing.T) {
	for id, status := range map[payout.ID]string{openID: "failed", openBatchID: "cancelled"} {
		fake := newTables(t)
		fake.applies = true
		apply(t, fake, applied(payout.Event{ID: id, Status: payout.Pending}, payout.Record{}))
		fake.taken()
		code, out, problems := runOnTables(t, fake, fake.URL, "close", string(id), "--status", status, "--reason", "case 4713")
		requests := fake.taken()
		checkReads(t, requests, "PutItem")
		puts := requestsOf(requests, "PutItem")
		if code != 0 || len(puts) != 1 || len(requestsOf(requests, "SendMessage")) != 1 || !strings.Contains(problems, "Order it again only after the provider has denied it") {
			t.Fatalf("%s: exit code %d, %d receipts\n%s%s", id, code, len(puts), out, problems)
		}
		var receipt, note struct{ S string }
		_ = json.Unmarshal(puts[0].Item["receipt"], &receipt)
		_ = json.Unmarshal(puts[0].Item["note"], &note)
		if !strings.HasPrefix(receipt.S, "resolution/"+status+"/") || !strings.HasSuffix(note.S, ": case 4713") || !strings.Contains(note.S, "the local stack's user") {
			t.Errorf("%s: receipt %s, note %q", id, receipt.S, note.S)
		}
	}
}

func TestClose_Refused(t *testing.T) {
	fake := newTables(t)
	fill(t, fake)
	apply(t, fake, applied(payout.Event{ID: openID, Status: payout.Pending}, payout.Record{}))
	apply(t, fake, applied(payout.Event{ID: openBatchID, Status: payout.Pending}, payout.Record{}))
	linked := payout.Event{ID: "cregis/payout/1//order-7", Source: payout.SourceReconciler, Status: payout.Linked, LinkedTo: openID}
	apply(t, fake, applied(linked, payout.Record{}))
	for _, test := range []struct {
		args string
		code int
		want string
	}{
		{conflictedID + " --status failed", 1, "is conflicted: resolve the conflict"},
		{alteredID + " --status failed", 1, "is succeeded already"},
		{"cregis/payout/1/404 --status failed", 1, "no payout has the id or the reference"},
		{"cregis/payout/1//order-7 --status failed", 1, "is linked to cregis/payout/1/5: close that payout"},
		{openID + " --status done", 2, "a payout is closed as succeeded, failed, rejected or cancelled"},
		{openBatchID + " --status succeeded", 2, "a batch is closed as done or cancelled"},
		{openID + " --status pending", 2, "must be one of"},
		{openID, 2, "missing flags: --status"},
	} {
		fake.taken()
		code, out, problems := runOnTables(t, fake, fake.URL, append([]string{"close", "--reason", "why"}, strings.Fields(test.args)...)...)
		if code != test.code || !strings.Contains(problems, test.want) {
			t.Errorf("%s: exit code %d, want %d and %q\n%s%s", test.args, code, test.code, test.want, out, problems)
		}
		if puts := requestsOf(fake.taken(), "PutItem"); len(puts) > 0 {
			t.Errorf("%s: a receipt was written", test.args)
		}
	}
	if code, _, problems := runOnTables(t, fake, fake.URL, "close", openID, "--status", "failed"); code != 2 || !strings.Contains(problems, "--reason is missing") {
		t.Errorf("without a reason: exit code %d\n%s", code, problems)
	}
}

// A payout that was expected before its id was known keeps the reference.
func TestFindPayout_LinkedReference(t *testing.T) {
	const early payout.ID = "cregis/payout/1//order-7"
	fake := newTables(t)
	expected := applied(payout.Event{ID: early, Source: payout.SourceExpectation, Status: payout.Expected, Reference: "order-7", Deadline: 1}, payout.Record{})
	apply(t, fake, expected)
	checkShown := func(want string) {
		t.Helper()
		if code, out, problems := runOnTables(t, fake, fake.URL, "show", "order-7"); code != 0 || !strings.Contains(out+problems, want) {
			t.Errorf("exit code %d, no %q in:\n%s%s", code, want, out, problems)
		}
	}
	apply(t, fake, applied(payout.Event{ID: early, Source: payout.SourceReconciler, Status: payout.Linked, LinkedTo: openID}, expected.Record))
	checkShown("linked to  " + openID)
	apply(t, fake, applied(payout.Event{ID: openID, Status: payout.Pending, Reference: "order-7"}, payout.Record{}))
	checkShown("payout     " + openID)
	apply(t, fake, applied(payout.Event{ID: overdueID, Status: payout.Pending, Reference: "order-7"}, payout.Record{}))
	checkShown("2 payouts have this reference")
}
