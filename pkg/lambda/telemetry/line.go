package telemetry

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// newHandler returns a handler that writes lines with the names that Lambda's own
// JSON log format has.
func newHandler(w io.Writer) slog.Handler {
	return slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
		switch {
		case len(groups) > 0:
		case attr.Key == slog.TimeKey:
			return slog.String("timestamp", attr.Value.Time().UTC().Format("2006-01-02T15:04:05.000Z"))
		case attr.Key == slog.MessageKey:
			attr.Key = "message"
		}
		return attr
	}})
}

// write writes one line: the fields that are not empty, and the metrics.
func (r *Recorder) write(ctx context.Context, level slog.Level, message string, measurements []measurement, fields ...slog.Attr) {
	now := r.now()
	record := slog.NewRecord(now, level, message, 0)
	record.AddAttrs(fields...)
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		record.AddAttrs(slog.String("request_id", invocation.AwsRequestID))
	}
	record.AddAttrs(r.metricAttrs(now, measurements)...)
	_ = r.handler.Handle(ctx, record) // an error here has nowhere to go
}

// text returns a field, or an empty one if the value is empty.
func text[T ~string](name string, value T) slog.Attr {
	if value == "" {
		return slog.Attr{}
	}
	return slog.String(name, string(value))
}

func list(name string, values []string) slog.Attr {
	if len(values) == 0 {
		return slog.Attr{}
	}
	return slog.Any(name, values)
}

func failure(err error) slog.Attr {
	if err == nil {
		return slog.Attr{}
	}
	return slog.String("err", err.Error())
}

func duration(d time.Duration) slog.Attr { return slog.Int64("dur_ms", d.Milliseconds()) }

// directive declares to CloudWatch which fields of a line are metrics: its embedded
// metric format, as
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
// defines it.
type directive struct {
	Timestamp         int64
	CloudWatchMetrics []metricSet
}

type metricSet struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []metricName
}

type metricName struct{ Name, Unit string }

// metricAttrs returns the values of the metrics and their directive. It leaves
// out the zeros of metrics that have the dimension provider.
func (r *Recorder) metricAttrs(now time.Time, measurements []measurement) []slog.Attr {
	var attrs []slog.Attr
	set := metricSet{Namespace: r.namespace, Dimensions: [][]string{{}}}
	for _, m := range measurements {
		if m.PerProvider && m.value == 0 {
			continue
		}
		if m.PerProvider {
			set.Dimensions = [][]string{{"provider"}, {}}
		}
		attrs = append(attrs, slog.Any(m.Name, m.value))
		set.Metrics = append(set.Metrics, metricName{m.Name, m.Unit})
	}
	if len(attrs) == 0 {
		return nil
	}
	return append(attrs, slog.Any("_aws", directive{now.UnixMilli(), []metricSet{set}}))
}
