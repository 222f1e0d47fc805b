package telemetry_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/consumer"
	"payout-callbacks/pkg/lambda/publisher"
	"payout-callbacks/pkg/lambda/telemetry"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

func fixed() time.Time { return time.UnixMilli(1795251600123) }

// linesOf returns the lines that record writes.
func linesOf(t *testing.T, record func(*telemetry.Recorder)) []map[string]any {
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

func TestRecordCallback_Line(t *testing.T) {
	lines := linesOf(t, func(r *telemetry.Recorder) {
		r.RecordCallback(t.Context(), "cregis", callback.Result{
			Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedNew, Receipt: receipt(), Sender: callback.Sender{Account: "1", KeyID: "0a1b2c3d", Previous: true},
		}, 12*time.Millisecond)
	})
	if len(lines) != 1 {
		t.Fatalf("got %d lines", len(lines))
	}
	want := map[string]any{
		"level": "INFO", "message": "callback", "provider": "cregis", "outcome": "new", "payout": "cregis/payout/1/2",
		"receipt": receipt().Key.Receipt, "accepted": "new", "key_id": "0a1b2c3d", "dur_ms": 12.0, "Callbacks": 1.0, "Acknowledged": 1.0, "PreviousKey": 1.0,
	}
	got := lines[0]
	delete(got, "timestamp")
	delete(got, "_aws")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line:\n%s", diff)
	}
}

func held() inbox.Receipt {
	return inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "cregis", Type: "payout", Account: "1", Reason: "unknown-status"}, nil, "", fixed())
}

func TestRecordCallback_Counts(t *testing.T) {
	for _, test := range []struct {
		name           string
		result         callback.Result
		outcome, level string
		counts         []string // besides Callbacks
	}{
		{"new", callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedNew, Receipt: receipt()},
			"new", "INFO", []string{"Acknowledged"}},
		{"duplicate", callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedDuplicate, Receipt: receipt()},
			"duplicate", "INFO", []string{"Duplicates"}},
		{"store only", callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedStoreOnly, Receipt: receipt(), Err: errors.New("down")},
			"store-only", "WARN", []string{"Acknowledged", "AcceptedStoreOnly"}},
		{"queue only", callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedQueueOnly, Receipt: receipt(), Err: errors.New("down")},
			"queue-only", "WARN", []string{"Acknowledged", "AcceptedQueueOnly"}},
		{"held", callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedNew, Receipt: held()},
			"held", "WARN", []string{"Acknowledged", "Held"}},
		{"held again", callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedDuplicate, Receipt: held()},
			"held", "WARN", []string{"Duplicates"}},
		{"replayed, with the previous key", callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedDuplicate, Receipt: receipt(), Sender: callback.Sender{Previous: true}},
			"duplicate", "INFO", []string{"Duplicates"}},
		{"held, and perhaps not stored", callback.Result{Verdict: callback.Unavailable, Receipt: held(), Err: errors.New("down")},
			"unavailable", "ERROR", []string{"Held", "Unavailable"}},
		{"held, queue only", callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedQueueOnly, Receipt: held(), Err: errors.New("down")},
			"held", "WARN", []string{"AcceptedQueueOnly", "Acknowledged", "Held"}},
		{"forged", callback.Result{Verdict: callback.Unauthenticated, Err: callback.ErrUnauthenticated},
			"unauthentic", "WARN", []string{"Refused"}},
		{"malformed", callback.Result{Verdict: callback.Malformed, Err: callback.ErrMalformed},
			"malformed", "WARN", []string{"Refused"}},
		{"our fault", callback.Result{Verdict: callback.Unavailable, Err: errors.New("down")},
			"unavailable", "ERROR", []string{"Unavailable"}},
	} {
		got := linesOf(t, func(r *telemetry.Recorder) { r.RecordCallback(t.Context(), "cregis", test.result, 0) })[0]
		if got["outcome"] != test.outcome || got["level"] != test.level {
			t.Errorf("%s: got %v at %v, want %s at %s", test.name, got["outcome"], got["level"], test.outcome, test.level)
		}
		want := append([]string{"Callbacks"}, test.counts...)
		slices.Sort(want)
		if diff := cmp.Diff(want, metricNames(got)); diff != "" {
			t.Errorf("%s counts as:\n%s", test.name, diff)
		}
	}
}

