package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"payout-callbacks/pkg/simulation/drain"
)

const drainUsage = `simulate drain: a load of callbacks, an outage of the consumer, and the drain.

Without any flag but -json it plays the table of docs/PERFORMANCE.md. Examples:

  go run ./cmd/simulate drain
  go run ./cmd/simulate drain -rate 20 -outage 6h -concurrency 10
  go run ./cmd/simulate drain -rate 100 -broken -sweep-limit 10000 -json

`

// usual is what the template and a day's outage are; a flag changes one thing.
var usual = drain.Scenario{
	Rate: 10, Outage: 24 * time.Hour, Concurrency: 5, SweepLimit: 1000,
	Batch: 100 * time.Millisecond, Request: 5 * time.Millisecond, BusyShare: 99,
}

// table is the scenarios of docs/PERFORMANCE.md.
func table() []drain.Scenario {
	var all []drain.Scenario
	add := func(broken bool, rate, concurrency, sweepLimit int) {
		one := usual
		one.Broken, one.Rate, one.Concurrency, one.SweepLimit = broken, rate, concurrency, sweepLimit
		all = append(all, one.Scaled())
	}
	for _, rate := range []int{1, 10, 100} {
		for _, sweepLimit := range []int{1000, 10_000} {
			add(false, rate, 5, sweepLimit)
			add(false, rate, 50, sweepLimit)
		}
	}
	for _, rate := range []int{1, 10, 100} {
		add(true, rate, 5, 1000)
		add(true, rate, 50, 1000)
		add(true, rate, 5, 10_000)
	}
	return all
}

// playDrain plays what the arguments say and returns the exit code: 0 done, 1 a
// promise did not hold, 2 usage, 3 failure.
func playDrain(args []string, out io.Writer, errs *os.File) int {
	one := usual
	flags := flag.NewFlagSet("simulate drain", flag.ContinueOnError)
	flags.IntVar(&one.Rate, "rate", one.Rate, "callbacks a second")
	flags.DurationVar(&one.Outage, "outage", one.Outage, "how long the consumer is away")
	flags.BoolVar(&one.Broken, "broken", one.Broken, "the consumer runs and never answers, so that messages become dead letters")
	flags.IntVar(&one.Concurrency, "concurrency", one.Concurrency, "ConsumerConcurrency of the template")
	flags.IntVar(&one.SweepLimit, "sweep-limit", one.SweepLimit, "SweepLimit of the template")
	flags.DurationVar(&one.Batch, "batch", one.Batch, "how long a consumer takes for a batch of ten")
	flags.DurationVar(&one.Request, "request", one.Request, "how long the sweeper takes for a request")
	flags.IntVar(&one.BusyShare, "share", one.BusyShare, "percent of the callbacks that are one account's")
	flags.IntVar(&one.Each, "each", 0, "how many receipts one stands for (0: as many as make it quick)")
	asJSON := flags.Bool("json", false, "one JSON object a line")
	flags.SetOutput(errs)
	flags.Usage = func() { fmt.Fprint(errs, drainUsage); flags.PrintDefaults() }
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		flags.Usage()
		return 2
	}
	results, err := playAll(asked(one, flags.NFlag() == 0 || flags.NFlag() == 1 && *asJSON), errs)
	switch {
	case errors.Is(err, drain.ErrScenario):
		fmt.Fprintln(errs, err)
		return 2
	case err == nil && *asJSON:
		err = writeJSON(out, results)
	case err == nil:
		err = writeTable(out, results)
	}
	if err != nil {
		fmt.Fprintln(errs, err)
		return 3
	}
	return complain(results, errs)
}

// asked returns what is to be played: the table, or one scenario.
func asked(one drain.Scenario, nothing bool) []drain.Scenario {
	if nothing {
		return table()
	}
	if one.Each == 0 {
		one = one.Scaled()
	}
	return []drain.Scenario{one}
}

// playAll plays scenarios on all processors, and says on a terminal how many are left.
func playAll(scenarios []drain.Scenario, errs *os.File) ([]drain.Result, error) {
	results, failures := make([]drain.Result, len(scenarios)), make([]error, len(scenarios))
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	var running sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(len(scenarios)))
	for n, scenario := range scenarios {
		running.Go(func() {
			free <- struct{}{}
			results[n], failures[n] = drain.Run(context.Background(), scenario)
			<-free
			if left := left.Add(-1); isTerminal(errs) {
				fmt.Fprintf(errs, "\r\x1b[K%d of %d scenarios left", left, len(scenarios))
			}
		})
	}
	running.Wait()
	if isTerminal(errs) {
		fmt.Fprint(errs, "\r\x1b[K")
	}
	return results, errors.Join(failures...)
}

