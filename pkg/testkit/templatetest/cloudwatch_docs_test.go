package templatetest_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The tables of "Configuring how CloudWatch alarms treat missing data", from both
// published versions of the page. X breaches, 0 does not, - is missing:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
// https://github.com/awsdocs/amazon-cloudwatch-user-guide/blob/05fd32f/doc_source/AlarmThatSendsEmail.md
func TestCloudWatch_MissingData(t *testing.T) {
	for _, test := range []struct {
		datapoints int // of 3
		points     string
		want       [4]alarmState // missing, ignore, breaching, notBreaching
	}{
		{3, "0 - X - X", [4]alarmState{stateOK, stateOK, stateOK, stateOK}},
		{3, "0 - - - -", [4]alarmState{stateOK, stateOK, stateOK, stateOK}}, // the version on GitHub
		{3, "- - - - 0", [4]alarmState{stateOK, stateOK, stateOK, stateOK}},
		{3, "- - - - -", [4]alarmState{insufficient, retained, stateAlarm, stateOK}},
		{3, "0 X X - X", [4]alarmState{stateAlarm, stateAlarm, stateAlarm, stateAlarm}},
		{3, "- - - - X", [4]alarmState{insufficient, retained, stateAlarm, stateOK}},
		{3, "X - - - -", [4]alarmState{stateAlarm, retained, stateAlarm, stateOK}},
		{3, "- - X - -", [4]alarmState{stateAlarm, retained, stateAlarm, stateOK}},
		{2, "0 - X - X", [4]alarmState{stateAlarm, stateAlarm, stateAlarm, stateAlarm}},
		{2, "0 0 X 0 X", [4]alarmState{stateAlarm, stateAlarm, stateAlarm, stateAlarm}},
		{2, "0 - X - -", [4]alarmState{stateOK, stateOK, stateAlarm, stateOK}},
		{2, "- - - - 0", [4]alarmState{stateOK, stateOK, stateAlarm, stateOK}},
		{2, "- - - - X", [4]alarmState{insufficient, retained, stateAlarm, stateOK}},
		{2, "- - - X -", [4]alarmState{stateAlarm, retained, stateAlarm, stateOK}},
	} {
		for i, treatment := range []string{"missing", "ignore", "breaching", "notBreaching"} {
			a := alarm{comparison: "GreaterThanThreshold", periods: 3, datapoints: test.datapoints, missing: treatment}
			got, err := a.state(parsePoints(test.points))
			if err != nil || got != test.want[i] {
				t.Errorf("%d of 3, %s, missing is %s: got %s, %v, want %s", test.datapoints, test.points, treatment, got, err, test.want[i])
			}
		}
	}
}

// The examples of "Using math expressions with CloudWatch metrics":
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
func TestCloudWatch_MetricMath(t *testing.T) {
	compared := map[string]series{"metric1": {30, 20, 0, 0}, "metric2": {20, missing, 20, missing}}
	chosen := map[string]series{
		"metric1": {1, 1, 0, 0, missing}, "metric2": {30, missing, 0, 0, 30}, "metric3": {0, 0, 20, missing, 20},
	}
	summed := map[string]series{"m1": {1, 2, missing, missing}, "m2": {10, missing, 30, missing}}
	for _, test := range []struct {
		expression string
		metrics    map[string]series
		want       series
	}{
		{"(metric1 < metric2)", compared, series{0, 0, 1, 0}},
		{"(metric1 >= 30)", compared, series{1, 0, 0, 0}},
		{"(metric1 > 15 AND metric2 > 15)", compared, series{1, 0, 0, 0}},
		{"IF(metric1, metric2, metric3)", chosen, series{30, 0, 20, missing, missing}},
		{"IF(metric1, 5, metric3)", chosen, series{5, 5, 20, missing, missing}},
		{"IF(metric1, metric2, 5)", chosen, series{30, 0, 5, 5, missing}},
		// "Missing values in a time series are treated as 0. If the value of a data
		// point causes a function to attempt to divide by zero, the data point is dropped."
		{"m1 + m2", summed, series{11, 2, 30, missing}},
		{"100 * m1 / m2", summed, series{10, missing, 0, missing}},
		{"m1 - m2 * 2", summed, series{-19, 2, -60, missing}},
		{"-m1 + 2 ^ 2", summed, series{3, 2, missing, missing}},
		{"SUM([m1, m2])", summed, series{11, 2, 30, missing}},
		{"MAX([m1, m2]) + MIN([m1, m2])", summed, series{11, 4, 60, missing}},
		{"FILL(m1, 0)", summed, series{1, 2, 0, 0}},
		{"FILL(m1, 0) + FILL(m2, 5)", summed, series{11, 7, 30, 5}},
		{"FILL(m1, m2)", summed, series{1, 2, 30, missing}},
		{"m1 == 1 || m2 == 30 && m2 != 10", summed, series{1, 0, 1, missing}},
	} {
		got, err := computeSeries(test.expression, test.metrics)
		if err != nil {
			t.Errorf("%s: %v", test.expression, err)
		}
		if diff := cmp.Diff(test.want, got, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.expression, diff)
		}
	}
	for _, expression := range []string{
		"", "m1 +", "(m1", "m1 m2", "m3", "5", "SUM(m1)", "AVG([m1, m2])", "IF(m1)", "FILL(m1)", "m1 ? 1", "m1, m2", "sum([m1])", "m1 # 2",
	} {
		if got, err := computeSeries(expression, summed); err == nil {
			t.Errorf("%q is computed as %v", expression, got)
		}
	}
}

