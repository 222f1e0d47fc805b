// Package telemetry tells what happened: one line of JSON per callback,
// delivery or sweep, which is log and metric at once (CloudWatch's embedded
// metric format).
//
// What may stand in a line is listed here and nowhere else: names of providers,
// ids of payouts and receipts, states, outcomes, reasons, durations and errors.
// Bodies, headers, keys, addresses, amounts and notes never do.
package telemetry

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/sqsqueue"
)

// Names of the metrics. Counts have the dimensions provider and outcome.
const (
	MetricCallbacks   = "Callbacks"       // callbacks answered
	MetricPreviousKey = "PreviousKey"     // callbacks verified by an account's previous key
	MetricDeliveries  = "Deliveries"      // messages consumed
	MetricDue         = "Due"             // receipts that a sweep found due
	MetricSent        = "Sent"            // receipts that a sweep sent again
	MetricAdopted     = "Adopted"         // dead letters that a sweep took into the store
	MetricForeign     = "Foreign"         // dead letters that are not ours to read
	MetricDamaged     = "Damaged"         // receipts that cannot be read
	MetricOldest      = "OldestUnapplied" // seconds since the oldest receipt found due was accepted
)

// Recorder writes the lines. It is safe for concurrent use.
type Recorder struct {
	log       *slog.Logger
	namespace string
	now       func() time.Time
}

// NewRecorder returns a recorder that writes to w, a function's standard output.
func NewRecorder(w io.Writer, namespace string, now func() time.Time) *Recorder {
	handler := slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: lambdacontext.ReplaceAttr})
	return &Recorder{log: slog.New(handler), namespace: namespace, now: now}
}

// Callback records what became of one callback. Level error means that a
// person must act: nothing was acknowledged although it may have been authentic.
func (r *Recorder) Callback(ctx context.Context, provider string, result callback.Result, took time.Duration) {
	level, outcome := slog.LevelInfo, string(result.Verdict)
	switch {
	case result.Verdict == callback.Unavailable:
		level = slog.LevelError
	case result.Verdict != callback.Acknowledge:
		level = slog.LevelWarn
	case result.Receipt.State == inbox.Held:
		// One that is there already counts again: its own first put may have been
		// done without an answer, and then this is the only time it is counted.
		level, outcome = slog.LevelWarn, string(inbox.Held)
	case result.Err != nil:
		level, outcome = slog.LevelWarn, string(result.As)
	default:
		outcome = string(result.As)
	}
	counts := map[string]int{MetricCallbacks: 1}
	if result.Sender.Previous {
		counts[MetricPreviousKey] = 1
	}
	r.line(ctx, level, "callback", metrics{counts, byOutcome},
		slog.String("provider", provider),
		slog.String("outcome", outcome),
		slog.String("payout", result.Receipt.Key.Payout),
		slog.String("receipt", result.Receipt.Key.Receipt),
		slog.String("accepted", string(result.As)),
		slog.String("reason", result.Receipt.Reason),
		slog.String("key_id", result.Sender.KeyID),
		slog.Int64("dur_ms", took.Milliseconds()),
		slog.Any("err", result.Err))
}

// Delivery records what became of one message.
func (r *Recorder) Delivery(ctx context.Context, delivery sqsqueue.Delivery) {
	level, outcome := slog.LevelInfo, string(delivery.Outcome)
	switch {
	case delivery.Foreign:
		level, outcome = slog.LevelError, "foreign"
	case delivery.Err != nil:
		level, outcome = slog.LevelWarn, "failed"
	}
	provider := delivery.Receipt.Provider()
	if provider == "" {
		provider = "unknown"
	}
	r.line(ctx, level, "delivery", metrics{map[string]int{MetricDeliveries: 1}, byOutcome},
		slog.String("provider", provider),
		slog.String("outcome", outcome),
		slog.String("payout", delivery.Receipt.Key.Payout),
		slog.String("receipt", delivery.Receipt.Key.Receipt),
		slog.String("delivery", delivery.MessageID),
		slog.Any("err", delivery.Err))
}

// Sweep records one run of the sweeper.
func (r *Recorder) Sweep(ctx context.Context, swept inbox.Swept, took time.Duration, err error) {
	level := slog.LevelInfo
	if err != nil || swept.Damaged > 0 || swept.Foreign > 0 {
		level = slog.LevelError
	}
	r.line(ctx, level, "sweep", metrics{values: map[string]int{
		MetricDue:     swept.Due,
		MetricSent:    swept.Sent,
		MetricAdopted: swept.Adopted,
		MetricForeign: swept.Foreign,
		MetricDamaged: swept.Damaged,
		MetricOldest:  int(swept.OldestAge.Seconds()),
	}, dimensions: []string{}},
		slog.Bool("skipped", swept.Skipped),
		slog.Int64("dur_ms", took.Milliseconds()),
		slog.Any("err", err))
}

// NoKeys records that a function started without keys to verify with.
func (r *Recorder) NoKeys(ctx context.Context, provider string, err error) {
	r.log.ErrorContext(ctx, "no keys", "provider", provider, "err", err)
}

// metrics are values and the attributes by which they are told apart.
type metrics struct {
	values     map[string]int
	dimensions []string
}

var byOutcome = []string{"provider", "outcome"}

// line writes one line: the attributes, and the metrics with what CloudWatch
// needs to find them.
func (r *Recorder) line(ctx context.Context, level slog.Level, name string, told metrics, attrs ...slog.Attr) {
	type definition struct {
		Name string
		Unit string
	}
	var definitions []definition
	for metric, value := range told.values {
		unit := "Count"
		if metric == MetricOldest {
			unit = "Seconds"
		}
		definitions = append(definitions, definition{Name: metric, Unit: unit})
		attrs = append(attrs, slog.Int(metric, value))
	}
	attrs = append(attrs, slog.Any("_aws", map[string]any{
		"Timestamp": r.now().UnixMilli(),
		"CloudWatchMetrics": []map[string]any{{
			"Namespace":  r.namespace,
			"Dimensions": [][]string{told.dimensions},
			"Metrics":    definitions,
		}},
	}))
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		attrs = append(attrs, slog.String("request_id", invocation.AwsRequestID))
	}
	r.log.LogAttrs(ctx, level, name, slices.DeleteFunc(attrs, without)...)
}

// without reports an attribute that has no value to tell.
func without(attr slog.Attr) bool {
	return attr.Value.Equal(slog.StringValue("")) || attr.Value.Equal(slog.AnyValue(nil))
}