// metricNames returns the names of the metrics of a line, sorted.
func metricNames(line map[string]any) []string {
	var names []string
	for _, metric := range metricsOf(line) {
		names = append(names, metric.Name)
	}
	slices.Sort(names)
	return names
}

// metricsOf returns the metrics that CloudWatch finds in a line.
func metricsOf(line map[string]any) []telemetry.Metric {
	aws, ok := line["_aws"].(map[string]any)
	if !ok {
		return nil
	}
	directive := aws["CloudWatchMetrics"].([]any)[0].(map[string]any)
	var metrics []telemetry.Metric
	for _, defined := range directive["Metrics"].([]any) {
		metric := telemetry.Metric{
			Name:        defined.(map[string]any)["Name"].(string),
			Unit:        defined.(map[string]any)["Unit"].(string),
			PerProvider: cmp.Equal(directive["Dimensions"], []any{[]any{"provider"}, []any{}}),
		}
		total := cmp.Equal(directive["Dimensions"], []any{[]any{}})
		values, isList := line[metric.Name].([]any)
		_, isNumber := line[metric.Name].(float64)
		if directive["Namespace"] != "PayoutCallbacks/test" || !metric.PerProvider && !total || !isNumber && (!isList || len(values) == 0) {
			continue // no alarm would find it
		}
		metrics = append(metrics, metric)
	}
	return metrics
}

func TestMetrics_AllAreRecorded(t *testing.T) {
	down := errors.New("down")
	lines := linesOf(t, func(r *telemetry.Recorder) {
		for _, result := range []callback.Result{
			{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedDuplicate, Receipt: receipt()},
			{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedNew, Receipt: receipt(), Sender: callback.Sender{Previous: true}},
			{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedStoreOnly, Receipt: receipt(), Err: down},
			{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedQueueOnly, Receipt: held(), Err: down},
			{Verdict: callback.TooLarge, Err: callback.ErrTooLarge},
			{Verdict: callback.Unavailable, Err: down},
		} {
			r.RecordCallback(t.Context(), "cregis", result, 0)
		}
		r.RecordBatch(t.Context(), []consumer.Delivery{
			{Outcome: inbox.ApplyConflict, Receipt: receipt()}, {Outcome: inbox.ApplyDuplicate}, {Err: down},
		}, 0)
		r.RecordSweep(t.Context(), inbox.SweepResult{}, 0, nil)
		r.RecordPublish(t.Context(), publisher.Result{}, 0)
		r.RecordExpectation(t.Context(), reconcile.ExpectResult{}, 0, nil)
		r.RecordReconcile(t.Context(), reconcile.RunResult{}, map[string]reconcile.AccountState{}, 0, nil)
	})
	var got []telemetry.Metric
	for _, line := range lines {
		got = append(got, metricsOf(line)...)
	}
	byName := cmpopts.SortSlices(func(a, b telemetry.Metric) bool { return a.Name < b.Name })
	slices.SortFunc(got, func(a, b telemetry.Metric) int { return strings.Compare(a.Name, b.Name) })
	if diff := cmp.Diff(telemetry.Metrics(), slices.Compact(got), byName); diff != "" {
		t.Errorf("metrics (-listed +recorded):\n%s", diff)
	}
}

