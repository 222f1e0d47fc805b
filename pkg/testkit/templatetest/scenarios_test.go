package templatetest_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/lambda/publisher"
	"payout-callbacks/pkg/reconcile"
)

type scenario struct {
	alarm string
	fires bool
	name  string
	play  []phase
}

// scenarios list, for each alarm, activities on both sides of its threshold.
//
// Some metrics have no data point for a count of 0, and CloudWatch looks for data
// beyond the evaluation periods. An alarm on such a metric returns to OK
// extraPeriods later, when the last data point has left that range.
var scenarios = []scenario{
	{"OldestUnappliedAlarm", true, "a receipt waits for 301 s", []phase{minutes(1, sweepWithAge(301*time.Second))}},
	{"OldestUnappliedAlarm", true, "only the first of five sweeps found it", []phase{minutes(1, sweepWithAge(301*time.Second)), minutes(4, sweepWithAge(0))}},
	{"OldestUnappliedAlarm", false, "a receipt waits for 300 s", []phase{minutes(5, sweepWithAge(300*time.Second))}},
	{"OldestUnappliedAlarm", false, "it was applied before the last five sweeps", []phase{minutes(1, sweepWithAge(time.Hour)), minutes(5, sweepWithAge(0))}},

	{"SweeperNotRunningAlarm", true, "no sweep for seven minutes", []phase{minutes(9, sweepWithAge(0)), minutes(7)}},
	{"SweeperNotRunningAlarm", true, "every sweep fails", []phase{minutes(7, sweep(inbox.SweepResult{Due: 1}, errors.New("down")))}},
	{"SweeperNotRunningAlarm", false, "a run in five minutes", []phase{minutes(4), minutes(1, sweepWithAge(0))}},
	{"SweeperNotRunningAlarm", false, "the last run was four minutes ago", []phase{minutes(1, sweepWithAge(0)), minutes(4)}},

	{"DeadLettersAlarm", true, "a message for five minutes", []phase{minutes(1, visibleMessages("DeadLetterQueue", 0)), minutes(5, visibleMessages("DeadLetterQueue", 1))}},
	{"DeadLettersAlarm", false, "a message for four minutes", []phase{minutes(1, visibleMessages("DeadLetterQueue", 0)), minutes(4, visibleMessages("DeadLetterQueue", 1))}},
	{"DeadLettersAlarm", false, "the events queue is long", []phase{minutes(7, visibleMessages("EventsQueue", 1e6), visibleMessages("DeadLetterQueue", 0))}},

	{"UnsendableAlarm", true, "the queue rejects a receipt", []phase{minutes(1, sweep(inbox.SweepResult{Due: 9, Unsendable: 1}, nil)), minutes(4, sweepWithAge(0))}},
	{"UnsendableAlarm", false, "five minutes later", []phase{minutes(1, sweep(inbox.SweepResult{Due: 9, Unsendable: 1}, nil)), minutes(5, sweepWithAge(0))}},
	{"UnsendableAlarm", false, "receipts are sent again", []phase{minutes(5, sweep(inbox.SweepResult{Due: 9, Resent: 9}, nil))}},

	{"HeldAlarm", true, "a callback of Cregis is held", []phase{minutes(1, heldCallback("cregis")), minutes(4)}},
	{"HeldAlarm", true, "a callback of Pivot is held", []phase{minutes(1, heldCallback("pivot"))}},
	{"HeldAlarm", true, "an answer of Pivot is held", []phase{minutes(1, run(reconcile.RunResult{HeldAnswers: map[string]int{"pivot": 1}}, 0))}},
	{"HeldAlarm", false, "fifteen minutes later", []phase{minutes(1, heldCallback("cregis")), minutes(15)}},
	{"HeldAlarm", false, "callbacks are accepted or refused", []phase{minutes(5, acknowledgedCallback("cregis"), acknowledgedCallback("pivot"), refusedCallback("pivot"))}},

	{"ConflictedAlarm", true, "an event conflicts with another", []phase{minutes(1, applyResult(inbox.ApplyConflict)), minutes(4)}},
	{"ConflictedAlarm", true, "an expectation conflicts with a callback", []phase{minutes(1, expectation(reconcile.ExpectConflict))}},
	{"ConflictedAlarm", false, "expectations agree", []phase{minutes(5, expectation(reconcile.ExpectChanged))}},
	{"ConflictedAlarm", false, "five minutes later, other events come", []phase{minutes(1, applyResult(inbox.ApplyConflict)), minutes(5, applyResult(inbox.ApplyChanged))}},
	{"ConflictedAlarm", false, "duplicate deliveries", []phase{minutes(5, applyResult(inbox.ApplyDuplicate))}},

	{"NoRouteAlarm", true, "a callback to a wrong URL, 59 minutes ago", []phase{minutes(1, gatewayResponse(map[string]string{"status": "404", "httpMethod": "POST"})), minutes(59)}},
	{"NoRouteAlarm", false, "three hours later", []phase{minutes(1, gatewayResponse(map[string]string{"status": "404", "httpMethod": "POST"})), hours(3)}},
	{"NoRouteAlarm", false, "GET requests", []phase{minutes(9, gatewayResponse(map[string]string{"status": "404", "httpMethod": "GET"}))}},
	{"NoRouteAlarm", false, "callbacks on routes", []phase{minutes(9, gatewayResponse(map[string]string{"status": "200", "httpMethod": "POST"}), gatewayResponse(map[string]string{"status": "401", "httpMethod": "POST"}))}},

	{"OverdueAlarm", true, "a payout is overdue", []phase{minutes(1, run(reconcile.RunResult{Overdue: 1}, 0)), minutes(4, run(reconcile.RunResult{}, 0))}},
	{"OverdueAlarm", false, "five minutes later", []phase{minutes(1, run(reconcile.RunResult{Overdue: 1}, 0)), minutes(5, run(reconcile.RunResult{}, 0))}},
	{"OverdueAlarm", false, "payouts are asked about", []phase{minutes(5, run(reconcile.RunResult{Due: 9, Outcomes: map[reconcile.Outcome]int{reconcile.Unavailable: 9}}, 2))}},

	{"ReconcilerFailingAlarm", true, "a key is refused for 15 minutes", []phase{minutes(15, run(reconcile.RunResult{}, 1))}},
	{"ReconcilerFailingAlarm", false, "for 14 minutes", []phase{minutes(1, run(reconcile.RunResult{}, 0)), minutes(14, run(reconcile.RunResult{}, 1))}},
	{"ReconcilerFailingAlarm", false, "the provider answers again", []phase{minutes(30, run(reconcile.RunResult{}, 1)), minutes(1, run(reconcile.RunResult{}, 0))}},
	{"ReconcilerFailingAlarm", false, "no run", []phase{minutes(1, run(reconcile.RunResult{}, 0)), minutes(30)}},

	{"ReconcilerNotRunningAlarm", true, "no run for seven minutes", []phase{minutes(9, lambdaMetric("Invocations", "ReconcilerFunction", 1)), minutes(7)}},
	{"ReconcilerNotRunningAlarm", true, "only the sweeper runs", []phase{minutes(7, lambdaMetric("Invocations", "SweeperFunction", 1))}},
	{"ReconcilerNotRunningAlarm", false, "the last run was four minutes ago", []phase{minutes(1, lambdaMetric("Invocations", "ReconcilerFunction", 1)), minutes(4)}},

	{"ServerErrorsAlarm", true, "the API returns 5xx", []phase{minutes(1, awsMetric("AWS/ApiGateway", "5xx", "ApiId", "${CallbackApi}", 1))}},
	{"ServerErrorsAlarm", true, "Cregis' function fails", []phase{minutes(1, lambdaMetric("Errors", "CregisFunction", 1))}},
	{"ServerErrorsAlarm", true, "Pivot's function fails", []phase{minutes(1, lambdaMetric("Errors", "PivotFunction", 1))}},
	{"ServerErrorsAlarm", true, "the consumer fails", []phase{minutes(1, lambdaMetric("Errors", "ConsumerFunction", 1))}},
	{"ServerErrorsAlarm", true, "the sweeper fails", []phase{minutes(1, lambdaMetric("Errors", "SweeperFunction", 1))}},
	{"ServerErrorsAlarm", true, "the publisher fails", []phase{minutes(1, lambdaMetric("Errors", "PublisherFunction", 1))}},
	{"ServerErrorsAlarm", true, "the function for expectations fails", []phase{minutes(1, lambdaMetric("Errors", "ExpectedFunction", 1))}},
	{"ServerErrorsAlarm", true, "the reconciler fails", []phase{minutes(1, lambdaMetric("Errors", "ReconcilerFunction", 1))}},
	{"ServerErrorsAlarm", false, "a minute later", []phase{minutes(1, lambdaMetric("Errors", "CregisFunction", 1)), minutes(1, lambdaMetric("Errors", "CregisFunction", 0))}},
	{"ServerErrorsAlarm", false, "forged callbacks", []phase{minutes(3, awsMetric("AWS/ApiGateway", "4xx", "ApiId", "${CallbackApi}", 9), lambdaMetric("Errors", "CregisFunction", 0))}},

	{"AcceptedQueueOnlyAlarm", true, "the table is down", []phase{minutes(1, acceptedCallback(inbox.AcceptedQueueOnly))}},
	{"AcceptedQueueOnlyAlarm", false, "three minutes later", []phase{minutes(1, acceptedCallback(inbox.AcceptedQueueOnly)), minutes(3)}},
	{"AcceptedQueueOnlyAlarm", false, "the queue is down", []phase{minutes(3, acceptedCallback(inbox.AcceptedStoreOnly))}},

	{"HighLatencyAlarm", true, "two in a hundred take 2001 ms in three minutes of five", []phase{minutes(3, latencies(98, 2, 2001)), minutes(2, latencies(100, 0, 0))}},
	{"HighLatencyAlarm", false, "in two minutes of five", []phase{minutes(3, latencies(100, 0, 0)), minutes(2, latencies(98, 2, 2001))}},
	{"HighLatencyAlarm", false, "two in a hundred take 2000 ms", []phase{minutes(5, latencies(98, 2, 2000))}},
	{"HighLatencyAlarm", false, "one in a hundred takes 9 s", []phase{minutes(5, latencies(99, 1, 9000))}},

	{"ThrottledAlarm", true, "the API returns 429", []phase{minutes(1, gatewayResponse(map[string]string{"status": "429"}))}},
	{"ThrottledAlarm", true, "Cregis' function is throttled", []phase{minutes(1, lambdaMetric("Throttles", "CregisFunction", 1))}},
	{"ThrottledAlarm", true, "Pivot's function is throttled", []phase{minutes(1, lambdaMetric("Throttles", "PivotFunction", 1))}},
	{"ThrottledAlarm", true, "the consumer is throttled", []phase{minutes(1, lambdaMetric("Throttles", "ConsumerFunction", 1))}},
	{"ThrottledAlarm", true, "the sweeper is throttled", []phase{minutes(1, lambdaMetric("Throttles", "SweeperFunction", 1))}},
	{"ThrottledAlarm", true, "the publisher is throttled", []phase{minutes(1, lambdaMetric("Throttles", "PublisherFunction", 1))}},
	{"ThrottledAlarm", true, "the function for expectations is throttled", []phase{minutes(1, lambdaMetric("Throttles", "ExpectedFunction", 1))}},
	{"ThrottledAlarm", true, "the reconciler is throttled", []phase{minutes(1, lambdaMetric("Throttles", "ReconcilerFunction", 1))}},
	{"ThrottledAlarm", true, "writes of receipts are throttled", []phase{minutes(1, throttledWrites("ReceiptsTable"))}},
	{"ThrottledAlarm", true, "writes of payouts are throttled", []phase{minutes(1, throttledWrites("PayoutsTable"))}},
	{"ThrottledAlarm", false, "a minute later", []phase{minutes(1, throttledWrites("PayoutsTable")), minutes(1, lambdaMetric("Throttles", "CregisFunction", 0))}},
	{"ThrottledAlarm", false, "the API returns 200, 401 and 404", []phase{minutes(3, gatewayResponse(map[string]string{"status": "200"}), gatewayResponse(map[string]string{"status": "401"}), gatewayResponse(map[string]string{"status": "404"}))}},

	{"PreviousKeyAlarm", true, "the previous key on two days", []phase{days(2, previousKeyCallback("pivot"))}},
	{"PreviousKeyAlarm", false, "on one day", []phase{days(1, acknowledgedCallback("pivot")), days(1, previousKeyCallback("pivot"))}},
	{"PreviousKeyAlarm", false, "the current key", []phase{days(2, acknowledgedCallback("pivot"))}},

	{"CorruptRecordsAlarm", true, "a sweep finds a receipt that cannot be read", []phase{minutes(1, sweep(inbox.SweepResult{Damaged: 1}, nil)), minutes(4, sweepWithAge(0))}},
	{"CorruptRecordsAlarm", true, "the publisher finds a payout that cannot be read", []phase{minutes(1, publishResult(publisher.Result{Skipped: []error{errors.New("corrupt-records")}}))}},
	{"CorruptRecordsAlarm", false, "five minutes later", []phase{minutes(1, sweep(inbox.SweepResult{Damaged: 1}, nil)), minutes(5, sweepWithAge(0))}},
	{"CorruptRecordsAlarm", false, "sweeps and publishing succeed", []phase{minutes(5, sweepWithAge(time.Hour), publishResult(publisher.Result{Published: []string{"a"}}))}},

	{"PublisherBehindAlarm", true, "ten minutes and a millisecond, five times", []phase{minutes(5, lambdaMetric("IteratorAge", "PublisherFunction", 600_001))}},
	{"PublisherBehindAlarm", false, "four times", []phase{minutes(1, lambdaMetric("IteratorAge", "PublisherFunction", 0)), minutes(4, lambdaMetric("IteratorAge", "PublisherFunction", 600_001))}},
	{"PublisherBehindAlarm", false, "ten minutes", []phase{minutes(7, lambdaMetric("IteratorAge", "PublisherFunction", 600_000))}},
	{"PublisherBehindAlarm", false, "another function is behind", []phase{minutes(7, lambdaMetric("IteratorAge", "ConsumerFunction", 1e9))}},
}

