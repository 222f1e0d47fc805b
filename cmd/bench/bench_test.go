package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSpread(t *testing.T) {
	ratios := make([]float64, 101)
	for i := range ratios {
		ratios[(i*37)%101] = float64(i)
	}
	// Of 101, the order statistics 40 and 61 hold the median in 95 of 100 runs.
	if got := spreadOf(ratios); got != (spread{Median: 50, Low: 40, High: 61}) {
		t.Errorf("got %+v", got)
	}
	if got := spreadOf([]float64{2}); got != (spread{2, 2, 2}) {
		t.Errorf("of one: %+v", got)
	}
	if got := quantile([]time.Duration{3, 1, 2, 4}, 0.99); got != 4 {
		t.Errorf("p99 of four is %d, want the last", got)
	}
}

func TestTurnsAlternateAndTheFirstRoundDoesNotCount(t *testing.T) {
	var order strings.Builder
	one := func(name string, took time.Duration) side {
		return func() ([]time.Duration, error) {
			order.WriteString(name)
			return []time.Duration{took}, nil
		}
	}
	ours, floor, err := turns(3, one("A", 2), one("B", 1))
	if err != nil || order.String() != "ABBAABBA" || len(ours) != 3 {
		t.Fatalf("%s, %d rounds, %v", order.String(), len(ours), err)
	}
	if ratio, _, _ := ratioAt(0.5, ours, floor); ratio.Median != 2 {
		t.Errorf("the ratio is %v, want 2", ratio)
	}
}

func TestTheTableGoesBetweenTheMarkers(t *testing.T) {
	document := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(document, []byte("before\n"+begin+"old\n"+end+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	made := &report{Rows: []row{newRow("x", "y", spread{1.5, 1, 2}, 1.2).of("3", "2")}}
	for range 2 {
		if err := made.into(document); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	if !strings.HasPrefix(got, "before\n"+begin) || !strings.HasSuffix(got, end+"after\n") || strings.Contains(got, "old") ||
		strings.Count(got, "| x | y | 1.50 | 1.00 to 2.00 | 1.20 | NOT reached | 3 | 2 |") != 1 {
		t.Errorf("got\n%s", got)
	}
}

// Everything is measured once, on the emulator: that it is, not how well.
func TestEveryMeasurementRuns(t *testing.T) {
	if os.Getenv("AWS_ENDPOINT_URL_DYNAMODB") == "" {
		t.Skip("AWS_ENDPOINT_URL_DYNAMODB names no endpoint; make test runs this on the local stack")
	}
	if testing.Short() {
		t.Skip("it builds every function")
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"--quick", "--json"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	var got report
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"verify and parse, cregis", "verify and parse, pivot", "accept, 1 at once, p50", "accept, 16 at once, p99", "accept a duplicate",
		"consumer, batch of 10", "cold start", "binary, sweeper", "memory after", "sweep of",
	} {
		found := false
		for _, row := range got.Rows {
			found = found || strings.HasPrefix(row.What, want) && row.Median > 0
		}
		if !found {
			t.Errorf("no row tells of %s", want)
		}
	}
}

func TestUsage(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", "https://dynamodb.eu-central-1.amazonaws.com")
	t.Setenv("AWS_ENDPOINT_URL_SQS", "https://sqs.eu-central-1.amazonaws.com")
	for args, want := range map[string]int{"--help": 0, "--nonsense": 2, "--quick": 3} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), []string{args}, &stdout, &stderr); code != want {
			t.Errorf("%s: exit %d, want %d: %s", args, code, want, stderr.String())
		}
	}
}