// complain tells the promises that did not hold.
func complain(results []drain.Result, errs io.Writer) int {
	code := 0
	for _, r := range results {
		for _, wrong := range r.Wrong[:min(10, len(r.Wrong))] {
			fmt.Fprintln(errs, wrong)
			code = 1
		}
		if r.Applied != r.Accepted {
			fmt.Fprintf(errs, "%d acknowledged and %d applied\n", r.Accepted, r.Applied)
			code = 1
		}
	}
	return code
}

// columns are those of the table, and what stands in them.
var columns = []struct {
	title string
	text  func(drain.Result) string
}{
	{"consumer", func(r drain.Result) string { return state(r.Scenario) }},
	{"callbacks a second", func(r drain.Result) string { return strconv.Itoa(r.Scenario.Rate) }},
	{"`ConsumerConcurrency`", func(r drain.Result) string { return strconv.Itoa(r.Scenario.Concurrency) }},
	{"`SweepLimit`", func(r drain.Result) string { return strconv.Itoa(r.Scenario.SweepLimit) }},
	{"all applied after", func(r drain.Result) string { return span(r.Drained) }},
	{"quiet account's", func(r drain.Result) string { return span(r.QuietDrained) }},
	{"queue empty after", func(r drain.Result) string { return span(r.Emptied) }},
	{"no dead letter after", func(r drain.Result) string { return span(r.Buried) }},
	{"oldest when applied", func(r drain.Result) string { return span(r.Oldest) }},
	{"sent again", func(r drain.Result) string { return count(r.Resent) }},
	{"queue at most", func(r drain.Result) string { return count(r.Deepest) }},
	{"dead letters at most", func(r drain.Result) string { return count(r.DeepestDead) }},
	{"adopted", func(r drain.Result) string { return count(r.Adopted) }},
	{"expired", func(r drain.Result) string { return count(r.Expired) }},
	{"acknowledged", func(r drain.Result) string { return count(r.Accepted) }},
	{"not applied", func(r drain.Result) string { return count(r.Accepted - r.Applied) }},
}

// writeTable writes a table in Markdown, as docs/PERFORMANCE.md shows it.
func writeTable(out io.Writer, results []drain.Result) error {
	var text strings.Builder
	for _, column := range columns {
		text.WriteString("| " + column.title + " ")
	}
	text.WriteString("|\n" + strings.Repeat("| --- ", len(columns)) + "|\n")
	for _, r := range results {
		for _, column := range columns {
			text.WriteString("| " + column.text(r) + " ")
		}
		text.WriteString("|\n")
	}
	_, err := io.WriteString(out, text.String())
	return err
}

func state(s drain.Scenario) string {
	if s.Broken {
		return "broken"
	}
	return "paused"
}

// writeJSON writes a result a line; times are in seconds, and null for never.
func writeJSON(out io.Writer, results []drain.Result) error {
	encoder := json.NewEncoder(out)
	for _, r := range results {
		line := map[string]any{
			"scenario": r.Scenario, "outageSeconds": seconds(r.Scenario.Outage),
			"batchMilliseconds": r.Scenario.Batch.Milliseconds(), "requestMilliseconds": r.Scenario.Request.Milliseconds(),
			"acknowledged": r.Accepted, "applied": r.Applied, "drainedSeconds": seconds(r.Drained),
			"quietDrainedSeconds": seconds(r.QuietDrained), "queueEmptySeconds": seconds(r.Emptied),
			"noDeadLetterSeconds": seconds(r.Buried), "oldestSeconds": seconds(r.Oldest), "sentAgain": r.Resent,
			"forNothing": r.Refused, "deepestQueue": r.Deepest, "deepestDeadLetters": r.DeepestDead,
			"adopted": r.Adopted, "expired": r.Expired, "wrong": r.Wrong,
		}
		if err := encoder.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

func seconds(d time.Duration) any {
	if d == drain.Never {
		return nil
	}
	return int(d.Seconds())
}

// span writes a duration in the unit that a person would choose.
func span(d time.Duration) string {
	switch {
	case d == drain.Never:
		return "never"
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.1f h", d.Hours())
	}
	return fmt.Sprintf("%.1f d", d.Hours()/24)
}

// count writes a number with thousands and millions.
func count(n int) string {
	switch {
	case n < 10_000:
		return strconv.Itoa(n)
	case n < 1_000_000:
		return fmt.Sprintf("%.0f k", float64(n)/1e3)
	}
	return fmt.Sprintf("%.2f M", float64(n)/1e6)
}
