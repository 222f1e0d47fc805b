// Command mutants breaks what ships on purpose, one small way at a time, and
// runs the ordinary tests on each breakage: a rule that no test holds is a rule
// that the next change may break unseen.
//
//	.local/bin/local exec -- go run ./cmd/mutants              all of them (make mutants)
//	go run ./cmd/mutants --only 'the last writer wins'         one that needs no emulator
//
// The breakages are the tables in table_*.go. Each is a patch to a copy of the
// tree; the tree itself is never touched. A mutant is caught when a test fails,
// survives when all pass, and is broken when its patch does not apply or does
// not compile: that counts as badly as a survivor, because it proves nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitCaught = 0
	exitEscape = 1 // a mutant survived or is broken
	exitUsage  = 2
	exitFailed = 3 // nothing can be said: the tests are red as they are, or cannot run
)

const description = `Breaks the shipping code on purpose, in a copy, and runs the ordinary tests on each breakage. All must be caught.

Exit codes: 0 every mutant was caught by a test; 1 one survived, or its patch is out of date; 2 usage; 3 the tests fail or cannot run even without a mutant.`

type commandLine struct {
	Only []string `help:"Only the mutants whose name contains one of these." placeholder:"NAME" sep:"none"`
	JSON bool     `name:"json" help:"Print JSON, one object for each mutant a line."`
	List bool     `help:"Print the mutants and run nothing."`
	Jobs int      `help:"How many mutants to run side by side." default:"2"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program: it does what args say and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var flags commandLine
	helped := false
	parser := kong.Must(&flags, kong.Name("mutants"), kong.Description(description),
		kong.Writers(stdout, stderr), kong.Exit(func(int) { helped = true }))
	_, err := parser.Parse(args)
	if helped {
		return exitCaught
	}
	chosen := choose(flags.Only)
	switch {
	case err == nil && len(chosen) == 0:
		err = fmt.Errorf("no mutant's name contains %s; see --list", strings.Join(flags.Only, " or "))
	case err == nil && flags.Jobs < 1:
		err = errors.New("--jobs is at least 1")
	}
	if err != nil {
		fmt.Fprintln(stderr, "mutants:", err)
		return exitUsage
	}
	var results []result
	if flags.List {
		results = untried(chosen)
	} else if results, err = hunt(ctx, chosen, flags.Jobs, stderr); err != nil {
		fmt.Fprintln(stderr, "mutants:", err)
		return exitFailed
	}
	if err := printResults(stdout, results, flags.JSON); err != nil {
		fmt.Fprintln(stderr, "mutants:", err)
		return exitFailed
	}
	return exitCode(results)
}

func choose(only []string) []mutant {
	return slices.DeleteFunc(slices.Clone(table), func(m mutant) bool {
		return len(only) > 0 && !slices.ContainsFunc(only, func(part string) bool { return strings.Contains(m.name, part) })
	})
}

// hunt tries the mutants on copies of the module that it is run in.
func hunt(ctx context.Context, mutants []mutant, jobs int, stderr io.Writer) ([]result, error) {
	if err := checkEndpoints(mutants, os.Getenv); err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	root := filepath.Dir(strings.TrimSpace(string(out)))
	if err != nil || root == "." {
		return nil, errors.New("run it in the repository: there is no go.mod here or above")
	}
	hunter := hunter{root: root, jobs: jobs, show: showOn(stderr, len(mutants))}
	return hunter.hunt(ctx, mutants)
}

// endpoints are what the suites of the adapters ask for. Without one they are
// skipped, and a skipped test catches nothing.
var endpoints = map[string]string{
	"./pkg/dynamostore": "AWS_ENDPOINT_URL_DYNAMODB",
	"./pkg/sqsqueue":    "AWS_ENDPOINT_URL_SQS",
}

func needsEmulator(folder string) bool { return endpoints[folder] != "" }

func checkEndpoints(mutants []mutant, getenv func(string) string) error {
	for _, one := range mutants {
		for _, folder := range one.packages() {
			if variable := endpoints[folder]; variable != "" && getenv(variable) == "" {
				return fmt.Errorf("%s names no emulator, which the tests of %s need; make mutants starts one", variable, folder)
			}
		}
	}
	return nil
}

func exitCode(results []result) int {
	for _, one := range results {
		if one.Verdict == survived || one.Verdict == broken {
			return exitEscape
		}
	}
	return exitCaught
}
