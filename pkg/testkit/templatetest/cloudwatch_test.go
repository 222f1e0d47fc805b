package templatetest_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// cloudwatch keeps samples of metrics and evaluates alarms over them, as
// CloudWatch documents it. TestCloudWatch… hold it to the documented examples.
type cloudwatch struct {
	samples map[string][]sample // by metricKey
}

type sample struct {
	at    time.Time
	value float64
	unit  string
}

// metricKey names a series: the same metric by other dimensions is another one.
func metricKey(namespace, name string, dimensions map[string]string) string {
	key := namespace + " " + name
	for _, dimension := range slices.Sorted(maps.Keys(dimensions)) {
		key += " " + dimension + "=" + dimensions[dimension]
	}
	return key
}

func (c *cloudwatch) put(key string, s sample) {
	if c.samples == nil {
		c.samples = map[string][]sample{}
	}
	c.samples[key] = append(c.samples[key], s)
}

// series has a value for each period, the oldest first; NaN where data is missing.
type series []float64

var missing = math.NaN()

// watched is a metric as an alarm looks at it.
type watched struct {
	key       string
	statistic string
	period    time.Duration
	unit      string // "" for any
}

// series returns the last n periods before an instant.
func (c *cloudwatch) series(metric watched, end time.Time, n int) series {
	values := make([][]float64, n)
	for _, s := range c.samples[metric.key] {
		ago := end.Sub(s.at)
		index := n - 1 - int((ago-1)/metric.period) // a period contains its beginning
		if ago > 0 && index >= 0 && (metric.unit == "" || metric.unit == s.unit) {
			values[index] = append(values[index], s.value)
		}
	}
	points := make(series, n)
	for i := range points {
		points[i] = aggregate(metric.statistic, values[i])
	}
	return points
}

func aggregate(statistic string, values []float64) float64 {
	if len(values) == 0 {
		return missing
	}
	sum := 0.0
	for _, value := range values {
		sum += value
	}
	switch statistic {
	case "Sum":
		return sum
	case "SampleCount":
		return float64(len(values))
	case "Average":
		return sum / float64(len(values))
	case "Maximum":
		return slices.Max(values)
	case "Minimum":
		return slices.Min(values)
	}
	var percent float64
	if _, err := fmt.Sscanf(statistic, "p%f", &percent); err != nil {
		panic("no statistic: " + statistic)
	}
	slices.Sort(values) // the smallest value that so many percent of the values do not exceed
	return values[max(int(math.Ceil(percent/100*float64(len(values)))), 1)-1]
}

// State of an alarm. retained means that it stays as it was.
type alarmState string

const (
	stateOK      alarmState = "OK"
	stateAlarm   alarmState = "ALARM"
	insufficient alarmState = "INSUFFICIENT_DATA"
	retained     alarmState = "retained"
)

// alarm is an alarm of the template, ready to be evaluated.
type alarm struct {
	metrics    map[string]watched // by id; "" where there is no expression
	expression string             // "" for the metric itself
	comparison string
	threshold  float64
	periods    int // N of "M out of N"
	datapoints int // M
	missing    string
}

// extra is how many periods CloudWatch retrieves beyond the evaluation periods.
// In the documented examples these are 2: "retrieves the 5 most recent data
// points" for an alarm of 3.
const extra = 2

// evaluate returns the state of an alarm at an instant.
func (c *cloudwatch) evaluate(a alarm, end time.Time) (alarmState, error) {
	n := a.periods + extra
	all := map[string]series{}
	for id, metric := range a.metrics {
		all[id] = c.series(metric, end, n)
	}
	points := all[""]
	if a.expression != "" {
		computed, err := computeSeries(a.expression, all)
		if err != nil {
			return "", fmt.Errorf("expression %s: %w", a.expression, err)
		}
		points = computed
	}
	return a.state(points)
}

// breaches compares a value with the threshold.
func (a alarm) breaches(value float64) (bool, error) {
	switch a.comparison {
	case "GreaterThanThreshold":
		return value > a.threshold, nil
	case "GreaterThanOrEqualToThreshold":
		return value >= a.threshold, nil
	case "LessThanThreshold":
		return value < a.threshold, nil
	case "LessThanOrEqualToThreshold":
		return value <= a.threshold, nil
	}
	return false, fmt.Errorf("no comparison: %q", a.comparison)
}

// state decides over the evaluation range, the oldest data point first:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
func (a alarm) state(points series) (alarmState, error) {
	var existing []bool // whether each data point that is not missing breaches
	oldestBreach := 0   // how many periods ago, from 1; 0 for none
	for i, value := range points {
		if math.IsNaN(value) {
			continue
		}
		breach, err := a.breaches(value)
		if err != nil {
			return "", err
		}
		if breach && oldestBreach == 0 {
			oldestBreach = len(points) - i
		}
		existing = append(existing, breach)
	}
	if excess := len(existing) - a.periods; excess > 0 {
		existing = existing[excess:] // the most recent ones
	}
	breaching := 0
	for _, breach := range existing {
		if breach {
			breaching++
		}
	}
	filled := a.periods - len(existing)
	switch a.missing {
	case "notBreaching":
	case "breaching":
		breaching += filled
	case "missing", "ignore":
		if filled > 0 && breaching == len(existing) && breaching < a.datapoints {
			return a.undecided(breaching > 0 && oldestBreach >= a.datapoints), nil
		}
	default:
		return "", fmt.Errorf("no treatment of missing data: %q", a.missing)
	}
	if breaching >= a.datapoints {
		return stateAlarm, nil
	}
	return stateOK, nil
}

// undecided is the state where every data point breaches and there are too few
// of them. An alarm whose oldest one is old enough rings all the same:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html#CloudWatch-alarms-avoiding-premature-transition
func (a alarm) undecided(oldEnough bool) alarmState {
	switch {
	case a.missing == "ignore":
		return retained
	case oldEnough:
		return stateAlarm
	}
	return insufficient
}

// parsePoints reads the notation of the documentation: 0 does not breach a
// threshold of 0, X does, - is missing.
func parsePoints(text string) series {
	var points series
	for _, word := range strings.Fields(text) {
		points = append(points, map[string]float64{"0": 0, "X": 1, "-": missing}[word])
	}
	return points
}
