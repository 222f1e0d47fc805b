package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	payoutctl "payout-callbacks/cmd/payoutctl"
	"payout-callbacks/pkg/reconcile"
)

// diagnosis is a stack with one problem, and the finding of doctor.
type diagnosis struct {
	breaks func(*healthyStack)
	check  string
	health string
	detail string // a part of it
}

func diagnoses() map[string]diagnosis {
	waiting := func(state string) func(*healthyStack) {
		return func(h *healthyStack) {
			h.receipt = state
			h.items[strings.TrimPrefix(state+"/3", "received/")] = fmt.Sprintf(`{"payout": {"S": "%s"}, "receipt": {"S": "%[2]s"}, "dueAt": {"N": "%[3]d"}, "acceptedAt": {"N": "%[3]d"}}`,
				map[string]string{"held": "held/cregis/payout/1/x", "received": "cregis/payout/1/9"}[state], state, longAgo().UnixMilli())
		}
	}
	alarm := func(state string, enabled bool) func(*healthyStack) {
		return func(h *healthyStack) { h.alarms[1].state, h.alarms[1].enabled = state, enabled }
	}
	account := func(n int, outcome reconcile.Outcome) func(*healthyStack) {
		return func(h *healthyStack) { h.accounts[n].Outcome, h.accounts[n].KeyID = outcome, "" }
	}
	return map[string]diagnosis{
		"clock a minute off":    {func(h *healthyStack) { h.clock = time.Minute }, "clock", "warn", " off"},
		"clock ten minutes off": {func(h *healthyStack) { h.clock = -10 * time.Minute }, "clock", "fail", " off"},
		"no keys":               {func(h *healthyStack) { h.keys["cregis"] = "{}" }, "keys of cregis", "fail", "no keys stored: callbacks are answered 503"},
		"a long rotation": {func(h *healthyStack) {
			h.keys["pivot"] = `{"` + demoMerchant + `": {"current": "` + pivotKey + `", "previous": "previous-pivot-key"}}`
		}, "keys of pivot", "warn", "has been in rotation for"},
		"URL of another":           {func(h *healthyStack) { h.answers["cregis"] = 404 }, "URL of cregis", "fail", "answers an unsigned callback with 404 instead of 401"},
		"URL unavailable":          {func(h *healthyStack) { h.answers["pivot"] = 503 }, "URL of pivot", "fail", "answers an unsigned callback with 503"},
		"URL throttled":            {func(h *healthyStack) { h.answers["pivot"] = 429 }, "URL of pivot", "warn", "429"},
		"consumer paused":          {func(h *healthyStack) { h.states["consumer"] = "Disabled" }, "consumer", "fail", "paused"},
		"publisher paused":         {func(h *healthyStack) { h.states["publisher"] = "Disabled" }, "publisher", "fail", "paused"},
		"sweeper paused":           {func(h *healthyStack) { h.states["sweeper"] = "DISABLED" }, "sweeper", "fail", "paused"},
		"no sweep":                 {func(h *healthyStack) { h.sweeps = 0 }, "last sweep", "fail", "no successful sweep within 10m0s"},
		"events at the bound":      {func(h *healthyStack) { h.messages["events"] = 10_000 }, "", "", ""},
		"events over the bound":    {func(h *healthyStack) { h.messages["events"] = 10_001 }, "events queue", "warn", "10001 messages"},
		"a dead-letter message":    {func(h *healthyStack) { h.messages["dead-letters"] = 1 }, "dead-letter messages", "warn", "1 message"},
		"a receipt that waits":     {waiting("received"), "unapplied receipts", "fail", "the oldest has waited 30 min"},
		"a held callback":          {waiting("held"), "held callbacks", "warn", "1 callback to check"},
		"a payout in conflict":     {func(h *healthyStack) { h.items["conflicted"] = `{"payout": {"S": "cregis/payout/1/2"}}` }, "conflicted payouts", "warn", "1 payout to check"},
		"no alarms":                {func(h *healthyStack) { h.alarms = nil }, "alarms", "fail", "the stack has no alarms"},
		"an alarm without actions": {alarm("OK", false), "alarms", "fail", "notify nobody: refused"},
		"an alarm that is on":      {alarm("ALARM", true), "alarms", "warn", "1 alarm on: refused"},
		"an alarm without data":    {alarm("INSUFFICIENT_DATA", true), "alarms", "warn", "1 of 2 alarms with no data yet: refused"},
		"no subscriber":            {func(h *healthyStack) { h.subscriptions = nil }, "alarm subscribers", "fail", "none"},
		"a pending subscription":   {func(h *healthyStack) { h.subscriptions = []string{"PendingConfirmation"} }, "alarm subscribers", "fail", "none: 1 subscription not confirmed"},
		"one of two is confirmed":  {func(h *healthyStack) { h.subscriptions = append(h.subscriptions, "PendingConfirmation") }, "alarm subscribers", "warn", "1 subscriber, and 1 not confirmed"},
		"queries off":              {func(h *healthyStack) { h.queries, h.accounts = "off", nil }, "", "", ""},
		"no API credentials":       {func(h *healthyStack) { h.accounts = h.accounts[:1] }, "API of pivot", "fail", "no API credentials are stored"},
		"a refused API key":        {account(0, reconcile.KeyRefused), "API of cregis", "fail", "refuses our key"},
		"a refused address":        {account(0, reconcile.AddressRefused), "API of cregis", "fail", "refuses our address"},
		"unusable credentials":     {account(1, reconcile.NoCredentials), "API of pivot", "fail", "cannot be used"},
		"an API that is down":      {account(1, reconcile.Unavailable), "API of pivot", "warn", "unavailable"},
		"another API key":          {func(h *healthyStack) { h.accounts[0].KeyID = "abcdef" }, "API of cregis", "fail", "not the key that verifies its callbacks"},
		"no API credentials of an account": {func(h *healthyStack) {
			h.keys["pivot"] = `{"` + demoMerchant + `": {"current": "` + pivotKey + `"}, "11111111-2222-4333-8444-555555555555": {"current": "another-pivot-key"}}`
		}, "API of pivot", "warn", "has no API credentials"},
		"reconciler paused": {func(h *healthyStack) { h.states["reconciler"] = "DISABLED" }, "reconciler", "fail", "paused"},
		"an overdue payout": {func(h *healthyStack) {
			h.items["overdue"] = `{"payout": {"S": "cregis/payout/1/2"}}`
			h.isOverdue = true
		}, "overdue payouts", "warn", "1 payout to check"},
		"an expected account": {func(h *healthyStack) {
			h.items["queries"] = `{"payout": {"S": "cregis/payout/1/2"}, "queryOrder": {"S": "cregis/1/end/000000000000001"}}`
			h.isOverdue = true
		}, "keys of expected payouts", "fail", "no key verifies its callbacks"},
		"nothing": {func(*healthyStack) {}, "", "", ""},
	}
}

