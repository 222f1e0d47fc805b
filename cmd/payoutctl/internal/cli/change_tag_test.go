package cli_test

import (
	"strings"
	"testing"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
)

func TestFormatChange_CharactersAndLength(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	got := cli.FormatChange(now, "pause consumer", "table is down; see #12, \"now\"\n"+strings.Repeat("é", 300))
	if !strings.HasPrefix(got, "2026-11-21T09:00:00Z pause consumer: table is down see 12 now é") || len([]rune(got)) != 256 {
		t.Errorf("got %q", got)
	}
}
