package templatetest_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/lambda/telemetry"
	"payout-callbacks/pkg/testkit/templatetest"
)

const ours = "PayoutCallbacks/${AWS::StackName}"

// What AWS emits of what we have, by namespace: metric and dimensions.
var emittedByAWS = map[string][]string{
	"AWS/SQS":        {"ApproximateNumberOfMessagesVisible by QueueName"},
	"AWS/ApiGateway": {"5xx by ApiId", "Latency by ApiId"},
	"AWS/Lambda": {
		"Errors by FunctionName", "Throttles by FunctionName", "Duration by FunctionName",
		"ConcurrentExecutions by FunctionName", "IteratorAge by FunctionName",
	},
	"AWS/DynamoDB": {"WriteThrottleEvents by TableName"},
}

// emitted lists what is emitted: by AWS, by our code, and by the filters that
// the template itself puts on logs.
func emitted(template templatetest.Template) map[string][]string {
	all := maps.Clone(emittedByAWS)
	for _, metric := range telemetry.Metrics() {
		all[ours] = append(all[ours], metric.Name)
		if metric.PerProvider {
			all[ours] = append(all[ours], metric.Name+" by provider")
		}
	}
	for _, resource := range template.Resources {
		if resource.Type == "AWS::Logs::MetricFilter" {
			items := resource.Properties["MetricTransformations"].([]any)[0].(map[string]any)
			all[items["MetricNamespace"].(string)] = append(all[items["MetricNamespace"].(string)], items["MetricName"].(string))
		}
	}
	return all
}

// wanted is a metric that an alarm or a widget looks at.
type wanted struct {
	namespace, name string
	dimensions      map[string]string
}

func (w wanted) text() string {
	text := w.name
	for name := range w.dimensions {
		text += " by " + name
	}
	return text
}

// check complains where nobody emits the metric, or not of what it is asked of.
func (w wanted) check(t *testing.T, where string, template templatetest.Template) {
	t.Helper()
	if !slices.Contains(emitted(template)[w.namespace], w.text()) {
		t.Errorf("%s looks at %s %s, which nobody emits", where, w.namespace, w.text())
	}
	if provider, ok := w.dimensions["provider"]; ok && !slices.Contains(providerNames(), provider) {
		t.Errorf("%s looks at provider %s, which there is not", where, provider)
	}
	for dimension, kind := range map[string]string{
		"FunctionName": "AWS::Serverless::Function", "QueueName": "AWS::SQS::Queue", "TableName": "AWS::DynamoDB::Table", "ApiId": "AWS::ApiGatewayV2::Api",
	} {
		value, item := w.dimensions[dimension]
		resource, _, _ := strings.Cut(strings.Trim(value, "${}"), ".")
		if item && template.Resources[resource].Type != kind {
			t.Errorf("%s looks at %s %s, which is no %s of the template", where, dimension, value, kind)
		}
	}
}

func providerNames() []string {
	var names []string
	for _, provider := range functions.Providers() {
		names = append(names, provider.Name())
	}
	return names
}

// metricOf reads an alarm's properties, or those of one metric of its expression.
func metricOf(properties map[string]any) wanted {
	w := wanted{namespace: properties["Namespace"].(string), name: properties["MetricName"].(string), dimensions: map[string]string{}}
	dimensions, _ := properties["Dimensions"].([]any)
	for _, item := range dimensions {
		dimension := item.(map[string]any)
		w.dimensions[dimension["Name"].(string)] = dimension["Value"].(string)
	}
	return w
}

// metricsOf lists every metric that an alarm looks at, and the expression over them.
func metricsOf(alarm map[string]any) (metrics map[string]wanted, expression string) {
	parts, ok := alarm["Metrics"].([]any)
	if !ok {
		return map[string]wanted{"": metricOf(alarm)}, ""
	}
	metrics = map[string]wanted{}
	for _, item := range parts {
		part := item.(map[string]any)
		if text, ok := part["Expression"].(string); ok {
			expression = text
			continue
		}
		metrics[part["Id"].(string)] = metricOf(part["MetricStat"].(map[string]any)["Metric"].(map[string]any))
	}
	return metrics, expression
}

func alarms(t *testing.T) (templatetest.Template, map[string]map[string]any) {
	t.Helper()
	template := templatetest.Load(t)
	items := map[string]map[string]any{}
	for name, resource := range template.Resources {
		if resource.Type == "AWS::CloudWatch::Alarm" {
			items[name] = resource.Properties
		}
	}
	if len(items) < 10 {
		t.Fatalf("the template has %d alarms", len(items))
	}
	return template, items
}

