package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

type flags struct {
	Quick bool   `help:"As little of everything as shows that it works; its ratios mean nothing."`
	Only  string `help:"Only the measurements whose name contains this: cpu, accept, duplicate, consumer, cold, size, memory, sweep."`
	JSON  bool   `name:"json" help:"Print JSON."`
	Docs  string `type:"existingfile" help:"Put the table between the markers of this file, too."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var asked flags
	helped := false
	parser := kong.Must(&asked, kong.Name("bench"), kong.Writers(stdout, stderr), kong.Exit(func(int) { helped = true }),
		kong.Description("Measure the functions against the least code that makes the same requests, in turns. "+
			"Needs AWS_ENDPOINT_URL_DYNAMODB and AWS_ENDPOINT_URL_SQS on this machine; make bench sets them. "+
			"Exit codes: 0 every ratio is reached, 1 one is not, 2 usage, 3 failure."))
	_, err := parser.Parse(args)
	switch {
	case helped:
		return 0
	case err != nil:
		_, _ = fmt.Fprintln(stderr, "bench:", err)
		return 2
	}
	report, err := measureAll(ctx, asked, stderr)
	if err == nil {
		err = report.write(asked, stdout)
	}
	switch {
	case err != nil:
		_, _ = fmt.Fprintln(stderr, "bench:", err)
		return 3
	case !asked.Quick && !report.reached():
		return 1
	}
	return 0
}

// measurement is one part of the bench.
type measurement struct {
	name string
	run  func(ctx context.Context, w *world) ([]row, error)
}

var measurements = []measurement{
	{"cpu", cpu},
	{"accept", accept},
	{"duplicate", duplicate},
	{"consumer", consumer},
	{"cold", cold},
	{"size", size},
	{"memory", memory},
	{"sweep", sweep},
}

func measureAll(ctx context.Context, asked flags, progress io.Writer) (*report, error) {
	w, err := build(ctx, asked.Quick)
	if err != nil {
		return nil, err
	}
	defer w.demolish(context.WithoutCancel(ctx))
	found := describe(ctx, w)
	for _, one := range measurements {
		if !strings.Contains(one.name, asked.Only) {
			continue
		}
		_, _ = fmt.Fprintf(progress, "bench: %s\n", one.name)
		rows, err := one.run(ctx, w)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.name, err)
		}
		found.Rows = append(found.Rows, rows...)
	}
	if len(found.Rows) == 0 {
		return nil, errors.New("nothing is called that")
	}
	return found, nil
}