// Each problem alone has its own finding, and exit code 1 if it is a failure.
func TestDoctor_EachProblem(t *testing.T) {
	for name, test := range diagnoses() {
		t.Run(name, func(t *testing.T) {
			stack := newHealthyStack()
			test.breaks(stack)
			stack.serve(t)
			var out, problems bytes.Buffer
			code := payoutctl.Run([]string{"--stack", "prod", "--json", "doctor"}, &out, &problems)
			wrong := findingsOf(t, out.Bytes())
			if texts := slices.Collect(maps.Keys(wrong)); test.check != "" && !slices.Equal(texts, []string{test.check}) || test.check == "" && len(texts) > 0 {
				t.Errorf("findings that are not ok: %v, want %q alone", wrong, test.check)
			}
			if got := wrong[test.check]; got.Health != test.health || !strings.Contains(got.Detail, test.detail) {
				t.Errorf("%s: got %q, want %s: %q", test.check, got, test.health, test.detail)
			}
			wantCode, wantText := 0, ""
			if test.health == "fail" {
				wantCode, wantText = 1, "payoutctl: 1 failed check\n"
			}
			if code != wantCode || problems.String() != wantText {
				t.Errorf("exit code %d, %q, want %d, %q", code, problems.String(), wantCode, wantText)
			}
		})
	}
}

type doctorFinding struct{ Check, Health, Detail string }

// findingsOf returns the findings that are not ok.
func findingsOf(t *testing.T, lines []byte) map[string]doctorFinding {
	t.Helper()
	wrong := map[string]doctorFinding{}
	total := 0
	for line := range bytes.Lines(lines) {
		var finding doctorFinding
		if err := json.Unmarshal(line, &finding); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if total++; finding.Health != "ok" {
			wrong[finding.Check] = finding
		}
	}
	if total < 15 {
		t.Fatalf("%d checks:\n%s", total, lines)
	}
	return wrong
}