func TestRecordBatch_Lines(t *testing.T) {
	deliveries := []consumer.Delivery{
		{MessageID: "m1", Receipt: receipt(), Outcome: inbox.ApplyChanged},
		{MessageID: "m2", Receipt: receipt(), Outcome: inbox.ApplyConflict},
		{MessageID: "m3", Receipt: receipt(), Err: errors.New("down")},
		{MessageID: "m4", Unreadable: true, Err: errors.New("not ours")},
		{MessageID: "m5", Receipt: receipt(), Outcome: inbox.ApplyDuplicate},
	}
	lines := linesOf(t, func(r *telemetry.Recorder) { r.RecordBatch(t.Context(), deliveries, time.Second) })
	for n, want := range []map[string]any{
		{"delivery": "m1", "provider": "cregis", "outcome": "changed", "level": "INFO", "message": "delivery"},
		{"delivery": "m2", "provider": "cregis", "outcome": "conflict", "level": "WARN", "message": "delivery"},
		{"delivery": "m3", "provider": "cregis", "outcome": "failed", "level": "WARN", "message": "delivery"},
		{"delivery": "m4", "provider": "unknown", "outcome": "unreadable", "level": "ERROR", "message": "delivery"},
		{"delivery": "m5", "provider": "cregis", "outcome": "duplicate", "level": "INFO", "message": "delivery"},
		{"message": "batch", "level": "INFO", "Deliveries": 5.0, "FailedDeliveries": 2.0, "Conflicts": 1.0, "Redeliveries": 1.0, "dur_ms": 1000.0},
	} {
		for field, value := range want {
			if lines[n][field] != value {
				t.Errorf("line %d: %s is %v, want %v", n, field, lines[n][field], value)
			}
		}
	}
}

// Only what was applied has a latency, and clocks that differ give no negative value.
func TestRecordBatch_ApplyLatency(t *testing.T) {
	accepted := func(age time.Duration) inbox.Receipt {
		r := receipt()
		r.AcceptedAt = fixed().Add(-age)
		return r
	}
	for name, test := range map[string]struct {
		deliveries []consumer.Delivery
		want       any
	}{
		"applied": {
			[]consumer.Delivery{{Receipt: accepted(1500 * time.Millisecond), Outcome: inbox.ApplyChanged}, {Receipt: accepted(time.Hour), Outcome: inbox.ApplyConflict}},
			[]any{1500.0, 3600e3},
		},
		"clocks that differ": {[]consumer.Delivery{{Receipt: accepted(-time.Second), Outcome: inbox.ApplyUnchanged}}, []any{0.0}},
		"not applied":        {[]consumer.Delivery{{Receipt: accepted(time.Hour), Outcome: inbox.ApplyDuplicate}, {Receipt: accepted(time.Hour), Err: errors.New("down")}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			lines := linesOf(t, func(r *telemetry.Recorder) { r.RecordBatch(t.Context(), test.deliveries, 0) })
			batch := lines[len(lines)-1]
			if diff := cmp.Diff(test.want, batch["ApplyLatency"]); diff != "" || slices.Contains(metricNames(batch), "ApplyLatency") != (test.want != nil) {
				t.Errorf("metrics %v (-want +got):\n%s", metricNames(batch), diff)
			}
		})
	}
}

func TestRecordSweep_Zeros(t *testing.T) {
	got := linesOf(t, func(r *telemetry.Recorder) {
		r.RecordSweep(t.Context(), inbox.SweepResult{Due: 3, Resent: 2, OldestAge: 150 * time.Second}, time.Second, nil)
	})[0]
	for name, want := range map[string]float64{"ReceiptsDue": 3, "ReceiptsResent": 2, "Unsendable": 0, "DeadLettersRecovered": 0, "UnreadableDeadLetters": 0, "CorruptRecords": 0, "OldestUnappliedAge": 150, "Sweeps": 1} {
		if got[name] != want {
			t.Errorf("%s: got %v, want %v", name, got[name], want)
		}
	}
	if got["level"] != "INFO" {
		t.Errorf("level: got %v", got["level"])
	}
}

func TestRecordSweep_UnsendableReceipt(t *testing.T) {
	got := linesOf(t, func(r *telemetry.Recorder) {
		r.RecordSweep(t.Context(), inbox.SweepResult{Due: 3, Unsendable: 2}, 0, nil)
	})[0]
	if got["Unsendable"] != 2.0 || got["level"] != "ERROR" || got["Sweeps"] != 1.0 {
		t.Errorf("got %v", got)
	}
}

