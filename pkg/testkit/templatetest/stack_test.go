package templatetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/consumer"
	"payout-callbacks/pkg/lambda/publisher"
	"payout-callbacks/pkg/lambda/telemetry"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/templatetest"
)

// stack simulates the monitoring of a deployed stack: activities write log lines
// and metrics, and the alarms of the template are evaluated over the metrics.
type stack struct {
	cloudwatch
	template  document
	namespace string // METRICS_NAMESPACE of the functions
}

func newStack(template document) *stack {
	function := template["Globals"].(map[string]any)["Function"].(map[string]any)
	variables := function["Environment"].(map[string]any)["Variables"].(map[string]any)
	return &stack{template: template, namespace: template.resolve(variables["METRICS_NAMESPACE"], nil).(string)}
}

// activity is something that emits metrics at a given time.
type activity func(*stack, time.Time) error

// phase is a period in which the same activities happen in every step. A scenario
// is a list of phases, the oldest first.
type phase struct {
	step       time.Duration
	steps      int
	activities []activity
}

func minutes(n int, activities ...activity) phase { return phase{time.Minute, n, activities} }
func hours(n int, activities ...activity) phase   { return phase{time.Hour, n, activities} }
func days(n int, activities ...activity) phase    { return phase{24 * time.Hour, n, activities} }

func repeat(n int, repeated activity) activity {
	return func(s *stack, at time.Time) error {
		for range n {
			if err := repeated(s, at); err != nil {
				return err
			}
		}
		return nil
	}
}

// play runs the phases of a scenario, so that the last one ends at a given time.
func (s *stack) play(scenario []phase, end time.Time) error {
	at := end
	for _, part := range scenario {
		at = at.Add(-part.step * time.Duration(part.steps))
	}
	for _, part := range scenario {
		for range part.steps {
			for _, perform := range part.activities {
				if err := perform(s, at.Add(time.Second)); err != nil {
					return err
				}
			}
			at = at.Add(part.step)
		}
	}
	return nil
}

// telemetryActivity emits the metrics that a function writes into its log.
func telemetryActivity(record func(*telemetry.Recorder)) activity {
	return func(s *stack, at time.Time) error {
		var out strings.Builder
		record(telemetry.NewRecorder(&out, s.namespace, func() time.Time { return at }))
		for line := range strings.Lines(out.String()) {
			if err := s.putEmbedded(line); err != nil {
				return err
			}
		}
		return nil
	}
}

// putEmbedded stores the metrics of a log line in the embedded metric format:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func (s *stack) putEmbedded(line string) error {
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
			values, isList := members[metric.Name].([]any)
			if !isList {
				values = []any{members[metric.Name]}
			}
			for _, names := range directive.Dimensions {
				dimensions := map[string]string{}
				for _, name := range names {
					dimensions[name] = members[name].(string)
				}
				for _, member := range values {
					value, ok := member.(float64)
					if !ok {
						return fmt.Errorf("%s is not a number in %s", metric.Name, line)
					}
					s.put(metricKey(directive.Namespace, metric.Name, dimensions), sample{at, value, metric.Unit})
				}
			}
		}
	}
	return nil
}

// gatewayResponse is a response of the API: a line of the access log in the format
// of the template, for the filters on that log. As in API Gateway, a variable
// without a value is "-".
func gatewayResponse(variables map[string]string) activity {
	return func(s *stack, at time.Time) error {
		stage := s.template.resources("AWS::ApiGatewayV2::Stage", nil)["CallbackStage"]
		format := stage["AccessLogSettings"].(map[string]any)["Format"].(string)
		line := contextVariable.ReplaceAllStringFunc(format, func(name string) string {
			if value, ok := variables[strings.TrimPrefix(name, "$context.")]; ok {
				return value
			}
			return "-"
		})
		return s.filter("${AccessLogGroup}", line, at)
	}
}

// filter emits the metrics of the metric filters that match a log line.
func (s *stack) filter(group, line string, at time.Time) error {
	for id, filter := range s.template.resources("AWS::Logs::MetricFilter", nil) {
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
				s.put(metricKey(transformation["MetricNamespace"].(string), transformation["MetricName"].(string), nil), sample{at, value, "None"})
			}
		}
	}
	return nil
}

