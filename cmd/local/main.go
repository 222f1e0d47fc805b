// Command local runs the application on one machine: the real template.yaml, built and deployed by the real SAM CLI,
// onto an emulator that enforces the functions' IAM roles. It needs Go and Python, and no Docker.
//
//	go run ./cmd/local up            deploy, demonstrate, stay up until Ctrl-C
//	go run ./cmd/local exec -- CMD   deploy on a free port, run CMD against it, stop, pass CMD's exit code on
//	go run ./cmd/local invoke cregis one function in a container, against a stack that is up
//	go run ./cmd/local tools         only install the SAM CLI, cfn-lint and the emulator
//
// It can never reach a real AWS account: what it starts gets an environment built from an allow-list (environment.go),
// and its own clients have a fixed endpoint and fixed credentials (aws.go). Everything it keeps lies in .local/.
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
	Up     upCommand     `cmd:"" help:"Deploy onto the emulator, demonstrate, and stay up until Ctrl-C."`
	Exec   execCommand   `cmd:"" help:"Deploy on a free port, run a command against it, and stop."`
	Invoke invokeCommand `cmd:"" help:"Run one function in a container (sam local invoke) against a stack that is up."`
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

// untilStopped ends with a signal, and with the parent: a `go run` that is killed does not hand the signal on.
// Later signals are swallowed, so that an impatient second Ctrl-C leaves nothing running.
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

// exitCode prints what went wrong, unless a step or a command has already said so.
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