func TestEveryAlarmLooksAtSomethingThatIsEmitted(t *testing.T) {
	template, items := alarms(t)
	for name, alarm := range items {
		metrics, expression := metricsOf(alarm)
		for id, metric := range metrics {
			metric.check(t, name, template)
			if expression != "" && !regexp.MustCompile(`\b`+id+`\b`).MatchString(expression) {
				t.Errorf("%s does not use its metric %s: %s", name, id, expression)
			}
		}
		for _, word := range regexp.MustCompile(`[a-z]+`).FindAllString(expression, -1) {
			if _, known := metrics[word]; !known {
				t.Errorf("%s names %s, which is none of its metrics: %s", name, word, expression)
			}
		}
	}
}

func TestAlarms_NameTheirPartOfTheRunbook(t *testing.T) {
	_, items := alarms(t)
	runbook, err := os.ReadFile(filepath.Join(templatetest.Root(t), "docs", "OPERATIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	for id, alarm := range items {
		name, ok := strings.CutPrefix(alarm["AlarmName"].(string), "${AWS::StackName}-")
		if !ok {
			t.Errorf("%s is named %v: two stacks would share it", id, alarm["AlarmName"])
		}
		if description := alarm["AlarmDescription"].(string); !strings.HasSuffix(strings.TrimSpace(description), "docs/OPERATIONS.md#"+name) {
			t.Errorf("%s does not name its part of the runbook: %s", id, description)
		}
		if !strings.Contains(string(runbook), "\n### "+name+"\n") {
			t.Errorf("docs/OPERATIONS.md has no part ### %s", name)
		}
	}
}

func TestEveryProviderIsWatched(t *testing.T) {
	_, items := alarms(t)
	for _, provider := range providerNames() {
		for _, metric := range []string{telemetry.Refused.Name, telemetry.Acknowledged.Name} {
			watched := false
			for _, alarm := range items {
				metrics, _ := metricsOf(alarm)
				for _, w := range metrics {
					watched = watched || w.name == metric && w.dimensions["provider"] == provider
				}
			}
			if !watched {
				t.Errorf("no alarm looks at %s of %s", metric, provider)
			}
		}
	}
}

func TestEveryFunctionIsWatched(t *testing.T) {
	template, items := alarms(t)
	for id, resource := range template.Resources {
		if resource.Type != "AWS::Serverless::Function" {
			continue
		}
		for alarm, metric := range map[string]string{"ServerErrorsAlarm": "Errors", "ThrottledAlarm": "Throttles"} {
			metrics, _ := metricsOf(items[alarm])
			watched := false
			for _, w := range metrics {
				watched = watched || w.name == metric && w.dimensions["FunctionName"] == id
			}
			if !watched {
				t.Errorf("%s does not look at %s of %s", alarm, metric, id)
			}
		}
	}
}

func TestTheDashboardShowsWhatIsEmittedAndEveryAlarm(t *testing.T) {
	template, items := alarms(t)
	var body struct {
		Widgets []struct {
			Properties struct {
				Title   string
				Alarms  []string
				Metrics [][]any
			}
		}
	}
	if err := json.Unmarshal([]byte(property[string](t, template, "Dashboard", "DashboardBody")), &body); err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, widget := range body.Widgets {
		shown = append(shown, widget.Properties.Alarms...)
		for _, row := range widget.Properties.Metrics {
			metric := wanted{namespace: row[0].(string), name: row[1].(string), dimensions: map[string]string{}}
			for n := 2; n+1 < len(row); n += 2 {
				metric.dimensions[row[n].(string)] = row[n+1].(string)
			}
			metric.check(t, widget.Properties.Title, template)
		}
	}
	for id, alarm := range items {
		optional := strings.Contains(id, "Silent") // there only where the provider is expected
		listed := slices.ContainsFunc(shown, func(arn string) bool { return strings.HasSuffix(arn, ":alarm:"+alarm["AlarmName"].(string)) })
		if listed == optional {
			t.Errorf("%s: on the dashboard %v, optional %v", id, listed, optional)
		}
	}
	if len(shown) == 0 || len(body.Widgets) < 5 {
		t.Errorf("the dashboard shows %d alarms and %d widgets", len(shown), len(body.Widgets))
	}
}

func TestTheRunbookListsEveryMetric(t *testing.T) {
	template := templatetest.Load(t)
	runbook, err := os.ReadFile(filepath.Join(templatetest.Root(t), "docs", "OPERATIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(runbook), "## Metrics")
	var listed []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\|").FindAllStringSubmatch(table, -1) {
		listed = append(listed, row[1])
	}
	var want []string
	for _, metric := range emitted(template)[ours] {
		if !strings.Contains(metric, " by ") {
			want = append(want, metric)
		}
	}
	slices.Sort(listed)
	slices.Sort(want)
	if !slices.Equal(listed, want) {
		t.Errorf("the runbook lists %v, emitted are %v", listed, want)
	}
}
