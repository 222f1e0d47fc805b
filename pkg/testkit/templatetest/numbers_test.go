package templatetest_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/config"
)

// numbers are those of template.yaml, by path.
type numbers map[string]int

const (
	day            = 86_400 // seconds
	answersWithin  = 4      // seconds in which a callback is answered: pkg/lambda/functions
	attemptTimeout = 1      // seconds of one attempt of a request to AWS: pkg/lambda/functions
	gatewayTimeout = 30     // seconds, the most that an HTTP API waits: its quotas
	streamKeeps    = day    // seconds, the retention of every stream of DynamoDB
	putEvents      = 10     // entries of one request to EventBridge
)

// numberTable states every number of the template a second time, alarms aside
// (alarmTable has those), with the rule that it follows.
var numberTable = []struct {
	path  string
	value int
	rule  string
	holds func(n numbers, value int) bool
}{
	{"ThrottleRate.Default", 1000, "a tenth of what an account may have at all", func(_ numbers, v int) bool { return v <= 10_000/10 }},
	{"ThrottleRate.MinValue", 1, "0 lets nothing through", func(_ numbers, v int) bool { return v > 0 }},
	{"ThrottleBurst.Default", 2000, "a burst is at least the rate, and at most an account's 5,000", func(n numbers, v int) bool { return v >= n["ThrottleRate.Default"] && v <= 5000 }},
	{"ThrottleBurst.MinValue", 1, "0 lets nothing through", func(_ numbers, v int) bool { return v > 0 }},
	{"IngressReservedConcurrency.Default", 0, "a new account has no concurrency to reserve", func(n numbers, v int) bool { return v == n["IngressReservedConcurrency.MinValue"] }},
	{"IngressReservedConcurrency.MinValue", 0, "0 reserves nothing", isZero},
	{"Conditions.ReservesConcurrency", 0, "0 reserves nothing", isZero},
	{"ConsumerConcurrency.Default", 5, "leaves concurrency to the ingress", func(n numbers, v int) bool {
		return v >= n["ConsumerConcurrency.MinValue"] && v <= n["ConsumerConcurrency.MaxValue"]/100
	}},
	{"ConsumerConcurrency.MinValue", 2, "the least that Lambda accepts", func(_ numbers, v int) bool { return v >= 2 }},
	{"ConsumerConcurrency.MaxValue", 1000, "the most that Lambda accepts", func(_ numbers, v int) bool { return v <= 1000 }},
	{"SweepLimit.Default", 1000, "within the bounds", func(n numbers, v int) bool { return v >= n["SweepLimit.MinValue"] && v <= n["SweepLimit.MaxValue"] }},
	{"SweepLimit.MaxValue", 10_000, "the most that the code accepts", func(_ numbers, v int) bool { return v == config.MaxSweepLimit }},
	{"SweepLimit.MinValue", 1, "0 sends nothing", func(_ numbers, v int) bool { return v > 0 }},
	{"CregisKnownFields.MaxLength", 512, "the variables of a function have 4 KB together", fitsVariables},
	{"ReferencePattern.MaxLength", 256, "the variables of a function have 4 KB together", fitsVariables},
	{"ReferencePattern.MinLength", 1, "an empty pattern matches no reference", func(_ numbers, v int) bool { return v > 0 }},
	{"LogRetentionDays.Default", 30, "the log outlives every message, and a dead one", func(n numbers, v int) bool { return v*day > n["DeadLetterQueue.MessageRetentionPeriod"] }},
	{"CregisSilenceHours.Default", 0, "0 expects nothing", isZero},
	{"CregisSilenceHours.MinValue", 0, "0 expects nothing", isZero},
	{"CregisSilenceHours.MaxValue", 168, "CloudWatch looks back for seven days", func(_ numbers, v int) bool { return v*3600 <= 7*day }},
	{"Conditions.ExpectsCregis", 0, "0 expects nothing", isZero},
	{"PivotSilenceHours.Default", 0, "0 expects nothing", isZero},
	{"PivotSilenceHours.MinValue", 0, "0 expects nothing", isZero},
	{"PivotSilenceHours.MaxValue", 168, "CloudWatch looks back for seven days", func(_ numbers, v int) bool { return v*3600 <= 7*day }},
	{"Conditions.ExpectsPivot", 0, "0 expects nothing", isZero},

	{"Globals.Function.MemorySize", 256, "at least 128 MB, and less than a whole processor", func(_ numbers, v int) bool { return v >= 128 && v < 1769 }},
	{"CregisFunction.Timeout", 10, "longer than an answer may take, shorter than the gateway waits", outlastsAnAnswer},
	{"PivotFunction.Timeout", 10, "longer than an answer may take, shorter than the gateway waits", outlastsAnAnswer},
	{"ConsumerFunction.Timeout", 30, "an attempt for each of two requests of each message", func(n numbers, v int) bool {
		return v >= 2*attemptTimeout*n["EventsToConsumer.BatchSize"]
	}},
	{"SweeperFunction.Timeout", 50, "a run ends before the next begins", func(n numbers, v int) bool { return v < n["schedule"] }},
	{"PublisherFunction.Timeout", 30, "two attempts for each request of a batch", func(n numbers, v int) bool {
		return v >= 2*attemptTimeout*n["PayoutsToPublisher.BatchSize"]/putEvents
	}},

	{"EventsQueue.VisibilityTimeout", 180, "six times the consumer's timeout, as Lambda asks for", func(n numbers, v int) bool { return v >= 6*n["ConsumerFunction.Timeout"] }},
	{"EventsQueue.MessageRetentionPeriod", 4 * day, "longer than ten receives take", func(n numbers, v int) bool { return v > n["EventsQueue.RedrivePolicy.maxReceiveCount"]*15*60 }},
	{"EventsQueue.RedrivePolicy.maxReceiveCount", 10, "Lambda asks for five at least; ten outlast an hour", func(_ numbers, v int) bool { return v >= 5 }},
	{"DeadLetterQueue.MessageRetentionPeriod", 14 * day, "dead letters outlive the queue's messages by ten days; SQS keeps 14", func(n numbers, v int) bool {
		return v-n["EventsQueue.MessageRetentionPeriod"] >= 10*day && v <= 14*day
	}},
	{"EventsToConsumer.BatchSize", 10, "the most without a window that waits", func(_ numbers, v int) bool { return v <= 10 }},

	{"schedule", 60, "a receipt that is due waits for one run at most", func(_ numbers, v int) bool { return 2*v <= int(inbox.FirstDue/time.Second) }},
	{"SweeperFunction.EventInvokeConfig.MaximumRetryAttempts", 0, "the next run is the retry", isZero},
	{"SweeperFunction.EventInvokeConfig.MaximumEventAgeInSeconds", 60, "after that the next run is there", func(n numbers, v int) bool { return v == n["schedule"] }},
	{"SweeperFunction.Events.EveryMinute.Properties.RetryPolicy.MaximumRetryAttempts", 0, "the next run is the retry", isZero},
	{"SweeperFunction.Events.EveryMinute.Properties.RetryPolicy.MaximumEventAgeInSeconds", 60, "after that the next run is there", func(n numbers, v int) bool { return v == n["schedule"] }},

	{"PayoutsToPublisher.BatchSize", 100, "whole requests to EventBridge", func(_ numbers, v int) bool { return v%putEvents == 0 }},
	{"PayoutsToPublisher.MaximumRetryAttempts", -1, "nothing is given up", isForever},
	{"PayoutsToPublisher.MaximumRecordAgeInSeconds", -1, "nothing is given up", isForever},
}

