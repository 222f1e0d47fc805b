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

	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/lambda/telemetry"
	"payout-callbacks/pkg/testkit/templatetest"
)

// emittedByAWS lists the metrics that AWS emits for our resources: name and dimensions, by namespace.
var emittedByAWS = map[string][]string{
	"AWS/SQS":        {"ApproximateNumberOfMessagesVisible by QueueName"},
	"AWS/ApiGateway": {"5xx by ApiId", "Latency by ApiId"},
	"AWS/Lambda": {
		"Errors by FunctionName", "Throttles by FunctionName", "Duration by FunctionName",
		"ConcurrentExecutions by FunctionName", "IteratorAge by FunctionName", "Invocations by FunctionName",
	},
	"AWS/DynamoDB": {"WriteThrottleEvents by TableName"},
}

// emittedMetrics lists the metrics that AWS, our functions and the metric filters of
// the template emit.
func emittedMetrics(template templatetest.Template) map[string][]string {
	all := maps.Clone(emittedByAWS)
	for _, metric := range telemetry.Metrics() {
		all[ourNamespace] = append(all[ourNamespace], metric.Name)
		if metric.PerProvider {
			all[ourNamespace] = append(all[ourNamespace], metric.Name+" by provider")
		}
	}
	for _, resource := range template.Resources {
		if resource.Type == "AWS::Logs::MetricFilter" {
			transformation := resource.Properties["MetricTransformations"].([]any)[0].(map[string]any)
			all[transformation["MetricNamespace"].(string)] = append(all[transformation["MetricNamespace"].(string)], transformation["MetricName"].(string))
		}
	}
	return all
}

// metricRef is a metric that an alarm or a widget uses.
type metricRef struct {
	namespace, name string
	dimensions      map[string]string
}

func (w metricRef) text() string {
	text := w.name
	for name := range w.dimensions {
		text += " by " + name
	}
	return text
}

// check reports an error if the metric is not emitted, or not for its dimensions.
func (w metricRef) check(t *testing.T, where string, template templatetest.Template) {
	t.Helper()
	if !slices.Contains(emittedMetrics(template)[w.namespace], w.text()) {
		t.Errorf("%s uses %s %s, which is not emitted", where, w.namespace, w.text())
	}
	if provider, ok := w.dimensions["provider"]; ok && !slices.Contains(providerNames(), provider) {
		t.Errorf("%s uses the unknown provider %s", where, provider)
	}
	for dimension, kind := range map[string]string{
		"FunctionName": "AWS::Serverless::Function", "QueueName": "AWS::SQS::Queue", "TableName": "AWS::DynamoDB::Table", "ApiId": "AWS::ApiGatewayV2::Api",
	} {
		value, ok := w.dimensions[dimension]
		resource, _, _ := strings.Cut(strings.Trim(value, "${}"), ".")
		if ok && template.Resources[resource].Type != kind {
			t.Errorf("%s uses %s %s, which is not an %s of the template", where, dimension, value, kind)
		}
	}
}

func providerNames() []string {
	var names []string
	for _, provider := range providers.All() {
		names = append(names, provider.Name())
	}
	return names
}

// readMetricRef reads the properties of an alarm, or of one metric of its expression.
func readMetricRef(properties map[string]any) metricRef {
	w := metricRef{namespace: properties["Namespace"].(string), name: properties["MetricName"].(string), dimensions: map[string]string{}}
	dimensions, _ := properties["Dimensions"].([]any)
	for _, item := range dimensions {
		dimension := item.(map[string]any)
		w.dimensions[dimension["Name"].(string)] = dimension["Value"].(string)
	}
	return w
}

// readMetricRefs returns the metrics of an alarm by id, and the expression over them.
func readMetricRefs(alarm map[string]any) (metrics map[string]metricRef, expression string) {
	parts, ok := alarm["Metrics"].([]any)
	if !ok {
		return map[string]metricRef{"": readMetricRef(alarm)}, ""
	}
	metrics = map[string]metricRef{}
	for _, item := range parts {
		part := item.(map[string]any)
		if text, ok := part["Expression"].(string); ok {
			expression = text
			continue
		}
		metrics[part["Id"].(string)] = readMetricRef(part["MetricStat"].(map[string]any)["Metric"].(map[string]any))
	}
	return metrics, expression
}

