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

// numbers are the numbers in template.yaml, by path.
type numbers map[string]int

const (
	day              = 86_400 // seconds
	responseTimeout  = 4      // seconds until a callback is answered: pkg/lambda/functions
	attemptTimeout   = 1      // seconds for one attempt of a request to AWS: pkg/lambda/functions
	gatewayTimeout   = 30     // seconds, the maximum integration timeout of an HTTP API
	streamRetention  = day    // seconds, the retention of a DynamoDB stream
	putEventsEntries = 10     // maximum entries of a PutEvents request
)

type numberRow struct {
	path  string
	value int
	rule  string
	valid func(n numbers, value int) bool
}

// numberTable repeats every number of the template except those of alarms
// (alarmTable), with the rule that the number follows. providerNumbers has those of each
// provider.
var numberTable = []numberRow{
	{"ThrottleRate.Default", 1000, "a tenth of the account quota", func(_ numbers, v int) bool { return v <= 10_000/10 }},
	{"ThrottleRate.MinValue", 1, "0 blocks every request", func(_ numbers, v int) bool { return v > 0 }},
	{"ThrottleBurst.Default", 2000, "at least the rate, and at most the account quota of 5,000", func(n numbers, v int) bool { return v >= n["ThrottleRate.Default"] && v <= 5000 }},
	{"ThrottleBurst.MinValue", 1, "0 blocks every request", func(_ numbers, v int) bool { return v > 0 }},
	{"IngressReservedConcurrency.Default", 0, "a new account cannot reserve concurrency", func(n numbers, v int) bool { return v == n["IngressReservedConcurrency.MinValue"] }},
	{"IngressReservedConcurrency.MinValue", 0, "0 reserves nothing", isZero},
	{"Conditions.ReservesConcurrency", 0, "0 reserves nothing", isZero},
	{"ConsumerConcurrency.Default", 5, "leaves concurrency to the ingress", func(n numbers, v int) bool {
		return v >= n["ConsumerConcurrency.MinValue"] && v <= n["ConsumerConcurrency.MaxValue"]/100
	}},
	{"ConsumerConcurrency.MinValue", 2, "the minimum that Lambda accepts", func(_ numbers, v int) bool { return v >= 2 }},
	{"ConsumerConcurrency.MaxValue", 1000, "the maximum that Lambda accepts", func(_ numbers, v int) bool { return v <= 1000 }},
	{"SweepLimit.Default", 1000, "between minimum and maximum", func(n numbers, v int) bool { return v >= n["SweepLimit.MinValue"] && v <= n["SweepLimit.MaxValue"] }},
	{"SweepLimit.MaxValue", 10_000, "the maximum that the code accepts", func(_ numbers, v int) bool { return v == config.MaxSweepLimit }},
	{"SweepLimit.MinValue", 1, "0 sends nothing", func(_ numbers, v int) bool { return v > 0 }},
	{"CregisKnownFields.MaxLength", 512, "all variables of a function share 4 KB", fitsVariables},
	{"ReferencePattern.MaxLength", 256, "all variables of a function share 4 KB", fitsVariables},
	{"ReferencePattern.MinLength", 1, "an empty pattern matches no reference", func(_ numbers, v int) bool { return v > 0 }},
	{"LogRetentionDays.Default", 30, "longer than the retention of the dead-letter queue", func(n numbers, v int) bool { return v*day > n["DeadLetterQueue.MessageRetentionPeriod"] }},

	{"Globals.Function.MemorySize", 256, "at least 128 MB, and less than one vCPU", func(_ numbers, v int) bool { return v >= 128 && v < 1769 }},
	{"ConsumerFunction.Timeout", 30, "one attempt for each of two requests per message", func(n numbers, v int) bool {
		return v >= 2*attemptTimeout*n["EventsToConsumer.BatchSize"]
	}},
	{"SweeperFunction.Timeout", 50, "a run ends before the next starts", func(n numbers, v int) bool { return v < n["schedule"] }},
	{"ExpectedFunction.Timeout", 10, "longer than a response may take, shorter than the timeout of the API", exceedsResponseTimeout},
	{"ReconcilerFunction.Timeout", 60, "a run ends when the next starts", func(n numbers, v int) bool { return v <= n["schedule"] }},
	{"PublisherFunction.Timeout", 30, "two attempts for each request of a batch", func(n numbers, v int) bool {
		return v >= 2*attemptTimeout*n["PayoutsToPublisher.BatchSize"]/putEventsEntries
	}},

	{"EventsQueue.VisibilityTimeout", 180, "six times the consumer's timeout, as AWS recommends", func(n numbers, v int) bool { return v >= 6*n["ConsumerFunction.Timeout"] }},
	{"EventsQueue.MessageRetentionPeriod", 4 * day, "longer than ten receives take", func(n numbers, v int) bool { return v > n["EventsQueue.RedrivePolicy.maxReceiveCount"]*15*60 }},
	{"EventsQueue.RedrivePolicy.maxReceiveCount", 10, "AWS recommends at least five; ten last longer than an hour", func(_ numbers, v int) bool { return v >= 5 }},
	{"DeadLetterQueue.MessageRetentionPeriod", 14 * day, "ten days longer than the events queue; the SQS maximum is 14", func(n numbers, v int) bool {
		return v-n["EventsQueue.MessageRetentionPeriod"] >= 10*day && v <= 14*day
	}},
	{"EventsToConsumer.BatchSize", 10, "the maximum without a batching window", func(_ numbers, v int) bool { return v <= 10 }},

	{"schedule", 60, "a due receipt waits for at most one run", func(_ numbers, v int) bool { return 2*v <= int(inbox.FirstDue/time.Second) }},
	{"SweeperFunction.EventInvokeConfig.MaximumRetryAttempts", 0, "the next run is the retry", isZero},
	{"SweeperFunction.EventInvokeConfig.MaximumEventAgeInSeconds", 60, "the next run starts then", func(n numbers, v int) bool { return v == n["schedule"] }},
	{"SweeperFunction.Events.EveryMinute.Properties.RetryPolicy.MaximumRetryAttempts", 0, "the next run is the retry", isZero},
	{"SweeperFunction.Events.EveryMinute.Properties.RetryPolicy.MaximumEventAgeInSeconds", 60, "the next run starts then", func(n numbers, v int) bool { return v == n["schedule"] }},

	{"ReconcilerFunction.EventInvokeConfig.MaximumRetryAttempts", 0, "the next run is the retry", isZero},
	{"ReconcilerFunction.EventInvokeConfig.MaximumEventAgeInSeconds", 60, "the next run starts then", func(n numbers, v int) bool { return v == n["schedule"] }},
	{"ReconcilerFunction.Events.EveryMinute.Properties.RetryPolicy.MaximumRetryAttempts", 0, "the next run is the retry", isZero},
	{"ReconcilerFunction.Events.EveryMinute.Properties.RetryPolicy.MaximumEventAgeInSeconds", 60, "the next run starts then", func(n numbers, v int) bool { return v == n["schedule"] }},

	{"PayoutsToPublisher.BatchSize", 100, "full PutEvents requests", func(_ numbers, v int) bool { return v%putEventsEntries == 0 }},
	{"PayoutsToPublisher.MaximumRetryAttempts", -1, "no change is skipped", isUnlimited},
	{"PayoutsToPublisher.MaximumRecordAgeInSeconds", -1, "no change is skipped", isUnlimited},
}

