package templatetest_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// alarmTable repeats every alarm of template.yaml, so that a change of an alarm
// takes two changes. The first line is the name without the stack's, and the
// condition; then follow the comparison and the metrics. "ours" is the namespace
// of the stack's own metrics. providerShape has the alarms of each provider.
var alarmTable = map[string]string{
	"OldestUnappliedAlarm": `
		oldest-unapplied
		it > 300 in 1 of 1, missing is notBreaching
		it = Maximum of ours OldestUnappliedAge in 300 s`,
	"SweeperNotRunningAlarm": `
		sweeper-not-running
		it < 1 in 5 of 5, missing is breaching
		it = Sum of ours Sweeps in 60 s`,
	"DeadLettersAlarm": `
		dead-letters
		it > 0 in 5 of 5, missing is notBreaching
		it = Maximum of AWS/SQS ApproximateNumberOfMessagesVisible QueueName=${DeadLetterQueue.QueueName} in 60 s`,
	"UnsendableAlarm": `
		unsendable
		it > 0 in 1 of 1, missing is notBreaching
		it = Sum of ours Unsendable in 300 s`,
	"HeldAlarm": `
		held
		it > 0 in 1 of 1, missing is notBreaching
		it = Sum of ours Held in 300 s`,
	"ConflictedAlarm": `
		conflicted
		it > 0 in 1 of 1, missing is notBreaching
		it = Sum of ours Conflicts in 300 s`,
	"NoRouteAlarm": `
		no-route
		it > 0 in 1 of 1, missing is notBreaching
		it = Sum of ours NoRoute in 3600 s`,
	"OverdueAlarm": `
		overdue
		it > 0 in 1 of 1, missing is notBreaching
		it = Sum of ours Overdue in 300 s`,
	"ReconcilerFailingAlarm": `
		reconciler-failing
		it > 0 in 3 of 3, missing is notBreaching
		it = Minimum of ours AccountsFailing in 300 s`,
	"ReconcilerNotRunningAlarm": `
		reconciler-not-running
		it < 1 in 5 of 5, missing is breaching
		it = Sum of AWS/Lambda Invocations FunctionName=${ReconcilerFunction} in 60 s`,
	"ServerErrorsAlarm": `
		server-errors if OnAWS
		FILL(answers, 0) + FILL(cregis, 0) + FILL(pivot, 0) + FILL(consumer, 0) + FILL(sweeper, 0) + FILL(publisher, 0) + FILL(expected, 0) + FILL(reconciler, 0) > 0 in 1 of 1, missing is notBreaching
		answers = Sum of AWS/ApiGateway 5xx ApiId=${CallbackApi} in 60 s
		consumer = Sum of AWS/Lambda Errors FunctionName=${ConsumerFunction} in 60 s
		cregis = Sum of AWS/Lambda Errors FunctionName=${CregisFunction} in 60 s
		expected = Sum of AWS/Lambda Errors FunctionName=${ExpectedFunction} in 60 s
		pivot = Sum of AWS/Lambda Errors FunctionName=${PivotFunction} in 60 s
		publisher = Sum of AWS/Lambda Errors FunctionName=${PublisherFunction} in 60 s
		reconciler = Sum of AWS/Lambda Errors FunctionName=${ReconcilerFunction} in 60 s
		sweeper = Sum of AWS/Lambda Errors FunctionName=${SweeperFunction} in 60 s`,
	"AcceptedQueueOnlyAlarm": `
		accepted-queue-only
		it > 0 in 1 of 1, missing is notBreaching
		it = Sum of ours AcceptedQueueOnly in 60 s`,
	"HighLatencyAlarm": `
		high-latency
		it > 2000 in 3 of 5, missing is notBreaching
		it = p99 of AWS/ApiGateway Latency ApiId=${CallbackApi} in 60 s`,
	"ThrottledAlarm": `
		throttled if OnAWS
		FILL(gateway, 0) + FILL(cregis, 0) + FILL(pivot, 0) + FILL(consumer, 0) + FILL(sweeper, 0) + FILL(publisher, 0) + FILL(expected, 0) + FILL(reconciler, 0) + FILL(receipts, 0) + FILL(payouts, 0) > 0 in 1 of 1, missing is notBreaching
		consumer = Sum of AWS/Lambda Throttles FunctionName=${ConsumerFunction} in 60 s
		cregis = Sum of AWS/Lambda Throttles FunctionName=${CregisFunction} in 60 s
		expected = Sum of AWS/Lambda Throttles FunctionName=${ExpectedFunction} in 60 s
		gateway = Sum of ours GatewayThrottled in 60 s
		payouts = Sum of AWS/DynamoDB WriteThrottleEvents TableName=${PayoutsTable} in 60 s
		pivot = Sum of AWS/Lambda Throttles FunctionName=${PivotFunction} in 60 s
		publisher = Sum of AWS/Lambda Throttles FunctionName=${PublisherFunction} in 60 s
		receipts = Sum of AWS/DynamoDB WriteThrottleEvents TableName=${ReceiptsTable} in 60 s
		reconciler = Sum of AWS/Lambda Throttles FunctionName=${ReconcilerFunction} in 60 s
		sweeper = Sum of AWS/Lambda Throttles FunctionName=${SweeperFunction} in 60 s`,
	"PreviousKeyAlarm": `
		previous-key
		it > 0 in 2 of 2, missing is notBreaching
		it = Sum of ours PreviousKey in 86400 s`,
	"CorruptRecordsAlarm": `
		corrupt-records
		it > 0 in 1 of 1, missing is notBreaching
		it = Maximum of ours CorruptRecords in 300 s`,
	"PublisherBehindAlarm": `
		publisher-behind
		it > 600000 in 5 of 5, missing is notBreaching
		it = Maximum of AWS/Lambda IteratorAge FunctionName=${PublisherFunction} in 60 s`,
}

