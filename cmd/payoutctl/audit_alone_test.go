package main_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	payoutctl "payout-callbacks/cmd/payoutctl"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// damage is one inconsistency in the tables or in a log, and its repair.
type damage struct {
	do     func(t *testing.T, fake *tables)
	repair string // beginning of the printed command
	log    string // lines of the log
	window bool   // with --from and --to
}

const soundID = "cregis/payout/1/1"

// edit changes an attribute of every item of a table, or removes it.
func (f *tables) edit(table, attribute, value string) {
	for _, item := range f.items[table] {
		if delete(item, attribute); value != "" {
			item[attribute] = json.RawMessage(value)
		}
	}
}

func create(t *testing.T, fake *tables, receipt inbox.Receipt) {
	t.Helper()
	if _, err := fake.store().Create(t.Context(), receipt); err != nil {
		t.Fatal(err)
	}
}

func damages() map[string]damage {
	at := func() time.Time { return time.Now().Add(-time.Minute) }
	event := func(status payout.Status, amount payout.Amount) payout.Event {
		return payout.Event{ID: "cregis/payout/1/2", Status: status, Amount: amount}
	}
	held := func() inbox.Receipt {
		return inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "cregis", Type: payout.TypePayout, Account: "1", Subject: []byte("x"), Reason: "field"}, []byte("x"), "k", at())
	}
	closed := func(state inbox.State, changedBy inbox.ChangedBy) inbox.Receipt {
		receipt := held()
		receipt.State, receipt.ChangedBy, receipt.ReleasedAs = state, changedBy, inbox.Key{Payout: "cregis/payout/1/8", Receipt: "succeeded/1x"}
		return receipt
	}
	by := inbox.NewChangedBy("alice", "a probe", at())
	return map[string]damage{
		"receipt-damaged": {do: func(t *testing.T, fake *tables) {
			create(t, fake, inbox.NewReceipt(event(payout.Pending, "1"), nil, "k", at()))
			for _, item := range fake.items["receipts"] {
				if item["amount"] != nil {
					item["amount"] = json.RawMessage(`{"S":"2"}`)
				}
			}
		}, repair: "restore the receipt"},
		"receipt-misplaced": {do: func(t *testing.T, fake *tables) {
			create(t, fake, held())
			fake.edit("receipts", "dueShard", "")
		}, repair: "payoutctl --local rebuild held/"},
		"receipt-unknown": {do: func(t *testing.T, fake *tables) {
			receipt := inbox.NewReceipt(event(payout.Pending, "1"), nil, "k", at())
			receipt.State = "paused"
			create(t, fake, receipt)
		}, repair: "a later version of this program"},
		"receipt-waiting": {do: func(t *testing.T, fake *tables) {
			create(t, fake, inbox.NewReceipt(event(payout.Pending, "1"), nil, "k", longAgo()))
		}, repair: "payoutctl --local sweep"},
		"receipt-gone":        {do: func(t *testing.T, fake *tables) { create(t, fake, closed(inbox.Released, by)) }, repair: "payoutctl --local release held/"},
		"receipt-unexplained": {do: func(t *testing.T, fake *tables) { create(t, fake, closed(inbox.Dismissed, inbox.ChangedBy{})) }, repair: "find out who changed it"},
		"payout-missing":      {do: func(_ *testing.T, fake *tables) { clear(fake.items["payouts"]) }, repair: "payoutctl --local rebuild " + soundID},
		"payout-damaged": {do: func(_ *testing.T, fake *tables) {
			fake.edit("payouts", "claims", `{"M":{"amount":{"L":[{"S":"much"}]}}}`)
		}, repair: "payoutctl --local rebuild " + soundID},
		"payout-altered": {do: func(_ *testing.T, fake *tables) { fake.edit("payouts", "progress", `{"S":"delayed"}`) }, repair: "payoutctl --local rebuild " + soundID},
		"fact-missing": {do: func(t *testing.T, fake *tables) {
			before := maps.Clone(fake.items["payouts"])
			second := applied(payout.Event{ID: soundID, Status: payout.Succeeded, BlockHeight: 7}, payout.Record{})
			apply(t, fake, second)
			fake.items["payouts"] = before
		}, repair: "payoutctl --local rebuild " + soundID},
		"fact-unproven":         {do: func(_ *testing.T, fake *tables) { fake.edit("payouts", "version", `{"N":"2"}`) }, repair: "restore the receipt, or have the provider send"},
		"acknowledged-lost":     {do: func(*testing.T, *tables) {}, log: `{"message":"callback","payout":"cregis/payout/1/9","receipt":"succeeded/1x","accepted":"new","request_id":"r1"}`, repair: "payoutctl --local dlq list"},
		"acknowledged-too-few":  {do: func(*testing.T, *tables) {}, log: `{"message":"callback","request_id":"r1"}`, window: true},
		"acknowledged-unlogged": {do: func(*testing.T, *tables) {}, log: `{"routeKey":"POST /callbacks/cregis/payout","status":"200","integrationRequestId":"r2"}` + "\n" + `{"message":"callback","payout":"` + soundID + `","receipt":"RECEIPT","accepted":"new","request_id":"r1"}`},
	}
}

// Each kind of finding is exit code 1, one line, and the command that repairs it.
func TestAudit_EachFinding(t *testing.T) {
	for kind, test := range damages() {
		t.Run(kind, func(t *testing.T) {
			fake := newTables(t)
			change := applied(payout.Event{ID: soundID, Status: payout.Succeeded}, payout.Record{})
			apply(t, fake, change)
			args := []string{"audit", "--json"}
			if test.window {
				args = append(args, "--from", "1h", "--to", time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
			}
			dir := t.TempDir()
			if test.log != "" {
				path := filepath.Join(dir, "log.jsonl")
				if err := os.WriteFile(path, []byte(strings.ReplaceAll(test.log, "RECEIPT", change.Receipt.Key.Receipt)), 0o600); err != nil {
					t.Fatal(err)
				}
				args = append(args, "--access-log", path)
			}
			test.do(t, fake)
			if err := (fakes{api: fake.URL, aws: fake.URL}).writeStack(dir); err != nil {
				t.Fatal(err)
			}
			var out, problems bytes.Buffer
			code := payoutctl.RunOn(filepath.Join(dir, ".local", "stack.json"), args, &out, &problems)
			line, _, _ := strings.Cut(out.String(), "\n")
			var entry struct{ Kind, Repair string }
			_ = json.Unmarshal([]byte(line), &entry)
			if code != 1 || problems.String() != "payoutctl: 1 finding\n" {
				t.Errorf("exit code %d, %q", code, problems.String())
			}
			if entry.Kind != kind || !strings.HasPrefix(entry.Repair, test.repair) || test.repair == "" && entry.Repair != "" {
				t.Errorf("found %+v, want %s and %q in\n%s", entry, kind, test.repair, out.String())
			}
		})
	}
}

func applied(event payout.Event, record payout.Record) inbox.Change {
	receipt := inbox.NewReceipt(event, []byte("{}"), "k", time.Now().Add(-time.Minute))
	record, receipt.Outcome = record.Apply(event)
	receipt.State, receipt.AppliedAt = inbox.Applied, time.Now()
	return inbox.Change{Receipt: receipt, Create: true, Record: record}
}