func fitsVariables(_ numbers, value int) bool { return value <= 4096/8 }

func isZero(_ numbers, value int) bool    { return value == 0 }
func isForever(_ numbers, value int) bool { return value == -1 }

func outlastsAnAnswer(_ numbers, value int) bool {
	return value > answersWithin+attemptTimeout && value < gatewayTimeout
}

func TestNumbers_AreThoseOfTheTableAndFollowTheirRules(t *testing.T) {
	n := readNumbers(t, loadDocument(t))
	left := maps.Clone(n)
	for _, row := range numberTable {
		value, ok := n[row.path]
		delete(left, row.path)
		switch {
		case !ok:
			t.Errorf("template.yaml has no %s", row.path)
		case value != row.value:
			t.Errorf("%s is %d in template.yaml and %d in the table", row.path, value, row.value)
		case !row.holds(n, value):
			t.Errorf("%s is %d: %s", row.path, value, row.rule)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(left)) {
		t.Errorf("%s is %d in template.yaml, and not in the table", path, left[path])
	}
}

// readNumbers lists the numbers of parameters, conditions, globals and
// resources, and the interval of the schedule in seconds.
func readNumbers(t *testing.T, template document) numbers {
	t.Helper()
	n := numbers{}
	for name, parameter := range template["Parameters"].(map[string]any) {
		n.collect(name, parameter)
	}
	for name, condition := range template["Conditions"].(map[string]any) {
		n.collect("Conditions."+name, condition)
	}
	n.collect("Globals", template["Globals"])
	for id, resource := range template["Resources"].(map[string]any) {
		if resource := resource.(map[string]any); resource["Type"] != "AWS::CloudWatch::Alarm" {
			n.collect(id, resource["Properties"])
		}
	}
	events := template.resources("AWS::Serverless::Function", nil)["SweeperFunction"]["Events"].(map[string]any)
	schedule := events["EveryMinute"].(map[string]any)["Properties"].(map[string]any)["ScheduleExpression"]
	var every int
	var unit string
	if _, err := fmt.Sscanf(fmt.Sprint(schedule), "rate(%d %6s)", &every, &unit); err != nil || unit != "minute" || every != 1 {
		t.Fatalf("the sweeper runs at %v", schedule)
	}
	n["schedule"] = every * 60
	return n
}

// collect adds the numbers of a value. Lists of what is allowed are texts to it:
// another test compares them.
func (n numbers) collect(path string, value any) {
	switch value := value.(type) {
	case uint64:
		n[path] = int(value) //nolint:gosec // of a template
	case int64:
		n[path] = int(value)
	case []any:
		for _, element := range value {
			n.collect(path, element)
		}
	case map[string]any:
		for name, element := range value {
			switch {
			case name == "AllowedValues":
			case len(name) > 4 && name[:4] == "Fn::":
				n.collect(path, element)
			default:
				n.collect(path+"."+name, element)
			}
		}
	}
}

// Alarms relate to the numbers above.
func TestAlarms_FitWhatTheyWatch(t *testing.T) {
	template := loadDocument(t)
	n := readNumbers(t, template)
	parameters := template.defaults(map[string]any{"CregisSilenceHours": uint64(168), "PivotSilenceHours": uint64(168)})
	alarms := map[string]alarm{}
	for id, properties := range template.resources("AWS::CloudWatch::Alarm", parameters) {
		a := readAlarm(t, properties)
		alarms[id] = a
		period := a.period()
		if most := map[bool]int{true: 7 * day, false: day}[period >= 3600]; a.periods*period > most {
			t.Errorf("%s looks back for %d s, CloudWatch for %d at most", id, a.periods*period, most)
		}
		if len(a.metrics) > 10 || a.datapoints > a.periods || period%60 != 0 {
			t.Errorf("%s: %d metrics, %d of %d, period %d s", id, len(a.metrics), a.datapoints, a.periods, period)
		}
		for name, metric := range a.metrics {
			if int(metric.period/time.Second) != period {
				t.Errorf("%s: metric %s has another period than the rest", id, name)
			}
		}
	}
	threshold := func(id string) int { return int(alarms[id].threshold) }
	window := func(id string) int { return alarms[id].periods * alarms[id].period() }
	for rule, holds := range map[string]bool{
		"a message may be lost once before a receipt is old": threshold("OldestUnappliedAlarm") >= int(inbox.FirstDue/time.Second)+n["EventsQueue.VisibilityTimeout"],
		"each period has a sweep":                            alarms["OldestUnappliedAlarm"].period() >= 2*n["schedule"],
		"a sweep that is late once is no alarm":              window("SweeperNotRunningAlarm") >= 3*n["schedule"],
		"the sweeper has time to adopt dead letters":         window("DeadLettersAlarm") >= 3*n["schedule"],
		"a slow answer is no failed one":                     threshold("HighLatencyAlarm") < 1000*answersWithin,
		"a publisher that is behind is heard of in time":     threshold("PublisherBehindAlarm")/1000 < streamKeeps/24,
		"a publisher that tries again is not behind":         threshold("PublisherBehindAlarm")/1000 > 10*n["PublisherFunction.Timeout"],
	} {
		if !holds {
			t.Errorf("broken: %s", rule)
		}
	}
}

// period returns the period of an alarm's metrics in seconds.
func (a alarm) period() int {
	for _, metric := range a.metrics {
		return int(metric.period / time.Second)
	}
	return 0
}