// providerScenarios lists those of a provider's alarms, beside another provider.
func providerScenarios(prefix, name, other string) []scenario {
	return []scenario{
		{prefix + "RefusedAlarm", true, "3 of 29", []phase{minutes(1, repeat(3, refusedCallback(name)), repeat(26, acknowledgedCallback(name)))}},
		{prefix + "RefusedAlarm", true, "3 in fifteen minutes", []phase{minutes(1, repeat(3, refusedCallback(name))), minutes(14)}},
		{prefix + "RefusedAlarm", false, "3 of 30", []phase{minutes(1, repeat(3, refusedCallback(name)), repeat(27, acknowledgedCallback(name)))}},
		{prefix + "RefusedAlarm", false, "2 of 2", []phase{minutes(1, repeat(2, refusedCallback(name)))}},
		{prefix + "RefusedAlarm", false, "45 minutes later", []phase{minutes(1, repeat(9, refusedCallback(name))), minutes(45)}},
		{prefix + "RefusedAlarm", false, "refused callbacks of another provider", []phase{minutes(15, repeat(9, refusedCallback(other)))}},
		{prefix + "RefusedSixHoursAlarm", true, "one is refused and none acknowledged", []phase{hours(1, refusedCallback(name)), hours(5)}},
		{prefix + "RefusedSixHoursAlarm", true, "8 an hour are refused, all day, of 100", []phase{hours(24, repeat(8, refusedCallback(name)), repeat(92, acknowledgedCallback(name)))}},
		{prefix + "RefusedSixHoursAlarm", true, "one account in ten is refused, 3 in six hours", []phase{hours(3, refusedCallback(name), repeat(9, acknowledgedCallback(name))), hours(3)}},
		{prefix + "RefusedSixHoursAlarm", true, "only another provider is acknowledged", []phase{hours(6, acknowledgedCallback(other)), minutes(1, refusedCallback(name))}},
		{prefix + "RefusedSixHoursAlarm", false, "one is refused, and one acknowledged", []phase{hours(1, refusedCallback(name), acknowledgedCallback(name)), hours(5)}},
		{prefix + "RefusedSixHoursAlarm", false, "3 of 60 are refused", []phase{hours(1, repeat(3, refusedCallback(name)), repeat(57, acknowledgedCallback(name))), hours(5)}},
		{prefix + "RefusedSixHoursAlarm", false, "the last refusal is six hours ago", []phase{hours(1, repeat(9, refusedCallback(name))), hours(6)}},
		{prefix + "RefusedSixHoursAlarm", false, "no callbacks", []phase{hours(6)}},
		{prefix + "RefusedSixHoursAlarm", false, "refused callbacks of another provider", []phase{hours(6, repeat(9, refusedCallback(other)))}},
		{prefix + "SilentAlarm", true, "no callbacks", []phase{hours(1, acknowledgedCallback(name)), hours(26)}},
		{prefix + "SilentAlarm", true, "only forged callbacks, and callbacks of another provider", []phase{hours(26, acknowledgedCallback(other), refusedCallback(name))}},
		{prefix + "SilentAlarm", false, "a callback 24 hours ago", []phase{hours(1, acknowledgedCallback(name)), hours(23)}},
		{prefix + "SilentAlarm", false, "a held callback this hour", []phase{hours(25), hours(1, heldCallback(name))}},
	}
}

