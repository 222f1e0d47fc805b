// Command storm sends thousands of callbacks of both providers through the real
// functions, over HTTP, while the connections to DynamoDB and SQS are cut and
// restored; then it lets the queue drain and reckons up: what was acknowledged
// must be there, once, and nothing else.
//
//	make storm
//	.local/bin/local exec -- go run ./tools/storm --count 10000 --rate 200 --seed 7
//
// The functions run in this process, as pkg/lambda/functions wires them for Lambda, with the
// real SDK; what Lambda, API Gateway and the scheduler do around them is done
// here. Their schedule runs sixty times as fast as the clock: what waits two
// minutes to be sent again waits two seconds. The tables are made from
// template.yaml on the endpoint that AWS_ENDPOINT_URL_DYNAMODB names, and the
// queues on that of AWS_ENDPOINT_URL_SQS, which must be on this machine. Apart
// from those two, nothing is talked to.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

type flags struct {
	Count int    `default:"3000" help:"How many callbacks to send: 1 to 100,000."`
	Rate  int    `default:"50" help:"How many to send in a second: 1 to 2,000."`
	Seed  uint64 `help:"What is sent and when connections are cut follows from it. One is chosen and printed where none is given."`
	Calm  bool   `help:"Cut no connections."`
	JSON  bool   `name:"json" help:"Print the reckoning as JSON."`
}

// Validate implements kong's check.
func (f flags) Validate() error {
	if f.Count < 1 || f.Count > 100_000 {
		return errors.New("--count is not from 1 to 100000")
	}
	if f.Rate < 1 || f.Rate > 2_000 {
		return errors.New("--rate is not from 1 to 2000")
	}
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run returns 0 where the reckoning adds up, 1 where it does not, and 2 where
// there is none.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var asked flags
	helped := false
	parser := kong.Must(&asked, kong.Name("storm"), kong.Writers(stdout, stderr), kong.Exit(func(int) { helped = true }),
		kong.Description("Send callbacks through the real functions while connections to DynamoDB and SQS are cut; "+
			"exit 1 unless every acknowledged one is applied, held or conflicted, once, and nothing else is there. "+
			"Needs AWS_ENDPOINT_URL_DYNAMODB and AWS_ENDPOINT_URL_SQS on this machine; make storm sets them."))
	_, err := parser.Parse(args)
	if helped {
		return 0
	}
	var result *report
	if err == nil {
		result, err = execute(ctx, asked)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "storm:", err)
		return 2
	}
	return show(result, asked.JSON, stdout)
}

func execute(ctx context.Context, asked flags) (*report, error) {
	at, err := endpointsOf(os.Getenv)
	if err != nil {
		return nil, err
	}
	// The functions' own, in template.yaml: the SDK's newer retries.
	if err := os.Setenv("AWS_NEW_RETRIES_2026", "true"); err != nil {
		return nil, err
	}
	if asked.Seed == 0 {
		asked.Seed = rand.Uint64N(1_000_000)
	}
	return storm{
		count: asked.Count, rate: asked.Rate, seed: asked.Seed, calm: asked.Calm,
		at: at, progress: progressOn(os.Stderr),
	}.run(ctx)
}

func show(result *report, asJSON bool, stdout io.Writer) int {
	if asJSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		_ = encoder.Encode(result)
	} else {
		result.print(stdout)
	}
	if len(result.Wrong) > 0 {
		return 1
	}
	return 0
}
