package templatetest_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// cloudwatch stores samples of metrics and evaluates alarms over them as
// CloudWatch documents it. TestCloudWatch_… compare it with the documented examples.
type cloudwatch struct {
	samples map[string][]sample // by metricKey
}

type sample struct {
	at    time.Time
	value float64
	unit  string
}

// metricKey identifies a series. Each set of dimensions is a series of its own.
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

// alarmMetric is a metric of an alarm, with statistic and period.
type alarmMetric struct {
	key       string
	statistic string
	period    time.Duration
	unit      string // "" for any
}

// series returns the last n periods before a given time.
func (c *cloudwatch) series(metric alarmMetric, end time.Time, n int) series {
	values := make([][]float64, n)
	for _, s := range c.samples[metric.key] {
		ago := end.Sub(s.at)
		index := n - 1 - int((ago-1)/metric.period) // a period includes its start
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
		panic("unknown statistic: " + statistic)
	}
	slices.Sort(values) // the smallest value that this percentage of the values does not exceed
	return values[max(int(math.Ceil(percent/100*float64(len(values)))), 1)-1]
}

// alarmState is the state of an alarm; retained means that it does not change.
type alarmState string

const (
	stateOK      alarmState = "OK"
	stateAlarm   alarmState = "ALARM"
	insufficient alarmState = "INSUFFICIENT_DATA"
	retained     alarmState = "retained"
)

// alarm holds what the evaluation of an alarm needs.
type alarm struct {
	metrics    map[string]alarmMetric // by id; "" without an expression
	expression string                 // "" for the metric itself
	comparison string
	threshold  float64
	periods    int // N of "M out of N"
	datapoints int // M
	missing    string
}

// extraPeriods is the number of periods that CloudWatch retrieves beyond the
// evaluation periods. In the documented examples it is 2: "retrieves the 5 most recent data
// points" for an alarm of 3.
const extraPeriods = 2

// evaluate returns the state of an alarm at a given time.
func (c *cloudwatch) evaluate(a alarm, end time.Time) (alarmState, error) {
	n := a.periods + extraPeriods
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
	return false, fmt.Errorf("unknown comparison: %q", a.comparison)
}

// state returns the state for the data points of the evaluation range, the oldest first:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
func (a alarm) state(points series) (alarmState, error) {
	var existing []bool // whether each data point that is not missing breaches
	oldestBreach := 0   // periods ago, from 1; 0 if no data point breaches
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
		return "", fmt.Errorf("unknown treatment of missing data: %q", a.missing)
	}
	if breaching >= a.datapoints {
		return stateAlarm, nil
	}
	return stateOK, nil
}

// undecided returns the state if every data point breaches, but fewer than required
// exist. If the oldest of them is old enough, the state is ALARM all the same:
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
	for word := range strings.FieldsSeq(text) {
		points = append(points, map[string]float64{"0": 0, "X": 1, "-": missing}[word])
	}
	return points
}