// A sweep that cannot read the table does not know what is due: an age of zero
// would clear its alarm, and the sweep must not count as a success.
func TestRecordSweep_TableDown(t *testing.T) {
	got := linesOf(t, func(r *telemetry.Recorder) { r.RecordSweep(t.Context(), inbox.SweepResult{}, 0, errors.New("down")) })[0]
	if names := metricNames(got); len(names) != 0 || got["level"] != "ERROR" {
		t.Errorf("metrics %v at level %v, want none at ERROR", names, got["level"])
	}
	got = linesOf(t, func(r *telemetry.Recorder) {
		r.RecordSweep(t.Context(), inbox.SweepResult{Due: 1, OldestAge: time.Hour}, 0, errors.New("queue down"))
	})[0]
	if got["OldestUnappliedAge"] != 3600.0 || got["Sweeps"] != nil {
		t.Errorf("got %v", got)
	}
}

func TestRecordSweep_UnknownAge(t *testing.T) {
	got := linesOf(t, func(r *telemetry.Recorder) {
		r.RecordSweep(t.Context(), inbox.SweepResult{Due: 1, Resent: 1, AgeUnknown: true}, 0, errors.New("down"))
	})[0]
	if _, reported := got["OldestUnappliedAge"]; reported || got["ReceiptsResent"] != 1.0 || got["Sweeps"] != nil {
		t.Errorf("got %v", got)
	}
}

// I9: a line holds no part of a callback but ids.
func TestRecord_NoBodyAddressOrAmount(t *testing.T) {
	var out strings.Builder
	recorder := telemetry.NewRecorder(&out, "n", fixed)
	recorder.RecordCallback(t.Context(), "cregis", callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedNew, Receipt: receipt()}, 0)
	recorder.RecordBatch(t.Context(), []consumer.Delivery{{Receipt: receipt(), Outcome: inbox.ApplyChanged}}, 0)
	for _, canary := range []string{"canary", "CANARY", "31337"} {
		if strings.Contains(out.String(), canary) {
			t.Errorf("the lines hold %s:\n%s", canary, out.String())
		}
	}
}

// A reader of logs finds in each line what was recorded.
func TestReadLine_RecordedLines(t *testing.T) {
	var out strings.Builder
	r := telemetry.NewRecorder(&out, "PayoutCallbacks/test", fixed)
	for _, test := range []struct {
		result  callback.Result
		verdict string
	}{
		{callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedNew, Receipt: receipt()}, telemetry.VerdictAccepted},
		{callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedStoreOnly, Receipt: receipt(), Err: errors.New("down")}, telemetry.VerdictAccepted},
		{callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedQueueOnly, Receipt: receipt(), Err: errors.New("down")}, telemetry.VerdictAccepted},
		{callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedDuplicate, Receipt: receipt()}, telemetry.VerdictDuplicate},
		{callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedNew, Receipt: held()}, telemetry.VerdictHeld},
		{callback.Result{Verdict: callback.Unauthenticated}, telemetry.VerdictRefused},
		{callback.Result{Verdict: callback.Malformed}, telemetry.VerdictRefused},
		{callback.Result{Verdict: callback.TooLarge}, telemetry.VerdictRefused},
		{callback.Result{Verdict: callback.Unavailable, Receipt: receipt(), Err: errors.New("down")}, telemetry.VerdictUnavailable},
	} {
		out.Reset()
		r.RecordCallback(t.Context(), "cregis", test.result, 0)
		line, ok := telemetry.ReadLine(out.String())
		if !ok || line.Message != telemetry.MessageCallback || line.Provider != "cregis" || !line.At.Equal(fixed().Truncate(time.Millisecond)) ||
			line.Verdict() != test.verdict || line.Key() != test.result.Receipt.Key || (line.Error != "") != (test.result.Err != nil) {
			t.Errorf("%+v is read as %+v, %s", test.result, line, line.Verdict())
		}
	}
	out.Reset()
	r.RecordPublish(t.Context(), publisher.Result{Published: []string{"a", "b"}}, 0)
	if line, ok := telemetry.ReadLine(out.String()); !ok || line.Message != telemetry.MessagePublish || line.Published != 2 {
		t.Errorf("notifications are read as %+v", line)
	}
	if line, ok := telemetry.ReadLine("START RequestId: 1"); ok {
		t.Errorf("a line of Lambda is read as %+v", line)
	}
}
