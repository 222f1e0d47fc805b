package templatetest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/publisher"
)

// scenarios say when each alarm rings and when it does not, at the boundary.
//
// A count of nothing is not recorded for every metric, and CloudWatch looks back
// beyond the evaluation periods for data: an alarm on such a metric ends only
// when the last data point has left that range, extra periods later.
var scenarios = []struct {
	alarm string
	rings bool
	name  string
	play  []stretch
}{
	{"OldestUnappliedAlarm", true, "a receipt waits for 301 s", []stretch{minutes(1, oldest(301*time.Second))}},
	{"OldestUnappliedAlarm", true, "of five sweeps the first still found it", []stretch{minutes(1, oldest(301*time.Second)), minutes(4, oldest(0))}},
	{"OldestUnappliedAlarm", false, "a receipt waits for 300 s", []stretch{minutes(5, oldest(300*time.Second))}},
	{"OldestUnappliedAlarm", false, "it was applied before the last five sweeps", []stretch{minutes(1, oldest(time.Hour)), minutes(5, oldest(0))}},

	{"SweeperNotRunningAlarm", true, "nothing ran for seven minutes", []stretch{minutes(9, oldest(0)), minutes(7)}},
	{"SweeperNotRunningAlarm", true, "every run fails", []stretch{minutes(7, swept(inbox.SweepResult{Due: 1}, errors.New("down")))}},
	{"SweeperNotRunningAlarm", false, "a run in five minutes", []stretch{minutes(4), minutes(1, oldest(0))}},
	{"SweeperNotRunningAlarm", false, "the last run was four minutes ago", []stretch{minutes(1, oldest(0)), minutes(4)}},

	{"DeadLettersAlarm", true, "a message for five minutes", []stretch{minutes(1, visible("DeadLetterQueue", 0)), minutes(5, visible("DeadLetterQueue", 1))}},
	{"DeadLettersAlarm", false, "a message for four minutes", []stretch{minutes(1, visible("DeadLetterQueue", 0)), minutes(4, visible("DeadLetterQueue", 1))}},
	{"DeadLettersAlarm", false, "the events queue is long", []stretch{minutes(7, visible("EventsQueue", 1e6), visible("DeadLetterQueue", 0))}},

	{"UnsendableAlarm", true, "the queue refuses a receipt", []stretch{minutes(1, swept(inbox.SweepResult{Due: 9, Unsendable: 1}, nil)), minutes(4, oldest(0))}},
	{"UnsendableAlarm", false, "five minutes later", []stretch{minutes(1, swept(inbox.SweepResult{Due: 9, Unsendable: 1}, nil)), minutes(5, oldest(0))}},
	{"UnsendableAlarm", false, "receipts are sent again", []stretch{minutes(5, swept(inbox.SweepResult{Due: 9, Resent: 9}, nil))}},

	{"HeldAlarm", true, "a callback of Cregis is held", []stretch{minutes(1, held("cregis")), minutes(4)}},
	{"HeldAlarm", true, "a callback of Pivot is held", []stretch{minutes(1, held("pivot"))}},
	{"HeldAlarm", false, "a quarter of an hour later", []stretch{minutes(1, held("cregis")), minutes(15)}},
	{"HeldAlarm", false, "callbacks are new", []stretch{minutes(5, acknowledged("cregis"), acknowledged("pivot"), refused("pivot"))}},

	{"ConflictedAlarm", true, "an event contradicts another", []stretch{minutes(1, applied(inbox.ApplyConflict)), minutes(4)}},
	{"ConflictedAlarm", false, "five minutes later, other events come", []stretch{minutes(1, applied(inbox.ApplyConflict)), minutes(5, applied(inbox.ApplyChanged))}},
	{"ConflictedAlarm", false, "deliveries come twice", []stretch{minutes(5, applied(inbox.ApplyDuplicate))}},

	{"CregisRefusedAlarm", true, "3 of 29", []stretch{minutes(1, times(3, refused("cregis")), times(26, acknowledged("cregis")))}},
	{"CregisRefusedAlarm", true, "3 in a quarter of an hour", []stretch{minutes(1, times(3, refused("cregis"))), minutes(14)}},
	{"CregisRefusedAlarm", false, "3 of 30", []stretch{minutes(1, times(3, refused("cregis")), times(27, acknowledged("cregis")))}},
	{"CregisRefusedAlarm", false, "2 of 2", []stretch{minutes(1, times(2, refused("cregis")))}},
	{"CregisRefusedAlarm", false, "three quarters of an hour later", []stretch{minutes(1, times(9, refused("cregis"))), minutes(45)}},
	{"CregisRefusedAlarm", false, "those of Pivot", []stretch{minutes(15, times(9, refused("pivot")))}},

	{"PivotRefusedAlarm", true, "3 of 29", []stretch{minutes(1, times(3, refused("pivot")), times(26, acknowledged("pivot")))}},
	{"PivotRefusedAlarm", true, "3 in a quarter of an hour", []stretch{minutes(1, times(3, refused("pivot"))), minutes(14)}},
	{"PivotRefusedAlarm", false, "3 of 30", []stretch{minutes(1, times(3, refused("pivot")), times(27, acknowledged("pivot")))}},
	{"PivotRefusedAlarm", false, "2 of 2", []stretch{minutes(1, times(2, refused("pivot")))}},
	{"PivotRefusedAlarm", false, "three quarters of an hour later", []stretch{minutes(1, times(9, refused("pivot"))), minutes(45)}},
	{"PivotRefusedAlarm", false, "those of Cregis", []stretch{minutes(15, times(9, refused("cregis")))}},

	{"CregisRefusedSixHoursAlarm", true, "one is refused and none acknowledged", []stretch{hours(1, refused("cregis")), hours(5)}},
	{"CregisRefusedSixHoursAlarm", true, "8 an hour are refused, all day, of 100", []stretch{hours(24, times(8, refused("cregis")), times(92, acknowledged("cregis")))}},
	{"CregisRefusedSixHoursAlarm", true, "an account of ten is refused wholly, 3 in six hours", []stretch{hours(3, refused("cregis"), times(9, acknowledged("cregis"))), hours(3)}},
	{"CregisRefusedSixHoursAlarm", true, "only Pivot is acknowledged", []stretch{hours(6, acknowledged("pivot")), minutes(1, refused("cregis"))}},
	{"CregisRefusedSixHoursAlarm", false, "one is refused, and one acknowledged", []stretch{hours(1, refused("cregis"), acknowledged("cregis")), hours(5)}},
	{"CregisRefusedSixHoursAlarm", false, "3 of 60 are refused", []stretch{hours(1, times(3, refused("cregis")), times(57, acknowledged("cregis"))), hours(5)}},
	{"CregisRefusedSixHoursAlarm", false, "the last refusal is six hours ago", []stretch{hours(1, times(9, refused("cregis"))), hours(6)}},
	{"CregisRefusedSixHoursAlarm", false, "nothing comes", []stretch{hours(6)}},
	{"CregisRefusedSixHoursAlarm", false, "those of Pivot", []stretch{hours(6, times(9, refused("pivot")))}},

	{"PivotRefusedSixHoursAlarm", true, "one is refused and none acknowledged", []stretch{hours(1, refused("pivot")), hours(5)}},
	{"PivotRefusedSixHoursAlarm", true, "8 an hour are refused, all day, of 100", []stretch{hours(24, times(8, refused("pivot")), times(92, acknowledged("pivot")))}},
	{"PivotRefusedSixHoursAlarm", true, "an account of ten is refused wholly, 3 in six hours", []stretch{hours(3, refused("pivot"), times(9, acknowledged("pivot"))), hours(3)}},
	{"PivotRefusedSixHoursAlarm", true, "only Cregis is acknowledged", []stretch{hours(6, acknowledged("cregis")), minutes(1, refused("pivot"))}},
	{"PivotRefusedSixHoursAlarm", false, "one is refused, and one acknowledged", []stretch{hours(1, refused("pivot"), acknowledged("pivot")), hours(5)}},
	{"PivotRefusedSixHoursAlarm", false, "3 of 60 are refused", []stretch{hours(1, times(3, refused("pivot")), times(57, acknowledged("pivot"))), hours(5)}},
	{"PivotRefusedSixHoursAlarm", false, "the last refusal is six hours ago", []stretch{hours(1, times(9, refused("pivot"))), hours(6)}},
	{"PivotRefusedSixHoursAlarm", false, "nothing comes", []stretch{hours(6)}},
	{"PivotRefusedSixHoursAlarm", false, "those of Cregis", []stretch{hours(6, times(9, refused("cregis")))}},

	{"NoRouteAlarm", true, "a callback to a wrong URL, 59 minutes ago", []stretch{minutes(1, answered(map[string]string{"status": "404", "httpMethod": "POST"})), minutes(59)}},
	{"NoRouteAlarm", false, "three hours later", []stretch{minutes(1, answered(map[string]string{"status": "404", "httpMethod": "POST"})), hours(3)}},
	{"NoRouteAlarm", false, "a browser looks", []stretch{minutes(9, answered(map[string]string{"status": "404", "httpMethod": "GET"}))}},
	{"NoRouteAlarm", false, "callbacks come", []stretch{minutes(9, answered(map[string]string{"status": "200", "httpMethod": "POST"}), answered(map[string]string{"status": "401", "httpMethod": "POST"}))}},

	{"CregisSilentAlarm", true, "nothing came", []stretch{hours(1, acknowledged("cregis")), hours(26)}},
	{"CregisSilentAlarm", true, "only Pivot calls, and forgers", []stretch{hours(26, acknowledged("pivot"), refused("cregis"))}},
	{"CregisSilentAlarm", false, "a callback 24 hours ago", []stretch{hours(1, acknowledged("cregis")), hours(23)}},
	{"CregisSilentAlarm", false, "a held callback this hour", []stretch{hours(25), hours(1, held("cregis"))}},

	{"PivotSilentAlarm", true, "nothing came", []stretch{hours(1, acknowledged("pivot")), hours(26)}},
	{"PivotSilentAlarm", true, "only Cregis calls, and forgers", []stretch{hours(26, acknowledged("cregis"), refused("pivot"))}},
	{"PivotSilentAlarm", false, "a callback 24 hours ago", []stretch{hours(1, acknowledged("pivot")), hours(23)}},
	{"PivotSilentAlarm", false, "a held callback this hour", []stretch{hours(25), hours(1, held("pivot"))}},

	{"ServerErrorsAlarm", true, "the gateway answers 5xx", []stretch{minutes(1, emittedOf("AWS/ApiGateway", "5xx", "ApiId", "${CallbackApi}", 1))}},
	{"ServerErrorsAlarm", true, "Cregis' function fails", []stretch{minutes(1, lambda("Errors", "CregisFunction", 1))}},
	{"ServerErrorsAlarm", true, "Pivot's function fails", []stretch{minutes(1, lambda("Errors", "PivotFunction", 1))}},
	{"ServerErrorsAlarm", true, "the consumer fails", []stretch{minutes(1, lambda("Errors", "ConsumerFunction", 1))}},
	{"ServerErrorsAlarm", true, "the sweeper fails", []stretch{minutes(1, lambda("Errors", "SweeperFunction", 1))}},
	{"ServerErrorsAlarm", true, "the publisher fails", []stretch{minutes(1, lambda("Errors", "PublisherFunction", 1))}},
	{"ServerErrorsAlarm", false, "a minute later", []stretch{minutes(1, lambda("Errors", "CregisFunction", 1)), minutes(1, lambda("Errors", "CregisFunction", 0))}},
	{"ServerErrorsAlarm", false, "forgers call", []stretch{minutes(3, emittedOf("AWS/ApiGateway", "4xx", "ApiId", "${CallbackApi}", 9), lambda("Errors", "CregisFunction", 0))}},

	{"AcceptedQueueOnlyAlarm", true, "the table is down", []stretch{minutes(1, accepted(inbox.AcceptedQueueOnly))}},
	{"AcceptedQueueOnlyAlarm", false, "three minutes later", []stretch{minutes(1, accepted(inbox.AcceptedQueueOnly)), minutes(3)}},
	{"AcceptedQueueOnlyAlarm", false, "the queue is down", []stretch{minutes(3, accepted(inbox.AcceptedStoreOnly))}},

	{"HighLatencyAlarm", true, "two in a hundred wait 2001 ms in three minutes of five", []stretch{minutes(3, latencies(98, 2, 2001)), minutes(2, latencies(100, 0, 0))}},
	{"HighLatencyAlarm", false, "in two minutes of five", []stretch{minutes(3, latencies(100, 0, 0)), minutes(2, latencies(98, 2, 2001))}},
	{"HighLatencyAlarm", false, "they wait 2000 ms", []stretch{minutes(5, latencies(98, 2, 2000))}},
	{"HighLatencyAlarm", false, "a hundredth waits", []stretch{minutes(5, latencies(99, 1, 9000))}},

	{"ThrottledAlarm", true, "the gateway answers 429", []stretch{minutes(1, answered(map[string]string{"status": "429"}))}},
	{"ThrottledAlarm", true, "Cregis' function is throttled", []stretch{minutes(1, lambda("Throttles", "CregisFunction", 1))}},
	{"ThrottledAlarm", true, "Pivot's function is throttled", []stretch{minutes(1, lambda("Throttles", "PivotFunction", 1))}},
	{"ThrottledAlarm", true, "the consumer is throttled", []stretch{minutes(1, lambda("Throttles", "ConsumerFunction", 1))}},
	{"ThrottledAlarm", true, "the sweeper is throttled", []stretch{minutes(1, lambda("Throttles", "SweeperFunction", 1))}},
	{"ThrottledAlarm", true, "the publisher is throttled", []stretch{minutes(1, lambda("Throttles", "PublisherFunction", 1))}},
	{"ThrottledAlarm", true, "writes of receipts are throttled", []stretch{minutes(1, writesThrottled("ReceiptsTable"))}},
	{"ThrottledAlarm", true, "writes of payouts are throttled", []stretch{minutes(1, writesThrottled("PayoutsTable"))}},
	{"ThrottledAlarm", false, "a minute later", []stretch{minutes(1, writesThrottled("PayoutsTable")), minutes(1, lambda("Throttles", "CregisFunction", 0))}},
	{"ThrottledAlarm", false, "the gateway answers 200, 401 and 404", []stretch{minutes(3, answered(map[string]string{"status": "200"}), answered(map[string]string{"status": "401"}), answered(map[string]string{"status": "404"}))}},

	{"PreviousKeyAlarm", true, "the previous key on two days", []stretch{days(2, byPreviousKey("pivot"))}},
	{"PreviousKeyAlarm", false, "on one day", []stretch{days(1, acknowledged("pivot")), days(1, byPreviousKey("pivot"))}},
	{"PreviousKeyAlarm", false, "the current key", []stretch{days(2, acknowledged("pivot"))}},

	{"CorruptRecordsAlarm", true, "a sweep finds a receipt that cannot be read", []stretch{minutes(1, swept(inbox.SweepResult{Damaged: 1}, nil)), minutes(4, oldest(0))}},
	{"CorruptRecordsAlarm", true, "the publisher finds a payout that cannot be read", []stretch{minutes(1, published(publisher.Result{Skipped: []error{errors.New("corrupt-records")}}))}},
	{"CorruptRecordsAlarm", false, "five minutes later", []stretch{minutes(1, swept(inbox.SweepResult{Damaged: 1}, nil)), minutes(5, oldest(0))}},
	{"CorruptRecordsAlarm", false, "sweeps and notices go well", []stretch{minutes(5, oldest(time.Hour), published(publisher.Result{Published: []string{"a"}}))}},

	{"PublisherBehindAlarm", true, "ten minutes and a millisecond, five times", []stretch{minutes(5, lambda("IteratorAge", "PublisherFunction", 600_001))}},
	{"PublisherBehindAlarm", false, "four times", []stretch{minutes(1, lambda("IteratorAge", "PublisherFunction", 0)), minutes(4, lambda("IteratorAge", "PublisherFunction", 600_001))}},
	{"PublisherBehindAlarm", false, "ten minutes", []stretch{minutes(7, lambda("IteratorAge", "PublisherFunction", 600_000))}},
	{"PublisherBehindAlarm", false, "another function is behind", []stretch{minutes(7, lambda("IteratorAge", "ConsumerFunction", 1e9))}},
}

