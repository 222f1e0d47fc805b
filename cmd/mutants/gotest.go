package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// testTimeout ends a mutant that hangs; the slowest package needs a quarter of it.
const testTimeout = 2 * time.Minute

// tested is what tests said.
type tested struct {
	failed bool
	folder string // of the package that failed first, from the root of the module
	by     string // the test that failed first; "" where none had begun
	output string // what was printed by then
}

// goTest runs the tests of packages of the module in dir. Paths are trimmed
// so that all copies share what was compiled for one, and vet is off because a
// mutant has to be caught by what it does.
func goTest(ctx context.Context, dir string, packagesAndFlags ...string) (tested, error) {
	args := []string{"test", "-json", "-trimpath", "-vet=off", "-failfast", "-count=1", "-timeout=" + testTimeout.String()}
	cmd := exec.CommandContext(ctx, "go", append(args, packagesAndFlags...)...)
	cmd.Dir = dir
	// A test binary outlives a go command that is killed alone.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	events, err := cmd.StdoutPipe()
	if err != nil {
		return tested{}, err
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return tested{}, err
	}
	told, readErr := read(events)
	exitErr := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return tested{}, ctx.Err()
	case readErr != nil:
		return tested{}, fmt.Errorf("read the events of go test: %w\n%s", readErr, stderr.String())
	case exitErr != nil && !told.failed:
		return tested{failed: true, output: stderr.String() + exitErr.Error()}, nil
	}
	return told, nil
}

// only is the flag that runs one test.
func only(test string) string {
	parts := strings.Split(test, "/")
	for n, part := range parts {
		parts[n] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return "-run=" + strings.Join(parts, "/")
}

// event is one line of go test -json; see go doc test2json.
type event struct {
	Action      string `json:"Action"`
	Package     string `json:"Package"`
	Test        string `json:"Test"`
	Output      string `json:"Output"`
	FailedBuild string `json:"FailedBuild"`
}

// read finds the test that failed first, the innermost of nested ones. A test
// binary that dies, of a panic outside the test's own goroutine or of its
// timeout, names none: then it was the one that had begun last.
func read(events io.Reader) (tested, error) {
	var told tested
	var running []string
	var output strings.Builder
	decoder := json.NewDecoder(events)
	for {
		var one event
		if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
			return told, nil
		} else if err != nil {
			return told, err
		}
		switch {
		case one.Action == "output" || one.Action == "build-output":
			output.WriteString(one.Output)
		case one.Action == "run":
			running = append(running, one.Test)
		case one.Action == "fail" && !told.failed:
			told = failureOf(one, running, output.String())
		}
		if one.Action == "pass" || one.Action == "skip" || one.Action == "fail" {
			running = slices.DeleteFunc(running, func(name string) bool { return name == one.Test })
		}
	}
}

func failureOf(one event, running []string, output string) tested {
	_, inside, _ := strings.Cut(one.Package, "/")
	told := tested{failed: true, folder: "./" + inside, output: output}
	switch {
	case one.Test != "":
		told.by = one.Test
	case one.FailedBuild == "" && len(running) > 0:
		told.by = running[len(running)-1]
	}
	return told
}
