package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestDrainSaysWhatBecameOfAScenario(t *testing.T) {
	errs, err := os.Create(t.TempDir() + "/errs")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = errs.Close() }()
	var text, lines strings.Builder
	args := []string{"-rate", "2", "-outage", "1h", "-sweep-limit", "100", "-each", "10"}
	if code := playDrain(args, &text, errs); code != 0 {
		t.Errorf("table: exit code %d", code)
	}
	if rows := strings.Split(strings.TrimSpace(text.String()), "\n"); len(rows) != 3 || !strings.HasPrefix(rows[2], "| paused | 2 | 5 | 100 |") {
		t.Errorf("table:\n%s", text.String())
	}
	if code := playDrain(append(args, "-json"), &lines, errs); code != 0 {
		t.Errorf("JSON: exit code %d", code)
	}
	var told struct{ Acknowledged, Applied, DrainedSeconds int }
	if err := json.Unmarshal([]byte(lines.String()), &told); err != nil || told.Applied != told.Acknowledged || told.DrainedSeconds == 0 {
		t.Errorf("JSON: %v, %s", err, lines.String())
	}
}

func TestDrainRefusesWhatMakesNoSense(t *testing.T) {
	errs, err := os.Create(t.TempDir() + "/errs")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = errs.Close() }()
	for _, args := range [][]string{{"-rate", "0"}, {"-rate", "many"}, {"-share", "101"}, {"10"}} {
		if code := playDrain(args, new(strings.Builder), errs); code != 2 {
			t.Errorf("%v: exit code %d, want 2", args, code)
		}
	}
}