func fitsVariables(_ numbers, value int) bool { return value <= 4096/8 }

func isZero(_ numbers, value int) bool      { return value == 0 }
func isUnlimited(_ numbers, value int) bool { return value == -1 }

func exceedsResponseTimeout(_ numbers, value int) bool {
	return value > responseTimeout+attemptTimeout && value < gatewayTimeout
}

func TestNumbers_MatchTableAndRules(t *testing.T) {
	n := readNumbers(t, loadDocument(t))
	left := maps.Clone(n)
	for _, row := range slices.Concat(numberTable, providerNumbers()) {
		value, ok := n[row.path]
		delete(left, row.path)
		switch {
		case !ok:
			t.Errorf("template.yaml has no %s", row.path)
		case value != row.value:
			t.Errorf("%s is %d in template.yaml and %d in the table", row.path, value, row.value)
		case !row.valid(n, value):
			t.Errorf("%s is %d: %s", row.path, value, row.rule)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(left)) {
		t.Errorf("%s is %d in template.yaml, and missing in the table", path, left[path])
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
	for _, function := range []string{"SweeperFunction", "ReconcilerFunction"} {
		events := template.resources("AWS::Serverless::Function", nil)[function]["Events"].(map[string]any)
		schedule := events["EveryMinute"].(map[string]any)["Properties"].(map[string]any)["ScheduleExpression"]
		var every int
		var unit string
		if _, err := fmt.Sscanf(fmt.Sprint(schedule), "rate(%d %6s)", &every, &unit); err != nil || unit != "minute" || every != 1 {
			t.Fatalf("%s runs at %v", function, schedule)
		}
		n["schedule"] = every * 60
	}
	return n
}

// collect adds the numbers of a value, except lists of allowed values, which
// TestParameters_MatchTable compares.
func (n numbers) collect(path string, value any) {
	switch value := value.(type) {
	case uint64:
		n[path] = int(value)
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

// Alarms fit the limits of CloudWatch and the numbers of what they monitor.
func TestAlarms_PeriodsAndThresholds(t *testing.T) {
	template := loadDocument(t)
	n := readNumbers(t, template)
	parameters := template.parameterValues(silenceHours(168))
	alarms := map[string]alarm{}
	for id, properties := range template.resources("AWS::CloudWatch::Alarm", parameters) {
		a := readAlarm(t, properties)
		alarms[id] = a
		period := a.period()
		if most := map[bool]int{true: 7 * day, false: day}[period >= 3600]; a.periods*period > most {
			t.Errorf("%s evaluates %d s, CloudWatch at most %d s", id, a.periods*period, most)
		}
		if len(a.metrics) > 10 || a.datapoints > a.periods || period%60 != 0 {
			t.Errorf("%s: %d metrics, %d of %d, period %d s", id, len(a.metrics), a.datapoints, a.periods, period)
		}
		for name, metric := range a.metrics {
			if int(metric.period/time.Second) != period {
				t.Errorf("%s: metric %s has a different period", id, name)
			}
		}
	}
	threshold := func(id string) int { return int(alarms[id].threshold) }
	window := func(id string) int { return alarms[id].periods * alarms[id].period() }
	for rule, valid := range map[string]bool{
		"a receipt is resent once before OldestUnappliedAlarm":              threshold("OldestUnappliedAlarm") >= int(inbox.FirstDue/time.Second)+n["EventsQueue.VisibilityTimeout"],
		"every period of OldestUnappliedAlarm has a sweep":                  alarms["OldestUnappliedAlarm"].period() >= 2*n["schedule"],
		"one late sweep does not raise SweeperNotRunningAlarm":              window("SweeperNotRunningAlarm") >= 3*n["schedule"],
		"one late run does not raise ReconcilerNotRunningAlarm":             window("ReconcilerNotRunningAlarm") >= 3*n["schedule"],
		"every period of ReconcilerFailingAlarm has a run":                  alarms["ReconcilerFailingAlarm"].period() >= 2*n["schedule"],
		"the sweeper recovers dead-letter messages before DeadLettersAlarm": window("DeadLettersAlarm") >= 3*n["schedule"],
		"HighLatencyAlarm is below the response timeout":                    threshold("HighLatencyAlarm") < 1000*responseTimeout,
		"PublisherBehindAlarm leaves time before the stream expires":        threshold("PublisherBehindAlarm")/1000 < streamRetention/24,
		"a retrying publisher does not raise PublisherBehindAlarm":          threshold("PublisherBehindAlarm")/1000 > 10*n["PublisherFunction.Timeout"],
	} {
		if !valid {
			t.Errorf("violated: %s", rule)
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