// functionScenarios lists those of the alarm of a provider that ServerErrorsAlarm and
// ThrottledAlarm do not monitor.
func functionScenarios(prefix string) []scenario {
	alarm, function := prefix+"FunctionAlarm", prefix+"Function"
	return []scenario{
		{alarm, true, "the function fails", []phase{minutes(1, lambdaMetric("Errors", function, 1), lambdaMetric("Throttles", function, 0))}},
		{alarm, true, "the function is throttled", []phase{minutes(1, lambdaMetric("Throttles", function, 1))}},
		{alarm, false, "a minute later", []phase{minutes(1, lambdaMetric("Errors", function, 1)), minutes(1, lambdaMetric("Errors", function, 0))}},
		{alarm, false, "another function fails", []phase{minutes(1, lambdaMetric("Errors", "ConsumerFunction", 1))}},
	}
}

// allScenarios returns the scenarios of all alarms.
func allScenarios() []scenario {
	all := slices.Clone(scenarios)
	for n, provider := range providers.All() {
		other := providers.All()[(n+1)%len(providers.All())]
		all = append(all, providerScenarios(provider.Prefix(), provider.Name(), other.Name())...)
		if n >= sharedProviders {
			all = append(all, functionScenarios(provider.Prefix())...)
		}
	}
	return all
}

