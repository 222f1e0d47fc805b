// Command measure prints what Go benchmarks cannot measure: the time from the start
// of a function's process to the first response, and its memory. It compares them
// with a function that returns a constant (hello), and with one that only sends the
// same requests with the SDK (bare). `make bench` runs it on the local stack. It
// reads /proc, so it needs Linux.
package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

const (
	hello  = "./tools/measure/hello"
	bare   = "./tools/measure/bare"
	cregis = "./functions/cregis"
)

func main() {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MEASUREMENT\tFUNCTION\tVALUE\tRATIO TO hello")
	err := measure(context.Background(), table)
	_ = table.Flush()
	if err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

// compile builds a program with the flags of `make build` and returns the path of its binary.
func compile(ctx context.Context, program string) (string, error) {
	binary := filepath.Join(".local", "measure", filepath.Base(program))
	build := exec.CommandContext(ctx, "go", "build", "-tags=lambda.norpc", "-trimpath", "-ldflags=-s -w", "-o", binary, program)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", program, err, output)
	}
	return binary, nil
}

// ratioToFirst returns a function that divides its argument by that of its first call.
func ratioToFirst() func(float64) float64 {
	var first float64
	return func(value float64) float64 {
		first = cmp.Or(first, value)
		return value / first
	}
}

const (
	coldStarts  = 21
	invocations = 5_000
)

// measure measures the functions as processes, interleaved.
func measure(ctx context.Context, table *tabwriter.Writer) error {
	t, err := newTarget(ctx)
	if err != nil {
		return err
	}
	programs := []string{hello, bare, cregis}
	binaries, starts := map[string]string{}, map[string][]time.Duration{}
	for _, program := range programs {
		if binaries[program], err = compile(ctx, program); err != nil {
			return err
		}
	}
	for range coldStarts {
		for _, program := range programs {
			took, _, err := t.start(ctx, binaries[program], 1)
			if err != nil {
				return err
			}
			starts[program] = append(starts[program], took)
		}
	}
	timeRatio, memoryRatio := ratioToFirst(), ratioToFirst()
	for _, program := range programs {
		slices.Sort(starts[program])
		median, name := starts[program][coldStarts/2], filepath.Base(program)
		_, resident, err := t.start(ctx, binaries[program], invocations)
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "cold start, median of %d\t%s\t%v\t%.2f\n", coldStarts, name, median.Round(10*time.Microsecond), timeRatio(float64(median)))
		fmt.Fprintf(table, "resident after %d\t%s\t%.2f MB\t%.2f\n", invocations, name, resident, memoryRatio(resident))
	}
	return nil
}
