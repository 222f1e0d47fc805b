package telemetry

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// level is how much a line matters, in Lambda's words.
type level string

const (
	info  level = "INFO"
	warn  level = "WARN"  // something is wrong, and is being dealt with
	fault level = "ERROR" // a person must act
)

// field is one member of a line: its name and its value as JSON. A field
// without a value is left out.
type field struct {
	name  string
	value []byte
}

func text[T ~string](name string, value T) field {
	if value == "" {
		return field{}
	}
	return field{name, quote(string(value))}
}

func failure(err error) field {
	if err == nil {
		return field{}
	}
	return text("err", err.Error())
}

func number(name string, value int) field {
	return field{name, strconv.AppendInt(nil, int64(value), 10)}
}

func millis(took time.Duration) field { return number("dur_ms", int(took.Milliseconds())) }

func truth(name string, value bool) field { return field{name, strconv.AppendBool(nil, value)} }

func list(name string, values []string) field {
	if len(values) == 0 {
		return field{}
	}
	data := []byte{'['}
	for n, value := range values {
		if n > 0 {
			data = append(data, ',')
		}
		data = append(data, quote(value)...)
	}
	return field{name, append(data, ']')}
}

// quote writes a text as JSON. Ids and words of ours are as they stand.
func quote(value string) []byte {
	for n := range len(value) {
		if c := value[n]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := json.Marshal(value)
			if err != nil { // of a text, never
				return []byte(`""`)
			}
			return quoted
		}
	}
	quoted := make([]byte, 0, len(value)+2) //nolint:mnd // two quotes
	return append(append(append(quoted, '"'), value...), '"')
}

// line writes one line of JSON: the fields, and the metrics with what
// CloudWatch needs to find them, its embedded metric format. What is told per
// provider is told alone.
func (r *Recorder) line(ctx context.Context, level level, message string, items []measured, fields ...field) {
	now := r.now()
	data := make([]byte, 0, 1<<10) //nolint:mnd // more than most lines have
	data = append(data, `{"timestamp":`...)
	data = append(data, quote(now.UTC().Format("2006-01-02T15:04:05.000Z"))...)
	data = add(data, text("level", level))
	data = add(data, text("message", message))
	for _, f := range fields {
		data = add(data, f)
	}
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		data = add(data, text("request_id", invocation.AwsRequestID))
	}
	data = r.addMetrics(data, now, items)
	data = append(data, '}', '\n')

	r.writing.Lock()
	defer r.writing.Unlock()
	_, _ = r.out.Write(data) // there is nobody left to tell
}

func add(to []byte, f field) []byte {
	if f.name == "" {
		return to
	}
	to = append(to, ',')
	to = append(to, quote(f.name)...)
	to = append(to, ':')
	return append(to, f.value...)
}

// addMetrics adds the values, and where CloudWatch is to find them.
func (r *Recorder) addMetrics(to []byte, now time.Time, items []measured) []byte {
	var definitions []byte
	dimensions := `[[]]`
	for _, m := range items {
		if m.Name == "" || m.value == 0 && m.PerProvider {
			continue
		}
		if m.PerProvider {
			dimensions = `[["provider"],[]]`
		}
		to = add(to, number(m.Name, m.value))
		if len(definitions) > 0 {
			definitions = append(definitions, ',')
		}
		definitions = append(definitions, `{"Name":"`+m.Name+`","Unit":"`+m.Unit+`"}`...)
	}
	if len(definitions) == 0 {
		return to
	}
	to = append(to, `,"_aws":{"Timestamp":`...)
	to = strconv.AppendInt(to, now.UnixMilli(), 10)
	to = append(to, `,"CloudWatchMetrics":[{"Namespace":`...)
	to = append(to, quote(r.namespace)...)
	to = append(to, `,"Dimensions":`+dimensions+`,"Metrics":[`...)
	to = append(to, definitions...)
	return append(to, `]}]}`...)
}
