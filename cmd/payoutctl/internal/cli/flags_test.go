package cli_test

import (
	"testing"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
)

func TestTime_Forms(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-11-21T08:00:00Z":      "2026-11-21T08:00:00Z",
		"2026-11-21T08:00:00+07:00": "2026-11-21T01:00:00Z",
		"2026-11-20":                "2026-11-20T00:00:00Z",
		"90m":                       "2026-11-21T07:30:00Z",
		"36h":                       "2026-11-19T21:00:00Z",
		"2d":                        "2026-11-19T09:00:00Z",
		"0s":                        "2026-11-21T09:00:00Z",
	} {
		got, err := cli.ParseTime(text, now)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"yesterday", "-1h", "-2d", "1.5d", "36", "2026-11-31", "21.11.2026"} {
		if got, err := cli.ParseTime(text, now); err == nil {
			t.Errorf("%q: got %s, want an error", text, got)
		}
	}
}
