package dynamostore

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"payout-callbacks/pkg/payout"
)

// A record of an older version lacks attributes. Merging an event into it loses
// nothing, and writes it in the current schema version.
func TestDecodeRecord_OlderSchemaVersion(t *testing.T) {
	const id = payout.ID("cregis/payout/1/2")
	succeeded := payout.Event{ID: id, Status: payout.Succeeded, Amount: "1.1", Currency: "TRX", TxID: "0xabc"}
	failed := payout.Event{ID: id, Status: payout.Failed, Amount: "1.1", Reason: "why"}
	record, _ := payout.Record{}.Apply(succeeded)
	old, err := encodeRecord(record, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, later := range []string{"v", "status", "reference", "updatedAt", "reasons", "settled", "resolutions", "blockHeight", "blockTime", "conflicted"} {
		delete(old, later)
	}
	read, err := decodeRecord(old)
	if err != nil {
		t.Fatal(err)
	}
	got, outcome := read.Apply(failed)
	want, _ := record.Apply(failed)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || outcome != payout.Conflict {
		t.Errorf("%s\n%s", outcome, diff)
	}
	written, err := encodeRecord(got, now)
	if err != nil || written.int("v") != callbackVersion || written.text("conflicted") == "" {
		t.Errorf("written with version %d, %v, want %d and conflicted", written.int("v"), err, callbackVersion)
	}
}
