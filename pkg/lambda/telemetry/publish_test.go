package telemetry_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/lambda/publisher"
	"payout-callbacks/pkg/lambda/telemetry"
)

func TestRecordPublish_Lines(t *testing.T) {
	for name, test := range map[string]struct {
		result publisher.Result
		want   map[string]any
	}{
		"no notification": {publisher.Result{Records: 3}, map[string]any{
			"level": "INFO", "records": 3.0, "Published": 0.0, "PublishFailed": 0.0, "CorruptRecords": 0.0,
		}},
		"published": {publisher.Result{Records: 3, Published: []string{"a#1", "b#2"}}, map[string]any{
			"level": "INFO", "records": 3.0, "Published": 2.0, "PublishFailed": 0.0, "CorruptRecords": 0.0, "notifications": []any{"a#1", "b#2"},
		}},
		"the bus is down": {publisher.Result{Records: 3, Published: []string{"a#1"}, Failed: 2, Err: errors.New("down")}, map[string]any{
			"level": "WARN", "records": 3.0, "Published": 1.0, "PublishFailed": 2.0, "CorruptRecords": 0.0, "notifications": []any{"a#1"}, "err": "down",
		}},
		"skipped": {publisher.Result{Records: 1, Skipped: []error{errors.New("payout a")}, Err: errors.New("down")}, map[string]any{
			"level": "ERROR", "records": 1.0, "Published": 0.0, "PublishFailed": 0.0, "CorruptRecords": 1.0, "err": "payout a\ndown",
		}},
		"deleted": {publisher.Result{Records: 1, Removed: []string{"a"}}, map[string]any{
			"level": "ERROR", "records": 1.0, "Published": 0.0, "PublishFailed": 0.0, "CorruptRecords": 0.0, "removed": []any{"a"},
		}},
	} {
		got := linesOf(t, func(r *telemetry.Recorder) { r.RecordPublish(t.Context(), test.result, 12*time.Millisecond) })[0]
		metrics := got["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)[0].(map[string]any)
		if !cmp.Equal(metrics["Dimensions"], []any{[]any{}}) || len(metrics["Metrics"].([]any)) != 3 {
			t.Errorf("%s: metrics %v", name, metrics)
		}
		delete(got, "_aws")
		delete(got, "timestamp")
		test.want["message"], test.want["dur_ms"] = "publish", 12.0
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
