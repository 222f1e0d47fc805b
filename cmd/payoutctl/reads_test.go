package main_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	payoutctl "payout-callbacks/cmd/payoutctl"
	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// readingCommand is a command that reads the tables, and the write that depends on
// the reads.
type readingCommand struct {
	command    string
	args       string // HELD and LOG stand for the id of a held callback and a file
	code       int
	writes     string // operation, or "" for a command that only reports
	deadLetter string
}

const (
	conflictedID = "cregis/payout/1/1"
	alteredID    = "cregis/payout/1/2"
)

func readingCommands(ours string) []readingCommand {
	return []readingCommand{
		{command: "payouts", args: "--status conflicted"},
		{command: "payouts", args: "--provider cregis"},
		{command: "payouts", args: "--overdue"},
		{command: "show", args: "order-1"},
		{command: "receipts", args: "held"},
		{command: "receipts", args: "received"},
		{command: "receipts", args: "released"},
		{command: "explain", args: "HELD"},
		{command: "report", args: "--day " + longAgo().UTC().Format(time.DateOnly)},
		{command: "resolve", args: "order-1 --trust succeeded/ --reason why --wait 1ms", code: 1, writes: "PutItem"},
		{command: "resolve", args: conflictedID + " --trust failed/ --reason why --wait 1ms", code: 1, writes: "PutItem"},
		{command: "reconcile", args: conflictedID},
		{command: "reconcile", args: "--overdue"},
		{command: "reconcile", args: "--account 1"},
		{command: "release", args: "HELD --reason why", writes: "UpdateItem"},
		{command: "release", args: "--all --reason why", writes: "UpdateItem"},
		{command: "dismiss", args: "HELD --reason why", writes: "UpdateItem"},
		{command: "rebuild", args: alteredID + " --reason why", writes: "PutItem"},
		{command: "rebuild", args: "--all --reason why", writes: "PutItem"},
		{command: "dlq list", deadLetter: ours},
		{command: "dlq show", args: "m1", deadLetter: ours},
		{command: "dlq redrive", args: "--reason why", writes: "SendMessage", deadLetter: ours},
		{command: "dlq export", args: "--delete --message-id m1 --to FILE --reason why", code: 1, deadLetter: ours},
		{command: "publish", args: "--since 1h --reason why", writes: "PutEvents"},
		{command: "audit", code: 1},
		{command: "audit", args: "--access-log LOG", code: 1},
		{command: "doctor", code: 1},
	}
}

// Each read of a table is strongly consistent, and each item of an index is read again
// by its key, so that commands report and change the current content of the tables.
func TestCommands_ConsistentReads(t *testing.T) {
	covered := map[string]bool{"console": true} // by TestConsole_ReadsOfDeployedStack
	for _, test := range readingCommands(received(t)) {
		covered[test.command] = true
		t.Run(test.command+" "+test.args, func(t *testing.T) {
			fake := newTables(t)
			fake.deadLetter = test.deadLetter
			held := fill(t, fake)
			dir := t.TempDir()
			if err := (fakes{api: fake.URL, aws: fake.URL}).writeStack(dir); err != nil {
				t.Fatal(err)
			}
			args := strings.NewReplacer("HELD", held, "LOG", acknowledgedLog(t, dir), "FILE", filepath.Join(dir, "dropped")).Replace(test.args)
			fake.taken()
			var out, problems bytes.Buffer
			code := payoutctl.RunOn(filepath.Join(dir, ".local", "stack.json"), append(strings.Fields(test.command), strings.Fields(args)...), &out, &problems)
			if code != test.code {
				t.Fatalf("exit code %d, want %d\n%s%s", code, test.code, out.String(), problems.String())
			}
			checkReads(t, fake.taken(), test.writes)
		})
	}
	for command, help := range payoutctl.Commands() {
		if strings.Contains(help, "dynamodb:") && !covered[command] {
			t.Errorf("%s reads the tables, and no test looks at its reads", command)
		}
	}
}

func checkReads(t *testing.T, requests []tableRequest, write string) {
	t.Helper()
	var named, read []string
	reads, written := 0, write == ""
	for _, request := range requests {
		written = written || request.operation == write
		switch request.operation {
		case "GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems":
			reads++
			if request.IndexName == "" && !request.ConsistentRead {
				t.Errorf("%s of %s is not strongly consistent", request.operation, request.TableName)
			}
			if request.operation == "GetItem" {
				read = append(read, request.Key.key())
			}
			named = append(named, request.names...)
		}
	}
	for _, key := range named {
		if !slices.Contains(read, key) {
			t.Errorf("the item %s of an index is not read again by its key", key)
		}
	}
	if reads == 0 || !written {
		t.Errorf("%d reads, %s sent: %v; the test does not cover the command", reads, write, written)
	}
}

// received is a message whose receipt is not applied.
func received(t *testing.T) string {
	t.Helper()
	text, err := sqsqueue.Encode(inbox.NewReceipt(payout.Event{ID: conflictedID, Status: payout.Pending}, []byte("{}"), "k", longAgo()))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func longAgo() time.Time { return time.Now().Add(-30 * time.Minute) }

// fill stores a payout in conflict, an altered payout, a waiting receipt and a held
// callback, whose id it returns.
func fill(t *testing.T, fake *tables) string {
	t.Helper()
	store := fake.store()
	record := payout.Record{}
	for _, status := range []payout.Status{payout.Succeeded, payout.Failed} {
		receipt := inbox.NewReceipt(payout.Event{ID: conflictedID, Status: status, Reference: "order-1"}, []byte("{}"), "k", longAgo())
		record, receipt.Outcome = record.Apply(receipt.Event)
		receipt.State, receipt.AppliedAt = inbox.Applied, longAgo()
		apply(t, fake, inbox.Change{Receipt: receipt, Create: true, Record: record})
	}
	receipt := inbox.NewReceipt(payout.Event{ID: alteredID, Status: payout.Succeeded}, []byte("{}"), "k", longAgo())
	record, receipt.Outcome = payout.Record{}.Apply(receipt.Event)
	receipt.State, receipt.AppliedAt, record.Progress = inbox.Applied, longAgo(), payout.Delayed
	apply(t, fake, inbox.Change{Receipt: receipt, Create: true, Record: record})

	waiting, err := sqsqueue.Decode(received(t))
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"event":"PAYOUT.SUCCESS","data":{"uuid":"d6a46a2c-1b26-40c5-9ca3-e063e69635a0","merchantId":"` + demoMerchant +
		`","payouts":{"referenceId":"order-3","amount":{"currency":"IDR","value":"100000"},"status":"SUCCESS","reason":null}}}`)
	held := inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "pivot", Type: payout.TypePayout, Account: demoMerchant, Subject: body, Reason: "unknown-status",
	}, body, "k", longAgo())
	for _, receipt := range []inbox.Receipt{waiting, held} {
		if _, err := store.Create(t.Context(), receipt); err != nil {
			t.Fatal(err)
		}
	}
	return held.Key.Payout
}

func apply(t *testing.T, fake *tables, change inbox.Change) {
	t.Helper()
	if _, err := fake.store().Apply(t.Context(), change); err != nil {
		t.Fatal(err)
	}
}

// acknowledgedLog is a function's line about a receipt that does not exist.
func acknowledgedLog(t *testing.T, dir string) string {
	t.Helper()
	line, err := json.Marshal(map[string]string{
		"message": "callback", "payout": "cregis/payout/1/9", "receipt": "succeeded/1x", "accepted": "new", "request_id": "r1",
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "log.jsonl")
	if err := os.WriteFile(path, line, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