func TestCloudWatch_Statistics(t *testing.T) {
	end := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	var c cloudwatch
	for ago, values := range map[time.Duration][]float64{
		1: {1}, time.Minute: {2, 6}, 3 * time.Minute: {4}, 3*time.Minute + 1: {9}, 0: {100}, -1: {100},
	} {
		for _, value := range values {
			c.put("m", sample{end.Add(-ago), value, "Count"})
		}
	}
	for statistic, want := range map[string]series{
		"Sum": {9, 4, missing, 9}, "SampleCount": {1, 1, missing, 3}, "Average": {9, 4, missing, 3},
		"Maximum": {9, 4, missing, 6}, "Minimum": {9, 4, missing, 1}, "p50": {9, 4, missing, 2}, "p99": {9, 4, missing, 6},
	} {
		got := c.series(alarmMetric{"m", statistic, time.Minute, ""}, end, 4)
		if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", statistic, diff)
		}
	}
	if got := c.series(alarmMetric{"m", "Sum", time.Minute, "Seconds"}, end, 1); !math.IsNaN(got[0]) {
		t.Errorf("an alarm on Seconds counts samples of unit Count: %v", got)
	}
}

// The examples of "Filter pattern syntax":
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
func TestCloudWatch_FilterPatterns(t *testing.T) {
	const trail = `{"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111","arrayKey":["value","another value"],
		"objectList":[{"name":"a","id":1},{"name":"b","id":2}],"SomeObject":null,"errorCode":400,"latency":1000.5}`
	const user = `{"user":{"id":1,"email":"John.Stiles@example.com"},"users":[{"id":2,"email":"John.Doe@example.com"},
		{"id":3,"email":"Jane.Doe@example.com"}],"actions":["GET","PUT","DELETE"],"coordinates":[[0,1,2],[4,5,6],[7,8,9]]}`
	for _, test := range []struct {
		pattern, line string
		want          bool
	}{
		{`{ $.eventType = "UpdateTrail" }`, trail, true},
		{`{ $.eventType = "*Trail" }`, trail, true},
		{`{ $.eventType = UpdateTrail }`, trail, true},
		{`{ $.eventType = "updateTrail" }`, trail, false},
		{`{ $.sourceIPAddress != 123.123.* }`, trail, true},
		{`{ $.arrayKey[0] = "value" }`, trail, true},
		{`{ $.objectList[1].id = 2 }`, trail, true},
		{`{ $.objectList[2].id = 2 }`, trail, false},
		{`{ $.errorCode = 400 }`, trail, true},
		{`{ $.errorCode != 500 }`, trail, true},
		{`{ $.latency > +1000 }`, trail, true},
		{`{ $.latency >= 500 }`, trail, true},
		{`{ $.latency < 10e-3 }`, trail, false},
		{`{ $.SomeObject = "x" }`, trail, false},
		{`{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }`, user, true},
		{`{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }`, user, false},
		{`{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch && $.actions[2] = nomatch }`, user, true},
		{`{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch) && $.actions[2] = nomatch }`, user, false},
		{`{ $.users = 1 }`, `{"users": [1, 2, 3]}`, false},
		{`{ $.users != 1 }`, `{"users": [1, 2, 3]}`, false},
		{`{ $.status = "429" }`, `{"status":"429"}`, true},
		{`{ $.status = "429" }`, `{"status":429}`, false},
		{`{ $.status = 429 }`, `{"status":"429"}`, false},
		{`{ $.status = 429 }`, `not JSON`, false},
	} {
		got, err := matchesFilter(test.pattern, test.line)
		if err != nil || got != test.want {
			t.Errorf("%s of %s: got %v, %v, want %v", test.pattern, test.line, got, err, test.want)
		}
	}
	for _, pattern := range []string{`$.status = 429`, `{ $.status 429 }`, `{ status = 429 }`, `{ ($.status = 429 }`, `ERROR`, ``, `{ }`} {
		if got, err := matchesFilter(pattern, `{"status":429}`); err == nil {
			t.Errorf("%q matches %v", pattern, got)
		}
	}
}
