package templatetest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/lambda/telemetry"
)

type widget struct {
	X, Y, Width, Height int
	Properties          struct {
		Title, Region, Stat string
		Period              int
		Metrics             [][]any
	}
}

func widgets(t *testing.T) []widget {
	t.Helper()
	var body struct{ Widgets []widget }
	dashboard := loadDocument(t).resources("AWS::CloudWatch::Dashboard", nil)["Dashboard"]
	if dashboard["DashboardName"] != "${AWS::StackName}" {
		t.Errorf("the name of the dashboard is %v", dashboard["DashboardName"])
	}
	if err := json.Unmarshal([]byte(dashboard["DashboardBody"].(string)), &body); err != nil {
		t.Fatal(err)
	}
	return body.Widgets
}

// statisticsOf returns the statistics that suit a metric: the sum of a count, the
// maximum of a measurement.
func statisticsOf(namespace, name string) []string {
	for _, metric := range telemetry.Metrics() {
		switch {
		case metric == telemetry.ApplyLatency && metric.Name == name:
			return []string{"p50", "p99"}
		case metric.Name == name && metric.Unit == "Count":
			return []string{"Sum"}
		case metric.Name == name:
			return []string{"Maximum"}
		}
	}
	if namespace == ourNamespace { // from a metric filter
		return []string{"Sum"}
	}
	return map[string][]string{
		"ApproximateNumberOfMessagesVisible": {"Maximum"}, "ConcurrentExecutions": {"Maximum"},
		"Latency": {"p50", "p99"}, "Duration": {"p50", "p99"}, "Throttles": {"Sum"},
	}[name]
}

func TestDashboard_Statistics(t *testing.T) {
	for _, w := range widgets(t) {
		shown := w.Properties
		if len(shown.Metrics) > 0 && (shown.Region != "${AWS::Region}" || !slices.Contains([]int{60, 300, 3600}, shown.Period)) {
			t.Errorf("%s: region %s, period %d", shown.Title, shown.Region, shown.Period)
		}
		for _, row := range shown.Metrics {
			statistic := shown.Stat
			if options, ok := row[len(row)-1].(map[string]any); ok {
				statistic, _ = options["stat"].(string)
			}
			if want := statisticsOf(row[0].(string), row[1].(string)); !slices.Contains(want, statistic) {
				t.Errorf("%s: %v has the statistic %q, want one of %v", shown.Title, row[1], statistic, want)
			}
		}
	}
}

// A dashboard has 24 columns. Widgets neither overlap nor leave gaps.
func TestDashboard_WidgetLayout(t *testing.T) {
	cells, bottom := map[[2]int]string{}, 0
	for _, w := range widgets(t) {
		for x := w.X; x < w.X+w.Width; x++ {
			for y := w.Y; y < w.Y+w.Height; y++ {
				if other, taken := cells[[2]int{x, y}]; taken || x >= 24 || w.Height > 12 {
					t.Fatalf("%q does not fit at %d, %d, beside %q", w.Properties.Title, x, y, other)
				}
				cells[[2]int{x, y}] = w.Properties.Title
			}
		}
		bottom = max(bottom, w.Y+w.Height)
	}
	if len(cells) != 24*bottom {
		t.Errorf("the widgets fill %d cells of %d", len(cells), 24*bottom)
	}
}

// The dashboard shows each provider's callbacks, and what its function takes, once.
func TestDashboard_ShowsProviders(t *testing.T) {
	shown := map[string]int{}
	for _, w := range widgets(t) {
		for _, row := range w.Properties.Metrics {
			if len(row) > 3 {
				shown[fmt.Sprintf("%v %v=%v", row[1], row[2], row[3])]++
			}
		}
	}
	for _, provider := range providers.All() {
		function := "FunctionName=${" + provider.Prefix() + "Function}"
		for _, metric := range []string{
			"Acknowledged provider=" + provider.Name(), "Duration " + function, "ConcurrentExecutions " + function, "Throttles " + function,
		} {
			if shown[metric] != 1 {
				t.Errorf("the dashboard shows %s %d times", metric, shown[metric])
			}
		}
	}
}
