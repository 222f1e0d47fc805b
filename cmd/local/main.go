// Command local runs the application on one machine: the real template.yaml, built and deployed by the real SAM CLI,
// onto an emulator that enforces the functions' IAM roles. It needs Go and Python, and no Docker.
//
//	go run ./cmd/local up            deploy, demonstrate, run until Ctrl-C
//	go run ./cmd/local exec -- CMD   deploy on a free port, run CMD, stop, exit with CMD's code
//	go run ./cmd/local invoke cregis invoke one function in a container, against a running stack
//	go run ./cmd/local tools         install the SAM CLI, cfn-lint and the emulator
//
// It cannot reach a real AWS account: its child processes get an environment from an allow-list, and its
// clients have a fixed endpoint and fixed credentials (environment.go). All its files are in .local/.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"payout-callbacks/pkg/ops/terminal"
)

type commands struct {
	Up     upCommand     `cmd:"" help:"Deploy to the emulator, demonstrate, and run until Ctrl-C."`
	Exec   execCommand   `cmd:"" help:"Deploy on a free port, run a command against it, and stop."`
	Invoke invokeCommand `cmd:"" help:"Invoke one function in a container (sam local invoke) against a running stack."`
	Tools  toolsCommand  `cmd:"" help:"Install the SAM CLI, cfn-lint and the emulator into .local/venv."`
}

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	var cli commands
	parser := kong.Must(&cli, kong.Name("local"), kong.Description("The local stack of payout-callbacks."), kong.UsageOnError(),
		kong.Vars{"functions": strings.Join(functionFolders(), ", ")})
	selected, err := parser.Parse(args)
	parser.FatalIfErrorf(err)

	ctx, stop := untilStopped()
	defer stop()
	selected.BindTo(ctx, (*context.Context)(nil))
	return exitCode(selected.Run())
}

// untilStopped returns a context that ends with a signal or with the parent process: a killed `go run` forwards no signal.
// Later signals are ignored, so that a second Ctrl-C does not interrupt the cleanup.
func untilStopped() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(ctx)
	parent := os.Getppid()
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if os.Getppid() != parent {
					cancel()
				}
			}
		}
	}()
	return ctx, func() { cancel(); stop() }
}

// exitCode returns the exit code, and prints errors that no step or command has printed.
func exitCode(err error) int {
	var status *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled):
		return 130
	case errors.Is(err, errReported):
		return 1
	case errors.As(err, &status) && status.ExitCode() > 0:
		return status.ExitCode()
	default:
		fmt.Fprintln(os.Stderr, "local:", err)
		return 1
	}
}

// errReported means that the failure has been printed.
var errReported = errors.New("reported")

// hinted is an error with a hint for the developer.
type hinted struct {
	error

	hint string
}

func (h hinted) Unwrap() error { return h.error }

func withHint(err error, hint string) error { return hinted{err, hint} }

// A step takes time or may fail on the way to a running stack.
type step struct {
	name string
	run  func(ctx context.Context) error
	hint string // used if the error has none
}

// progress shows steps: as a moving line on a terminal, as two lines elsewhere.
type progress struct {
	out io.Writer
}

func (p progress) runAll(ctx context.Context, steps []step) error {
	for _, s := range steps {
		if err := p.runOne(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (p progress) runOne(ctx context.Context, s step) error {
	begin := time.Now()
	if !terminal.CanMove(p.out) {
		p.printf("· %s …", s.name)
	}
	stopLine := terminal.ShowLine(p.out, func() string { return fmt.Sprintf("%s (%d s)", s.name, int(time.Since(begin).Seconds())) })
	err := s.run(ctx)
	stopLine()
	took := time.Since(begin).Round(100 * time.Millisecond)
	switch {
	case err == nil:
		p.printf("✓ %s (%s)", s.name, took)
		return nil
	case ctx.Err() != nil:
		p.printf("  %s: stopped", s.name)
		return context.Canceled
	}
	p.printf("✗ %s failed after %s", s.name, took)
	p.printf("  %s", strings.ReplaceAll(err.Error(), "\n", "\n  "))
	hint := s.hint
	if h, ok := errors.AsType[hinted](err); ok {
		hint = h.hint
	}
	if hint != "" {
		p.printf("  hint: %s", hint)
	}
	return errReported
}

func (p progress) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(p.out, format+"\n", args...)
}
