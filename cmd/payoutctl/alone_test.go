package main_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	payoutctl "payout-callbacks/cmd/payoutctl"
	"payout-callbacks/pkg/payout"
)

// runOnTables runs a command on a stack with the tables and an API for callbacks.
func runOnTables(t *testing.T, fake *tables, api string, args ...string) (code int, out, problems string) {
	t.Helper()
	dir := t.TempDir()
	if err := (fakes{api: api, aws: fake.URL}).writeStack(dir); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code = payoutctl.RunOn(filepath.Join(dir, ".local", "stack.json"), args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// A payout with a receipt that cannot be read is not changed: exit code 1.
func TestRebuild_UnreadableReceipt(t *testing.T) {
	fake := newTables(t)
	apply(t, fake, applied(payout.Event{ID: soundID, Status: payout.Succeeded, Amount: "1"}, payout.Record{}))
	fake.edit("receipts", "amount", `{"S":"2"}`)
	code, out, problems := runOnTables(t, fake, fake.URL, "rebuild", soundID, "--reason", "why")
	if code != 1 || !strings.HasPrefix(problems, "payoutctl: 1 payout cannot be repaired from receipts\n") || !strings.Contains(out, "has a receipt that cannot be read") {
		t.Errorf("exit code %d\n%s%s", code, out, problems)
	}
}

// A reference of ours names the payout, and a held callback its receipt.
func TestRebuild_Reference(t *testing.T) {
	fake := newTables(t)
	apply(t, fake, applied(payout.Event{ID: soundID, Status: payout.Succeeded, Amount: "1", Reference: "INV-7001"}, payout.Record{}))
	code, out, problems := runOnTables(t, fake, fake.URL, "rebuild", "INV-7001", "--dry-run")
	if want := soundID + ": equals the fold of its receipts\n"; code != 0 || out != want {
		t.Errorf("exit code %d, want %q\n%s%s", code, want, out, problems)
	}
}

// A dry run with --json prints what the resolution would trust and reject.
func TestResolve_DryRunAsJSON(t *testing.T) {
	fake := newTables(t)
	fill(t, fake)
	fake.taken()
	code, out, problems := runOnTables(t, fake, fake.URL, "resolve", conflictedID, "--trust", "succeeded/", "--dry-run", "--json")
	want := `{"payout":"` + conflictedID + `","outcome":"would-resolve","trusted":{"status":"succeeded"},"rejected":{"status":["failed"]}}` + "\n"
	if code != 0 || out != want {
		t.Errorf("exit code %d, want %s\n%s%s", code, want, out, problems)
	}
	if written := requestsOf(fake.taken(), "PutItem"); len(written) > 0 {
		t.Errorf("a dry run writes %v", written)
	}
	code, _, problems = runOnTables(t, fake, fake.URL, "resolve", conflictedID, "--trust", "foo", "--dry-run")
	if want := "  list them with: payoutctl --local show " + conflictedID + "\n"; code != 2 || !strings.HasSuffix(problems, want) {
		t.Errorf("exit code %d, want %q\n%s", code, want, problems)
	}
}

// A resolution that is applied to a payout with another conflict is exit code 1.
func TestResolve_RemainingConflict(t *testing.T) {
	fake := newTables(t)
	fill(t, fake)
	fake.applies = true
	code, _, problems := runOnTables(t, fake, fake.URL, "resolve", conflictedID, "--trust", "succeeded/", "--reason", "why")
	if code != 1 || !strings.Contains(problems, "the resolution is applied, and the payout still has a conflict") {
		t.Errorf("exit code %d\n%s", code, problems)
	}
}

// One unexpected answer of three is exit code 1. A redirect is an answer: the callback
// is not sent to its target.
func TestSend_UnexpectedAnswer(t *testing.T) {
	redirected := false
	answers := 0
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/redirected" {
			redirected = true
			return
		}
		if answers++; answers == 2 {
			http.Redirect(w, r, "/redirected", http.StatusTemporaryRedirect)
			return
		}
		_, _ = w.Write([]byte("success"))
	}))
	defer api.Close()
	code, out, problems := runOnTables(t, newTables(t), api.URL, "send", "cregis", "payout", "--cid", "1", "--status", "6", "--repeat", "3")
	if code != 1 || !strings.Contains(problems, "payoutctl: 1 of 3 answers were not as expected") || redirected || !strings.Contains(out, "307  unexpected") {
		t.Errorf("exit code %d, sent redirected: %v\n%s%s", code, redirected, out, problems)
	}
}

// A callback that is held after the plan was printed is not released.
func TestRelease_HeldAfterThePlan(t *testing.T) {
	fake := newTables(t)
	held := fill(t, fake)
	later, err := json.Marshal(map[string]string{"N": "4102444800000"}) // in the year 2100
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range fake.items["receipts"] {
		if strings.Contains(item.key(), held) {
			item["acceptedAt"] = later
		}
	}
	fake.taken()
	_, out, _ := runOnTables(t, fake, fake.URL, "release", held, "--reason", "why")
	if len(requestsOf(fake.taken(), "UpdateItem")) > 0 || !strings.Contains(out, "would-release") {
		t.Errorf("it was released\n%s", out)
	}
}