// filterTable repeats every metric filter of template.yaml.
var filterTable = map[string]string{
	"NoRouteFilter": `
		{ $.status = "404" && $.method = "POST" } in ${AccessLogGroup}
		1 of ours NoRoute`,
	"GatewayThrottledFilter": `
		{ $.status = "429" } in ${AccessLogGroup}
		1 of ours GatewayThrottled`,
}

func TestAlarms_MatchTable(t *testing.T) {
	template := loadDocument(t)
	got := map[string]string{}
	for id, properties := range template.resources("AWS::CloudWatch::Alarm", nil) {
		got[id] = describeAlarm(properties, conditionOf(template, id))
	}
	want := maps.Clone(alarmTable)
	maps.Copy(want, expectProviders(func(s shape) map[string]string { return s.alarms }))
	if diff := cmp.Diff(outdent(want), got); diff != "" {
		t.Errorf("alarmTable is -, template.yaml is +:\n%s", diff)
	}
}

func TestMetricFilters_MatchTable(t *testing.T) {
	template := loadDocument(t)
	got := map[string]string{}
	for id, properties := range template.resources("AWS::Logs::MetricFilter", nil) {
		got[id] = describeFilter(properties, conditionOf(template, id))
	}
	if diff := cmp.Diff(outdent(filterTable), got); diff != "" {
		t.Errorf("filterTable is -, template.yaml is +:\n%s", diff)
	}
}

func outdent(table map[string]string) map[string]string {
	lines := map[string]string{}
	for id, text := range table {
		lines[id] = strings.TrimSpace(strings.ReplaceAll(text, "\n\t\t", "\n"))
	}
	return lines
}

func conditionOf(template document, id string) string {
	name, ok := template["Resources"].(map[string]any)[id].(map[string]any)["Condition"]
	if !ok {
		return ""
	}
	return fmt.Sprintf(" if %v", name)
}

// ignoredProperties do not influence the state of an alarm. Other tests read them.
var ignoredProperties = []string{"AlarmName", "AlarmDescription", "Label"}

// describeAlarm formats an alarm as in alarmTable. Properties that the format does
// not cover follow at the end.
func describeAlarm(properties map[string]any, condition string) string {
	rest := maps.Clone(properties)
	take := func(name string) any {
		value := rest[name]
		delete(rest, name)
		return value
	}
	var actions []string
	for _, list := range []string{"AlarmActions", "OKActions"} {
		if fmt.Sprint(take(list)) != "[${AlarmTopic}]" {
			actions = append(actions, fmt.Sprintf("%s: %v", list, properties[list]))
		}
	}
	expression, metrics := "it", []string{}
	if parts, ok := take("Metrics").([]any); ok {
		expression, metrics = describeParts(parts)
	} else {
		metrics = append(metrics, "it = "+describeMetric(rest))
	}
	periods := take("EvaluationPeriods")
	datapoints, ok := rest["DatapointsToAlarm"]
	if delete(rest, "DatapointsToAlarm"); !ok {
		datapoints = periods
	}
	operator := map[any]string{
		"GreaterThanThreshold": ">", "GreaterThanOrEqualToThreshold": ">=", "LessThanThreshold": "<", "LessThanOrEqualToThreshold": "<=",
	}[take("ComparisonOperator")]
	name, _ := strings.CutPrefix(fmt.Sprint(take("AlarmName")), "${AWS::StackName}-")
	lines := []string{
		name + condition,
		fmt.Sprintf("%s %s %v in %v of %v, missing is %v", expression, operator, take("Threshold"), datapoints, periods, take("TreatMissingData")),
	}
	return strings.Join(slices.Concat(lines, metrics, actions, otherProperties(rest)), "\n")
}