func TestAlarms_Scenarios(t *testing.T) {
	end := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC) // every period starts at this time
	template := loadDocument(t)
	parameters := template.parameterValues(silenceHours(24))
	properties := template.resources("AWS::CloudWatch::Alarm", parameters)
	tried := map[string]bool{}
	for _, scenario := range allScenarios() {
		tried[fmt.Sprint(scenario.alarm, scenario.fires)] = true
		t.Run(scenario.alarm+"/"+scenario.name, func(t *testing.T) {
			stack := newStack(template)
			if err := stack.play(scenario.play, end); err != nil {
				t.Fatal(err)
			}
			got, err := stack.evaluate(readAlarm(t, properties[scenario.alarm]), end)
			want := map[bool]alarmState{true: stateAlarm, false: stateOK}[scenario.fires]
			if err != nil || got != want {
				t.Errorf("the alarm is %s, %v, want %s", got, err, want)
			}
		})
	}
	for id := range properties {
		if !tried[id+"true"] || !tried[id+"false"] {
			t.Errorf("%s needs a scenario with ALARM and a scenario with OK", id)
		}
	}
}

// readAlarm reads the properties of an alarm for its evaluation.
func readAlarm(t *testing.T, properties map[string]any) alarm {
	t.Helper()
	number := func(name string) int {
		value, ok := properties[name].(uint64)
		if !ok {
			t.Fatalf("%s is not a number: %v", name, properties[name])
		}
		return int(value)
	}
	a := alarm{
		metrics: map[string]alarmMetric{}, comparison: fmt.Sprint(properties["ComparisonOperator"]), missing: fmt.Sprint(properties["TreatMissingData"]),
		threshold: float64(number("Threshold")), periods: number("EvaluationPeriods"),
	}
	if a.datapoints = a.periods; properties["DatapointsToAlarm"] != nil {
		a.datapoints = number("DatapointsToAlarm")
	}
	parts, _ := properties["Metrics"].([]any)
	if len(parts) == 0 {
		a.metrics[""] = readMetric(properties)
	}
	for _, element := range parts {
		part := element.(map[string]any)
		if expression, ok := part["Expression"].(string); ok {
			a.expression = strings.TrimSpace(expression)
			continue
		}
		stat := part["MetricStat"].(map[string]any)
		merged := map[string]any{"Stat": stat["Stat"], "Period": stat["Period"]}
		maps.Copy(merged, stat["Metric"].(map[string]any))
		a.metrics[part["Id"].(string)] = readMetric(merged)
	}
	return a
}
