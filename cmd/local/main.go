// Command local runs the application on one machine: the real template.yaml, built and deployed by the real SAM CLI,
// onto an emulator that enforces the functions' IAM roles. It needs Go and Python, and no Docker.
//
//	go run ./cmd/local up            deploy, demonstrate, run until Ctrl-C
//	go run ./cmd/local exec -- CMD   deploy on a free port, run CMD, stop, exit with CMD's code
//	go run ./cmd/local invoke cregis invoke one function in a container, against a running stack
//	go run ./cmd/local tools         install the SAM CLI, cfn-lint and the emulator
//
// It cannot reach a real AWS account: its child processes get an environment from an allow-list (environment.go), and its
// clients have a fixed endpoint and fixed credentials (aws.go). All its files are in .local/.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
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
	parser := kong.Must(&cli, kong.Name("local"), kong.Description("The local stack of payout-callbacks."), kong.UsageOnError())
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
