// Command measure prints what Go benchmarks cannot measure: the size of a
// function's binary, the time from the start of its process to the first
// response, and its memory. It compares them with a function that returns a
// constant (hello), and with one that only sends the same requests with the SDK
// (bare). `make bench` runs it on the local stack.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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
	ctx := context.Background()
	err := sizes(ctx, table)
	if err == nil && runtime.GOOS == "linux" { // the functions run on Linux only
		err = processes(ctx, table)
	}
	_ = table.Flush()
	if err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

// compile builds a program with the flags of `make build` and returns the path of its binary.
func compile(ctx context.Context, program, arch string) (string, error) {
	binary := filepath.Join(".local", "measure", arch, filepath.Base(program))
	build := exec.CommandContext(ctx, "go", "build", "-tags=lambda.norpc", "-trimpath", "-ldflags=-s -w", "-o", binary, program)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", program, err, output)
	}
	return binary, nil
}

func sizes(ctx context.Context, table *tabwriter.Writer) error {
	programs, err := filepath.Glob("functions/*")
	if err != nil {
		return err
	}
	var base float64
	for _, program := range append([]string{hello}, programs...) {
		binary, err := compile(ctx, "./"+filepath.Clean(program), "arm64")
		if err != nil {
			return err
		}
		info, err := os.Stat(binary)
		if err != nil {
			return err
		}
		megabytes := float64(info.Size()) / 1e6
		if base == 0 {
			base = megabytes
		}
		fmt.Fprintf(table, "binary, arm64\t%s\t%.2f MB\t%.2f\n", filepath.Base(program), megabytes, megabytes/base)
	}
	return nil
}

const (
	coldStarts  = 21
	invocations = 5_000
)

// processes measures the functions as processes, interleaved.
func processes(ctx context.Context, table *tabwriter.Writer) error {
	t, err := newTarget(ctx)
	if err != nil {
		return err
	}
	programs := []string{hello, bare, cregis}
	binaries, starts := map[string]string{}, map[string][]time.Duration{}
	for _, program := range programs {
		if binaries[program], err = compile(ctx, program, runtime.GOARCH); err != nil {
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
	median := func(program string) time.Duration {
		slices.Sort(starts[program])
		return starts[program][coldStarts/2]
	}
	for _, program := range programs {
		fmt.Fprintf(table, "cold start, median of %d\t%s\t%v\t%.2f\n", coldStarts, filepath.Base(program),
			median(program).Round(10*time.Microsecond), float64(median(program))/float64(median(hello)))
	}
	var base float64
	for _, program := range programs {
		_, resident, err := t.start(ctx, binaries[program], invocations)
		if err != nil {
			return err
		}
		if program == hello {
			base = resident
		}
		fmt.Fprintf(table, "resident after %d\t%s\t%.2f MB\t%.2f\n", invocations, filepath.Base(program), resident, resident/base)
	}
	return nil
}