func loadAlarms(t *testing.T) (templatetest.Template, map[string]map[string]any) {
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

func TestAlarms_MetricsAreEmitted(t *testing.T) {
	template, items := loadAlarms(t)
	for name, alarm := range items {
		metrics, expression := readMetricRefs(alarm)
		for id, metric := range metrics {
			metric.check(t, name, template)
			if expression != "" && !regexp.MustCompile(`\b`+id+`\b`).MatchString(expression) {
				t.Errorf("%s does not use its metric %s: %s", name, id, expression)
			}
		}
		for _, word := range regexp.MustCompile(`[a-z]+`).FindAllString(expression, -1) {
			if _, known := metrics[word]; !known {
				t.Errorf("%s uses the unknown metric %s: %s", name, word, expression)
			}
		}
	}
}

func TestAlarms_LinkToRunbook(t *testing.T) {
	_, items := loadAlarms(t)
	runbook, err := os.ReadFile(filepath.Join(templatetest.Root(t), "docs", "OPERATIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	for id, alarm := range items {
		name, ok := strings.CutPrefix(alarm["AlarmName"].(string), "${AWS::StackName}-")
		if !ok {
			t.Errorf("%s: the name %v does not begin with the name of the stack", id, alarm["AlarmName"])
		}
		if description := alarm["AlarmDescription"].(string); !strings.HasSuffix(strings.TrimSpace(description), "docs/OPERATIONS.md#"+name) {
			t.Errorf("%s: the description does not end with the section of the runbook: %s", id, description)
		}
		if !strings.Contains(string(runbook), "\n### "+name+"\n") {
			t.Errorf("docs/OPERATIONS.md has no section ### %s", name)
		}
	}
}

func TestAlarms_CoverProviders(t *testing.T) {
	_, items := loadAlarms(t)
	for _, provider := range providerNames() {
		for _, metric := range []string{telemetry.Refused.Name, telemetry.Acknowledged.Name} {
			watched := false
			for _, alarm := range items {
				metrics, _ := readMetricRefs(alarm)
				for _, w := range metrics {
					watched = watched || w.name == metric && w.dimensions["provider"] == provider
				}
			}
			if !watched {
				t.Errorf("no alarm uses %s of %s", metric, provider)
			}
		}
	}
}

func TestAlarms_CoverFunctions(t *testing.T) {
	template, items := loadAlarms(t)
	for id, resource := range template.Resources {
		if resource.Type != "AWS::Serverless::Function" {
			continue
		}
		own := strings.TrimSuffix(id, "Function") + "FunctionAlarm"
		for alarm, metric := range map[string]string{"ServerErrorsAlarm": "Errors", "ThrottledAlarm": "Throttles"} {
			if items[own] != nil {
				alarm = own
			}
			metrics, _ := readMetricRefs(items[alarm])
			watched := false
			for _, w := range metrics {
				watched = watched || w.name == metric && w.dimensions["FunctionName"] == id
			}
			if !watched {
				t.Errorf("%s does not use %s of %s", alarm, metric, id)
			}
		}
	}
}

func TestDashboard_ShowsMetricsAndAlarms(t *testing.T) {
	template, items := loadAlarms(t)
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
			metric := metricRef{namespace: row[0].(string), name: row[1].(string), dimensions: map[string]string{}}
			for n := 2; n+1 < len(row); n += 2 {
				metric.dimensions[row[n].(string)] = row[n+1].(string)
			}
			metric.check(t, widget.Properties.Title, template)
		}
	}
	for id, alarm := range items {
		optional := strings.Contains(id, "Silent") // exists only with a parameter
		listed := slices.ContainsFunc(shown, func(arn string) bool { return strings.HasSuffix(arn, ":alarm:"+alarm["AlarmName"].(string)) })
		if listed == optional {
			t.Errorf("%s: on the dashboard is %v, optional is %v", id, listed, optional)
		}
	}
	if len(shown) == 0 || len(body.Widgets) < 5 {
		t.Errorf("the dashboard shows %d alarms and %d widgets", len(shown), len(body.Widgets))
	}
}

func TestRunbook_ListsMetrics(t *testing.T) {
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
	for _, metric := range emittedMetrics(template)[ourNamespace] {
		if !strings.Contains(metric, " by ") {
			want = append(want, metric)
		}
	}
	slices.Sort(listed)
	slices.Sort(want)
	if !slices.Equal(listed, want) {
		t.Errorf("docs/OPERATIONS.md lists %v, emitted are %v", listed, want)
	}
}
