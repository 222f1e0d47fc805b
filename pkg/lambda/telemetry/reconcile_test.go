package telemetry_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/lambda/telemetry"
	"payout-callbacks/pkg/reconcile"
)

func TestRecordExpectation_Line(t *testing.T) {
	refused := &reconcile.FieldError{Field: "amount", Problem: "is malformed"}
	for _, test := range []struct {
		result reconcile.ExpectResult
		err    error
		want   map[string]any
	}{
		{reconcile.ExpectResult{Payout: "pivot/batch/M/u", Result: reconcile.ExpectNew}, nil,
			map[string]any{"outcome": "new", "provider": "pivot", "payout": "pivot/batch/M/u", "level": "INFO", "Expectations": 1.0, "Conflicts": 0.0}},
		{reconcile.ExpectResult{Payout: "cregis/payout/1/2", Result: reconcile.ExpectConflict}, nil,
			map[string]any{"outcome": "conflict", "provider": "cregis", "payout": "cregis/payout/1/2", "level": "WARN", "Expectations": 1.0, "Conflicts": 1.0}},
		{reconcile.ExpectResult{}, refused,
			map[string]any{"outcome": "refused", "field": "amount", "err": "is malformed", "level": "WARN", "Expectations": 0.0, "Conflicts": 0.0}},
		{reconcile.ExpectResult{}, errors.New("down"),
			map[string]any{"outcome": "unavailable", "err": "down", "level": "ERROR", "Expectations": 0.0, "Conflicts": 0.0}},
	} {
		got := linesOf(t, func(r *telemetry.Recorder) { r.RecordExpectation(t.Context(), test.result, time.Second, test.err) })[0]
		delete(got, "timestamp")
		delete(got, "_aws")
		test.want["message"], test.want["dur_ms"] = "expectation", 1000.0
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("line:\n%s", diff)
		}
	}
}

func TestRecordReconcile_Counts(t *testing.T) {
	got := linesOf(t, func(r *telemetry.Recorder) {
		r.RecordReconcile(t.Context(), reconcile.RunResult{
			Due: 9, Held: 2, Accepted: 4, Overdue: 1, Answered: 1, Damaged: 1, Busy: 1,
			Outcomes: map[reconcile.Outcome]int{
				reconcile.Answered: 3, reconcile.NotFound: 1, reconcile.InProcess: 1, reconcile.ByReference: 1,
				reconcile.Unavailable: 2, reconcile.RateLimited: 1, reconcile.Unusable: 1,
				reconcile.NotAsked: 5, reconcile.NoCredentials: 5, reconcile.NoID: 5,
			},
		}, map[string]reconcile.AccountState{
			"cregis/1": {Failures: 1, Cause: reconcile.KeyRefused, PausedUntil: fixed()},
			"cregis/2": {AnsweredAt: fixed()},
			"pivot/M":  {Failures: 4, Cause: reconcile.Unavailable},
		}, 0, nil)
	})[0]
	for name, want := range map[string]any{
		"message": "reconcile", "level": "ERROR", "due": 9.0, "held": 2.0, "statements": 4.0, "answered": 1.0, "busy": 1.0,
		"QueriesAnswered": 6.0, "QueriesFailed": 4.0, "Overdue": 1.0, "CorruptRecords": 1.0, "AccountsFailing": 1.0,
	} {
		if got[name] != want {
			t.Errorf("%s: got %v, want %v", name, got[name], want)
		}
	}
	if outcomes, _ := got["outcomes"].(map[string]any); outcomes["answered"] != 3.0 || outcomes["off"] != 5.0 {
		t.Errorf("outcomes: %v", got["outcomes"])
	}
}

// A run names each account that cannot be asked once, at level error if waiting does
// not help.
func TestRecordReconcile_Accounts(t *testing.T) {
	reports := []reconcile.AccountReport{
		{Account: "cregis/1", Cause: reconcile.KeyRefused, Detail: "HTTP 200, code E0002"},
		{Account: "cregis/1", Cause: reconcile.KeyRefused},
		{Account: "cregis/2", Cause: reconcile.AddressRefused},
		{Account: "pivot/M", Cause: reconcile.RateLimited},
		{Account: "pivot/N", Cause: reconcile.Unavailable},
		{Account: "pivot/O", Cause: reconcile.NoCredentials, Detail: "key is missing"},
	}
	lines := linesOf(t, func(r *telemetry.Recorder) {
		r.RecordReconcile(t.Context(), reconcile.RunResult{Failing: reports}, nil, 0, nil)
	})
	want := []map[string]any{
		{"provider": "cregis", "account": "1", "outcome": "key-refused", "level": "ERROR", "err": "HTTP 200, code E0002"},
		{"provider": "cregis", "account": "2", "outcome": "address-refused", "level": "ERROR"},
		{"provider": "pivot", "account": "M", "outcome": "rate-limited", "level": "WARN"},
		{"provider": "pivot", "account": "N", "outcome": "unavailable", "level": "WARN"},
		{"provider": "pivot", "account": "O", "outcome": "no-credentials", "level": "ERROR", "err": "key is missing"},
	}
	if len(lines) != len(want)+1 {
		t.Fatalf("got %d lines, want %d", len(lines), len(want)+1)
	}
	for n, line := range want {
		delete(lines[n], "timestamp")
		line["message"] = "account"
		if diff := cmp.Diff(line, lines[n]); diff != "" {
			t.Errorf("line %d:\n%s", n, diff)
		}
	}
	if _, ok := lines[len(want)]["AccountsFailing"]; ok {
		t.Error("AccountsFailing is recorded although the states are unknown")
	}
}

// An answer that is not understood raises the alarm of held callbacks.
func TestRecordReconcile_HeldAnswers(t *testing.T) {
	lines := linesOf(t, func(r *telemetry.Recorder) {
		r.RecordReconcile(t.Context(), reconcile.RunResult{HeldAnswers: map[string]int{"pivot": 2}}, nil, 0, nil)
	})
	if got := lines[0]; got["message"] != "held answers" || got["provider"] != "pivot" || got["Held"] != 2.0 || len(metricsOf(got)) != 1 {
		t.Errorf("got %v", got)
	}
}

// A run that cannot list what is due must not clear an alarm with a zero.
func TestRecordReconcile_TableDown(t *testing.T) {
	got := linesOf(t, func(r *telemetry.Recorder) {
		r.RecordReconcile(t.Context(), reconcile.RunResult{}, nil, 0, errors.New("down"))
	})[0]
	if names := metricNames(got); len(names) != 0 || got["level"] != "ERROR" {
		t.Errorf("metrics %v at level %v, want none at ERROR", names, got["level"])
	}
}

func TestRecordAsk_Outcomes(t *testing.T) {
	got := linesOf(t, func(r *telemetry.Recorder) {
		r.RecordAsk(t.Context(), reconcile.AskResponse{
			Payouts:  []reconcile.AskResult{{Payout: "cregis/payout/1/2", Outcome: reconcile.Answered}},
			Accounts: []reconcile.AccountCheck{{Account: "cregis/1", Outcome: reconcile.NotFound}, {Account: "pivot/M", Outcome: reconcile.NotFound}},
		}, 0, nil)
	})[0]
	want := map[string]any{"answered": 1.0, "not-found": 2.0}
	if diff := cmp.Diff(want, got["outcomes"]); diff != "" || got["message"] != "ask" || len(metricNames(got)) != 0 {
		t.Errorf("%s: %v", diff, got)
	}
}
