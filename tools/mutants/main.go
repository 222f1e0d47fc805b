// Command mutants changes the shipped code so that it breaks an invariant, and
// runs the tests on each change. The changes are in mutants.txt. A mutant is
// caught if a test fails. The command fails if a mutant survives, does not apply
// or does not compile.
//
//	make mutants                         all mutants, on the local stack
//	make mutants ONLY='last writer'      the mutants whose name contains the text
//
// Each patch is applied to a copy of the module.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// mutant is one patch. The file contains Old exactly once.
type mutant struct {
	Name     string
	Breaks   string // an invariant of docs/STATES.md
	File     string
	Old, New string
	Tests    []string // packages whose tests run after those of the file's package
}

const (
	caught   = "caught"
	survived = "SURVIVED"
	broken   = "BROKEN"
)

// The command exits with 1 if a mutant survives or is broken, and with 3 if it
// could not run the mutants.
func main() { os.Exit(runCommand()) }

func runCommand() int {
	only := flag.String("only", "", "run the mutants whose name contains this `text`")
	jobs := flag.Int("jobs", 2, "mutants at once")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	escaped, err := run(ctx, *only, *jobs)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		return 3
	}
	return min(escaped, 1)
}

// load reads the mutants of a module.
func load(root string) ([]mutant, error) {
	text, err := os.ReadFile(filepath.Join(root, "tools", "mutants", "mutants.txt"))
	if err != nil {
		return nil, err
	}
	var mutants []mutant
	for _, block := range strings.Split(string(text), "\nmutant ")[1:] {
		head, patch, ok := strings.Cut(block, "\n<<<<\n")
		before, after, split := strings.Cut(patch, "\n====\n")
		after, _, ended := strings.Cut(after, "\n>>>>")
		name, fields, _ := strings.Cut(head, "\n")
		if !ok || !split || !ended {
			return nil, fmt.Errorf("mutants.txt: %s: no patch of the form <<<< ==== >>>>", name)
		}
		m := mutant{Name: name, Old: before, New: after}
		for line := range strings.Lines(fields) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch key {
			case "breaks":
				m.Breaks = value
			case "file":
				m.File = value
			case "tests":
				m.Tests = strings.Fields(value)
			default:
				return nil, fmt.Errorf("mutants.txt: %s: unknown line %q", name, key)
			}
		}
		mutants = append(mutants, m)
	}
	return mutants, nil
}

// run returns the number of mutants that no test caught.
func run(ctx context.Context, only string, jobs int) (escaped int, err error) {
	root, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	mutants, err := load(root)
	if err != nil {
		return 0, err
	}
	selected := mutants[:0]
	for _, m := range mutants {
		if strings.Contains(m.Name, only) {
			selected = append(selected, m)
		}
	}
	if len(selected) == 0 {
		return 0, fmt.Errorf("no mutant's name contains %q", only)
	}
	for _, variable := range []string{"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS"} {
		if os.Getenv(variable) == "" {
			return 0, fmt.Errorf("%s is not set, and skipped tests catch nothing: run make mutants", variable)
		}
	}
	return runAll(ctx, root, selected, jobs)
}

// runAll runs the tests without a mutant, then each mutant on one of the copies.
func runAll(ctx context.Context, root string, mutants []mutant, jobs int) (escaped int, err error) {
	copies := make(chan string, jobs)
	for range jobs {
		dir, err := copyModule(root)
		if err != nil {
			return 0, fmt.Errorf("copy the module: %w", err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		copies <- dir
	}
	dir := <-copies
	if test, output := runTests(ctx, dir, packages(mutants...)...); test != "" {
		return 0, fmt.Errorf("without a mutant, %s fails:\n%s", test, output)
	}
	copies <- dir

	results := make([]string, len(mutants))
	var running sync.WaitGroup
	var printing sync.Mutex
	for i, m := range mutants {
		dir := <-copies
		running.Go(func() {
			begun := time.Now()
			verdict, by := m.run(ctx, dir)
			copies <- dir
			results[i] = verdict
			printing.Lock()
			defer printing.Unlock()
			fmt.Printf("%-8s %-3s %s: %s (%.0f s)\n", verdict, m.Breaks, m.Name, by, time.Since(begun).Seconds())
		})
	}
	running.Wait()
	count := map[string]int{}
	for _, verdict := range results {
		count[verdict]++
	}
	fmt.Printf("%d mutants: %d caught, %d survived, %d broken\n", len(mutants), count[caught], count[survived], count[broken])
	return count[survived] + count[broken], ctx.Err()
}

// packages lists the packages whose tests the mutants need.
func packages(mutants ...mutant) []string {
	var all []string
	seen := map[string]bool{}
	for _, m := range mutants {
		tests := m.Tests
		if strings.HasSuffix(m.File, ".go") {
			tests = append([]string{"./" + filepath.ToSlash(filepath.Dir(m.File))}, tests...)
		}
		for _, test := range tests {
			if !seen[test] {
				all = append(all, test)
			}
			seen[test] = true
		}
	}
	return all
}

// run applies a mutant to a copy, tests it, and restores the copy.
func (m mutant) run(ctx context.Context, dir string) (verdict, by string) {
	restore, err := m.apply(dir)
	if err != nil {
		return broken, err.Error()
	}
	defer restore()
	if output, err := command(ctx, dir, "build", "./...").CombinedOutput(); err != nil {
		return broken, "does not compile: " + string(output)
	}
	for _, folder := range packages(m) {
		// Tests on the emulator may fail on a busy machine, so a failure must repeat.
		test, _ := runTests(ctx, dir, folder)
		if test != "" {
			if test, _ = runTests(ctx, dir, folder); test != "" {
				return caught, folder + " " + test
			}
		}
	}
	return survived, "no test fails"
}

// apply patches the copy of the module in dir.
func (m mutant) apply(dir string) (restore func(), err error) {
	name := filepath.Join(dir, filepath.FromSlash(m.File))
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if n := strings.Count(string(text), m.Old); n != 1 {
		return nil, fmt.Errorf("the old text is %d times in %s, want once", n, m.File)
	}
	patched := strings.Replace(string(text), m.Old, m.New, 1)
	return func() { _ = os.WriteFile(name, text, 0o600) }, os.WriteFile(name, []byte(patched), 0o600)
}

// command returns a go command in its own process group, so that test binaries end with it.
func command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// runTests returns the first test that fails, or "". Trimmed paths let the copies
// share compiled packages.
func runTests(ctx context.Context, dir string, folders ...string) (failed, output string) {
	args := append([]string{"test", "-trimpath", "-vet=off", "-failfast", "-count=1", "-timeout=3m"}, folders...)
	text, err := command(ctx, dir, args...).CombinedOutput()
	if err == nil {
		return "", ""
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "--- FAIL: "); ok {
			name, _, _ = strings.Cut(name, " ")
			return name, string(text)
		}
	}
	return "a test that panics or times out", string(text)
}

// copyModule copies the module without its hidden folders to a temporary folder.
func copyModule(root string) (string, error) {
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return "", err
	}
	files := exec.Command("sh", "-c", `tar -C "$1" --exclude='./.[a-z]*' -cf - . | tar -C "$2" -xf -`, "sh", root, dir)
	if output, err := files.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("%w: %s", err, output)
	}
	return dir, nil
}