// describeParts formats the metrics of an expression, sorted by id.
func describeParts(parts []any) (expression string, metrics []string) {
	for _, part := range parts {
		part := maps.Clone(part.(map[string]any))
		if text, ok := part["Expression"].(string); ok {
			expression += text
			delete(part, "Expression")
			if id, ok := part["Id"].(string); ok && id != "" && id[0] >= 'a' && id[0] <= 'z' {
				delete(part, "Id") // no other part uses it
			} else {
				metrics = append(metrics, "an expression without an Id")
			}
			metrics = append(metrics, otherProperties(part)...)
			continue
		}
		stat := maps.Clone(part["MetricStat"].(map[string]any))
		maps.Copy(stat, stat["Metric"].(map[string]any))
		delete(stat, "Metric")
		text := fmt.Sprintf("%v = %s", part["Id"], describeMetric(stat))
		if part["ReturnData"] != false {
			text += ", returned"
		}
		metrics = append(metrics, text+strings.Join(otherProperties(stat), ","))
	}
	slices.Sort(metrics)
	return expression, metrics
}

// describeMetric formats a metric and deletes the properties that it formats.
func describeMetric(properties map[string]any) string {
	metric := readMetric(properties)
	for _, name := range []string{"Namespace", "MetricName", "Dimensions", "Statistic", "ExtendedStatistic", "Stat", "Period", "Unit"} {
		delete(properties, name)
	}
	key := strings.Replace(metric.key, ourNamespace+" ", "ours ", 1)
	text := fmt.Sprintf("%s of %s in %d s", metric.statistic, key, metric.period/time.Second)
	if metric.unit != "" {
		text += " unit " + metric.unit
	}
	return text
}

const ourNamespace = "PayoutCallbacks/${AWS::StackName}"

// readMetric reads the properties of an alarm, or of one metric of its expression.
func readMetric(properties map[string]any) alarmMetric {
	dimensions := map[string]string{}
	list, _ := properties["Dimensions"].([]any)
	for _, element := range list {
		dimension := element.(map[string]any)
		dimensions[dimension["Name"].(string)] = fmt.Sprint(dimension["Value"])
	}
	var statistic string
	for _, name := range []string{"Statistic", "ExtendedStatistic", "Stat"} {
		text, _ := properties[name].(string)
		statistic += text
	}
	period, _ := properties["Period"].(uint64)
	unit, _ := properties["Unit"].(string)
	return alarmMetric{
		key:       metricKey(fmt.Sprint(properties["Namespace"]), fmt.Sprint(properties["MetricName"]), dimensions),
		statistic: statistic, period: time.Duration(period) * time.Second, unit: unit,
	}
}

func describeFilter(properties map[string]any, condition string) string {
	rest := maps.Clone(properties)
	lines := []string{fmt.Sprintf("%v in %v%s", rest["FilterPattern"], rest["LogGroupName"], condition)}
	for _, element := range rest["MetricTransformations"].([]any) {
		transformation := maps.Clone(element.(map[string]any))
		key := strings.Replace(fmt.Sprint(transformation["MetricNamespace"]), ourNamespace, "ours", 1)
		lines = append(lines, fmt.Sprintf("%v of %s %v", transformation["MetricValue"], key, transformation["MetricName"]))
		for _, name := range []string{"MetricValue", "MetricNamespace", "MetricName"} {
			delete(transformation, name)
		}
		lines = append(lines, otherProperties(transformation)...)
	}
	for _, name := range []string{"FilterPattern", "LogGroupName", "MetricTransformations"} {
		delete(rest, name)
	}
	return strings.Join(append(lines, otherProperties(rest)...), "\n")
}

func otherProperties(properties map[string]any) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if !slices.Contains(ignoredProperties, name) {
			lines = append(lines, fmt.Sprintf("%s: %v", name, properties[name]))
		}
	}
	return lines
}
