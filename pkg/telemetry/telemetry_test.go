package telemetry_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/sqsqueue"
	"payout-callbacks/pkg/telemetry"
)

func fixed() time.Time { return time.UnixMilli(1795251600123) }

// written returns the lines that record wrote.
func written(t *testing.T, record func(*telemetry.Recorder)) []map[string]any {
	t.Helper()
	var out strings.Builder
	record(telemetry.NewRecorder(&out, "PayoutCallbacks/test", fixed))
	var lines []map[string]any
	for text := range strings.Lines(out.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		lines = append(lines, line)
	}
	return lines
}

func receipt() inbox.Receipt {
	return inbox.NewReceipt(payout.Event{
		ID: "cregis/payout/1/2", Status: payout.Succeeded, Amount: "31337.42", To: "canary-address", From: "canary-address",
		Memo: "canary-memo", TxID: "canary-tx", Reason: "canary-reason", Currency: "CANARY",
	}, []byte("canary-body"), "0a1b2c3d", fixed())
}

func TestACallbackIsOneLineAndOneCount(t *testing.T) {
	lines := written(t, func(r *telemetry.Recorder) {
		r.Callback(t.Context(), "cregis", callback.Result{
			Verdict: callback.Acknowledge, As: inbox.New, Receipt: receipt(), Sender: callback.Sender{Account: "1", KeyID: "0a1b2c3d", Previous: true},
		}, 12*time.Millisecond)
	})
	if len(lines) != 1 {
		t.Fatalf("got %d lines", len(lines))
	}
	want := map[string]any{
		"level": "INFO", "message": "callback", "provider": "cregis", "outcome": "new", "payout": "cregis/payout/1/2",
		"receipt": receipt().Key.Receipt, "accepted": "new", "key_id": "0a1b2c3d", "dur_ms": 12.0, "Callbacks": 1.0, "PreviousKey": 1.0,
	}
	got := lines[0]
	delete(got, "timestamp")
	metrics := got["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)[0].(map[string]any)
	delete(got, "_aws")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line:\n%s", diff)
	}
	if metrics["Namespace"] != "PayoutCallbacks/test" || !cmp.Equal(metrics["Dimensions"], []any{[]any{"provider", "outcome"}}) || len(metrics["Metrics"].([]any)) != 2 {
		t.Errorf("metrics: got %v", metrics)
	}
}

func TestOutcomesAndLevels(t *testing.T) {
	held := inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "cregis", Type: "payout", Account: "1", Reason: "unknown-status"}, nil, "", fixed())
	for _, test := range []struct {
		name           string
		result         callback.Result
		outcome, level string
	}{
		{"new", callback.Result{Verdict: callback.Acknowledge, As: inbox.New, Receipt: receipt()}, "new", "INFO"},
		{"duplicate", callback.Result{Verdict: callback.Acknowledge, As: inbox.Duplicate, Receipt: receipt()}, "duplicate", "INFO"},
		{"by queue", callback.Result{Verdict: callback.Acknowledge, As: inbox.ByQueue, Receipt: receipt(), Err: errors.New("down")}, "by-queue", "WARN"},
		{"held", callback.Result{Verdict: callback.Acknowledge, As: inbox.New, Receipt: held}, "held", "WARN"},
		{"held again", callback.Result{Verdict: callback.Acknowledge, As: inbox.Duplicate, Receipt: held}, "held", "WARN"},
		{"forged", callback.Result{Verdict: callback.Unauthentic, Err: callback.ErrUnauthentic}, "unauthentic", "WARN"},
		{"our fault", callback.Result{Verdict: callback.Unavailable, Err: errors.New("down")}, "unavailable", "ERROR"},
	} {
		got := written(t, func(r *telemetry.Recorder) { r.Callback(t.Context(), "cregis", test.result, 0) })[0]
		if got["outcome"] != test.outcome || got["level"] != test.level {
			t.Errorf("%s: got %v at %v, want %s at %s", test.name, got["outcome"], got["level"], test.outcome, test.level)
		}
	}
}

func TestDeliveries(t *testing.T) {
	for _, test := range []struct {
		delivery                 sqsqueue.Delivery
		provider, outcome, level string
	}{
		{sqsqueue.Delivery{MessageID: "m", Receipt: receipt(), Outcome: payout.Changed}, "cregis", "changed", "INFO"},
		{sqsqueue.Delivery{MessageID: "m", Receipt: receipt(), Err: errors.New("down")}, "cregis", "failed", "WARN"},
		{sqsqueue.Delivery{MessageID: "m", Foreign: true, Err: errors.New("not ours")}, "unknown", "foreign", "ERROR"},
	} {
		got := written(t, func(r *telemetry.Recorder) { r.Delivery(t.Context(), test.delivery) })[0]
		if got["provider"] != test.provider || got["outcome"] != test.outcome || got["level"] != test.level || got["Deliveries"] != 1.0 {
			t.Errorf("got %v, want %s %s at %s", got, test.provider, test.outcome, test.level)
		}
	}
}

func TestASweepTellsEveryCountZeroesToo(t *testing.T) {
	got := written(t, func(r *telemetry.Recorder) {
		r.Sweep(t.Context(), inbox.Swept{Due: 3, Sent: 2, OldestAge: 150 * time.Second}, time.Second, nil)
	})[0]
	for name, want := range map[string]float64{"Due": 3, "Sent": 2, "Adopted": 0, "Foreign": 0, "Damaged": 0, "OldestUnapplied": 150} {
		if got[name] != want {
			t.Errorf("%s: got %v, want %v", name, got[name], want)
		}
	}
	if got["level"] != "INFO" {
		t.Errorf("level: got %v", got["level"])
	}
}

// I9: nothing of a callback but ids and words of ours is in any line.
func TestNoBodyAddressOrAmountIsWritten(t *testing.T) {
	var out strings.Builder
	recorder := telemetry.NewRecorder(&out, "n", fixed)
	recorder.Callback(t.Context(), "cregis", callback.Result{Verdict: callback.Acknowledge, As: inbox.New, Receipt: receipt()}, 0)
	recorder.Delivery(t.Context(), sqsqueue.Delivery{Receipt: receipt(), Outcome: payout.Changed})
	for _, canary := range []string{"canary", "CANARY", "31337"} {
		if strings.Contains(out.String(), canary) {
			t.Errorf("%s stands in:\n%s", canary, out.String())
		}
	}
}
