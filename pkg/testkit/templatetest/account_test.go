package templatetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/consumer"
	"payout-callbacks/pkg/lambda/publisher"
	"payout-callbacks/pkg/lambda/telemetry"
)

// account is the part of an AWS account that watches a stack: events happen in
// it, their log lines become metrics, and the template's alarms look at those.
type account struct {
	cloudwatch
	template  document
	namespace string // METRICS_NAMESPACE of the functions
}

func newAccount(template document) *account {
	function := template["Globals"].(map[string]any)["Function"].(map[string]any)
	variables := function["Environment"].(map[string]any)["Variables"].(map[string]any)
	return &account{template: template, namespace: template.resolve(variables["METRICS_NAMESPACE"], nil).(string)}
}

// event is something that happens at an instant.
type event func(*account, time.Time) error

// stretch is a time in which the same events happen in every step; a scenario is
// a series of them, the oldest first.
type stretch struct {
	step   time.Duration
	steps  int
	events []event
}

func minutes(n int, events ...event) stretch { return stretch{time.Minute, n, events} }
func hours(n int, events ...event) stretch   { return stretch{time.Hour, n, events} }
func days(n int, events ...event) stretch    { return stretch{24 * time.Hour, n, events} }

func times(n int, e event) event {
	return func(a *account, at time.Time) error {
		for range n {
			if err := e(a, at); err != nil {
				return err
			}
		}
		return nil
	}
}

// play lets a scenario happen so that it ends at an instant.
func (a *account) play(scenario []stretch, end time.Time) error {
	at := end
	for _, part := range scenario {
		at = at.Add(-part.step * time.Duration(part.steps))
	}
	for _, part := range scenario {
		for range part.steps {
			for _, happen := range part.events {
				if err := happen(a, at.Add(time.Second)); err != nil {
					return err
				}
			}
			at = at.Add(part.step)
		}
	}
	return nil
}

// recorded is an event that a function writes into its log.
func recorded(record func(*telemetry.Recorder)) event {
	return func(a *account, at time.Time) error {
		var out strings.Builder
		record(telemetry.NewRecorder(&out, a.namespace, func() time.Time { return at }))
		for line := range strings.Lines(out.String()) {
			if err := a.embedded(line); err != nil {
				return err
			}
		}
		return nil
	}
}

// embedded takes the metrics out of a line in the embedded metric format:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func (a *account) embedded(line string) error {
	var directives struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	var members map[string]any
	if err := errors.Join(json.Unmarshal([]byte(line), &directives), json.Unmarshal([]byte(line), &members)); err != nil {
		return err
	}
	at := time.UnixMilli(directives.AWS.Timestamp)
	for _, directive := range directives.AWS.CloudWatchMetrics {
		for _, metric := range directive.Metrics {
			value, ok := members[metric.Name].(float64)
			if !ok {
				return fmt.Errorf("%s is no number in %s", metric.Name, line)
			}
			for _, names := range directive.Dimensions {
				dimensions := map[string]string{}
				for _, name := range names {
					dimensions[name] = members[name].(string)
				}
				a.put(metricKey(directive.Namespace, metric.Name, dimensions), sample{at, value, metric.Unit})
			}
		}
	}
	return nil
}

// answered is a request that the gateway answers: a line of the access log, as
// the template formats it, for the filters on that log. A variable without a
// value is written as "-".
func answered(variables map[string]string) event {
	return func(a *account, at time.Time) error {
		stage := a.template.resources("AWS::ApiGatewayV2::Stage", nil)["CallbackStage"]
		format := stage["AccessLogSettings"].(map[string]any)["Format"].(string)
		line := contextVariable.ReplaceAllStringFunc(format, func(name string) string {
			if value, ok := variables[strings.TrimPrefix(name, "$context.")]; ok {
				return value
			}
			return "-"
		})
		return a.filter("${AccessLogGroup}", line, at)
	}
}

// filter counts a line of a log by the template's metric filters on it.
func (a *account) filter(group, line string, at time.Time) error {
	for id, filter := range a.template.resources("AWS::Logs::MetricFilter", nil) {
		if filter["LogGroupName"] != group {
			continue
		}
		matches, err := matchesFilter(filter["FilterPattern"].(string), line)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		for _, element := range filter["MetricTransformations"].([]any) {
			transformation := element.(map[string]any)
			var value float64
			if _, err := fmt.Sscan(transformation["MetricValue"].(string), &value); err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
			if matches {
				a.put(metricKey(transformation["MetricNamespace"].(string), transformation["MetricName"].(string), nil), sample{at, value, "None"})
			}
		}
	}
	return nil
}

// emittedOf is a metric that AWS emits of a resource of the template.
func emittedOf(namespace, name, dimension, resource string, values ...float64) event {
	return func(a *account, at time.Time) error {
		for _, value := range values {
			a.put(metricKey(namespace, name, map[string]string{dimension: resource}), sample{at, value, ""})
		}
		return nil
	}
}

func lambda(name, function string, value float64) event {
	return emittedOf("AWS/Lambda", name, "FunctionName", "${"+function+"}", value)
}

func visible(queue string, messages float64) event {
	return emittedOf("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${"+queue+".QueueName}", messages)
}

func writesThrottled(table string) event {
	return emittedOf("AWS/DynamoDB", "WriteThrottleEvents", "TableName", "${"+table+"}", 1)
}

// latencies are answers of the gateway: so many of them take so many milliseconds.
func latencies(fast, slow int, milliseconds float64) event {
	all := make([]float64, fast+slow)
	for i := range all {
		if all[i] = 100; i < slow {
			all[i] = milliseconds
		}
	}
	return emittedOf("AWS/ApiGateway", "Latency", "ApiId", "${CallbackApi}", all...)
}

func answeredCallback(provider string, result callback.Result) event {
	return recorded(func(r *telemetry.Recorder) { r.RecordCallback(noContext, provider, result, 0) })
}

func acknowledged(provider string) event {
	return answeredCallback(provider, callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedNew})
}

func accepted(as inbox.Acceptance) event {
	return answeredCallback("cregis", callback.Result{Verdict: callback.Acknowledged, Acceptance: as})
}

func refused(provider string) event {
	return answeredCallback(provider, callback.Result{Verdict: callback.Unauthenticated, Err: callback.ErrUnauthenticated})
}

func held(provider string) event {
	return answeredCallback(provider, callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedNew, Receipt: inbox.Receipt{State: inbox.Held}})
}

func byPreviousKey(provider string) event {
	return answeredCallback(provider, callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedNew, Sender: callback.Sender{Previous: true}})
}

func swept(result inbox.SweepResult, err error) event {
	return recorded(func(r *telemetry.Recorder) { r.RecordSweep(noContext, result, 0, err) })
}

func oldest(age time.Duration) event { return swept(inbox.SweepResult{Due: 1, OldestAge: age}, nil) }

func applied(outcome inbox.ApplyResult) event {
	return recorded(func(r *telemetry.Recorder) { r.RecordBatch(noContext, []consumer.Delivery{{Outcome: outcome}}, 0) })
}

func published(batch publisher.Result) event {
	return recorded(func(r *telemetry.Recorder) { r.RecordPublish(noContext, batch, 0) })
}

var (
	noContext       = context.Background()
	contextVariable = regexp.MustCompile(`\$context\.[\w.]+`)
)