func TestAlarms_RingAtTheirBoundary(t *testing.T) {
	end := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC) // all periods begin there
	template := loadDocument(t)
	parameters := template.defaults(map[string]any{"CregisSilenceHours": uint64(24), "PivotSilenceHours": uint64(24)})
	properties := template.resources("AWS::CloudWatch::Alarm", parameters)
	tried := map[string]bool{}
	for _, scenario := range scenarios {
		tried[fmt.Sprint(scenario.alarm, scenario.rings)] = true
		t.Run(scenario.alarm+"/"+scenario.name, func(t *testing.T) {
			account := newAccount(template)
			if err := account.play(scenario.play, end); err != nil {
				t.Fatal(err)
			}
			got, err := account.evaluate(readAlarm(t, properties[scenario.alarm]), end)
			want := map[bool]alarmState{true: stateAlarm, false: stateOK}[scenario.rings]
			if err != nil || got != want {
				t.Errorf("the alarm is %s, %v, want %s", got, err, want)
			}
		})
	}
	for id := range properties {
		if !tried[id+"true"] || !tried[id+"false"] {
			t.Errorf("%s needs a scenario in which it rings, and a scenario in which it does not", id)
		}
	}
}

// readAlarm reads the properties of an alarm for the evaluation.
func readAlarm(t *testing.T, properties map[string]any) alarm {
	t.Helper()
	number := func(name string) int {
		value, ok := properties[name].(uint64)
		if !ok {
			t.Fatalf("%s is no number: %v", name, properties[name])
		}
		return int(value)
	}
	a := alarm{
		metrics: map[string]watched{}, comparison: fmt.Sprint(properties["ComparisonOperator"]), missing: fmt.Sprint(properties["TreatMissingData"]),
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
		for name, value := range stat["Metric"].(map[string]any) {
			merged[name] = value
		}
		a.metrics[part["Id"].(string)] = readMetric(merged)
	}
	return a
}