// awsMetric is a metric that AWS emits for a resource of the template.
func awsMetric(namespace, name, dimension, resource string, values ...float64) activity {
	return func(s *stack, at time.Time) error {
		for _, value := range values {
			s.put(metricKey(namespace, name, map[string]string{dimension: resource}), sample{at, value, ""})
		}
		return nil
	}
}

func lambdaMetric(name, function string, value float64) activity {
	return awsMetric("AWS/Lambda", name, "FunctionName", "${"+function+"}", value)
}

func visibleMessages(queue string, messages float64) activity {
	return awsMetric("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${"+queue+".QueueName}", messages)
}

func throttledWrites(table string) activity {
	return awsMetric("AWS/DynamoDB", "WriteThrottleEvents", "TableName", "${"+table+"}", 1)
}

// latencies are responses of the API: fast ones take 100 ms, slow ones as long as given.
func latencies(fast, slow int, milliseconds float64) activity {
	all := make([]float64, fast+slow)
	for i := range all {
		if all[i] = 100; i < slow {
			all[i] = milliseconds
		}
	}
	return awsMetric("AWS/ApiGateway", "Latency", "ApiId", "${CallbackApi}", all...)
}

func callbackResult(provider string, result callback.Result) activity {
	return telemetryActivity(func(r *telemetry.Recorder) { r.RecordCallback(noContext, provider, result, 0) })
}

func acknowledgedCallback(provider string) activity {
	return callbackResult(provider, callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedNew})
}

func acceptedCallback(acceptance inbox.Acceptance) activity {
	return callbackResult("cregis", callback.Result{Verdict: callback.Acknowledged, Acceptance: acceptance})
}

func refusedCallback(provider string) activity {
	return callbackResult(provider, callback.Result{Verdict: callback.Unauthenticated, Err: callback.ErrUnauthenticated})
}

func heldCallback(provider string) activity {
	return callbackResult(provider, callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedNew, Receipt: inbox.Receipt{State: inbox.Held}})
}

func previousKeyCallback(provider string) activity {
	return callbackResult(provider, callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedNew, Sender: callback.Sender{Previous: true}})
}

func sweep(result inbox.SweepResult, err error) activity {
	return telemetryActivity(func(r *telemetry.Recorder) { r.RecordSweep(noContext, result, 0, err) })
}

func sweepWithAge(age time.Duration) activity {
	return sweep(inbox.SweepResult{Due: 1, OldestAge: age}, nil)
}

func applyResult(outcome inbox.ApplyResult) activity {
	return telemetryActivity(func(r *telemetry.Recorder) { r.RecordBatch(noContext, []consumer.Delivery{{Outcome: outcome}}, 0) })
}

func publishResult(batch publisher.Result) activity {
	return telemetryActivity(func(r *telemetry.Recorder) { r.RecordPublish(noContext, batch, 0) })
}

// run is a run of the reconciler that finds some accounts failing.
func run(result reconcile.RunResult, failing int) activity {
	accounts := map[string]reconcile.AccountState{"cregis/answering": {}}
	for n := range failing {
		accounts[fmt.Sprint("pivot/", n)] = reconcile.AccountState{PausedUntil: time.Unix(1, 0)}
	}
	return telemetryActivity(func(r *telemetry.Recorder) { r.RecordReconcile(noContext, result, accounts, 0, nil) })
}

func expectation(outcome reconcile.ExpectOutcome) activity {
	return telemetryActivity(func(r *telemetry.Recorder) {
		r.RecordExpectation(noContext, reconcile.ExpectResult{Result: outcome}, 0, nil)
	})
}

var (
	noContext       = context.Background()
	contextVariable = regexp.MustCompile(`\$context\.[\w.]+`)
)

func functionFolders(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(templatetest.Root(t), "functions"))
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, entry := range entries {
		folders = append(folders, entry.Name())
	}
	return folders
}
