package telemetry_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/publisher"
	"payout-callbacks/pkg/lambda/telemetry"
)

// Whatever an id holds, each record is one line of strict JSON: it has no
// duplicate name and no character that ends a line.
func TestRecord_HostileIDs(t *testing.T) {
	for _, id := range []string{
		`pivot/payout/M/u/a"b`, "pivot/payout/M/u/\n{\"level\":\"ERROR\"}", "pivot/payout/M/u/\r\x00\x1b[2J\x7f",
		"pivot/payout/M/u/\u2028\u2029\u0085\ufeff", "pivot/payout/M/u/\xff\xfe\xc3", `pivot/payout/M/u/\`, `pivot/payout/M/u/","Sweeps":1,"x":"`,
	} {
		var out strings.Builder
		recorder := telemetry.NewRecorder(&out, "n", fixed)
		key := inbox.Key{Payout: id, Receipt: id}
		recorder.RecordCallback(t.Context(), "pivot", callback.Result{
			Verdict: callback.Acknowledged, Receipt: inbox.Receipt{Key: key, State: inbox.Held, Reason: id}, Err: errors.New(id),
		}, 0)
		recorder.RecordPublish(t.Context(), publisher.Result{Published: []string{id}, Removed: []string{id}, Skipped: []error{errors.New(id)}}, 0)
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != 2 {
			t.Errorf("%q: %d lines, want 2", id, len(lines))
		}
		for _, line := range lines {
			broken := strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == '\u2028' || r == '\u2029' || r == utf8.RuneError })
			if !jsontext.Value(line).IsValid() || broken {
				t.Errorf("%q breaks the line %q", id, line)
			}
		}
	}
}
