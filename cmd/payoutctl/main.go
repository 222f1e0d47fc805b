package main

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/find"
	"payout-callbacks/cmd/payoutctl/internal/repair"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], cli.Streams{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}, os.Getenv)
	stop()
	os.Exit(code)
}

// run parses args, runs the command and returns the exit code. With --stack, the AWS
// SDK reads its environment variables from the process, not from env.
func run(ctx context.Context, args []string, streams cli.Streams, env func(string) string) int {
	s := &cli.Session{Streams: streams, Env: env, Now: time.Now, Random: rand.Reader}
	isHelp := false
	var line commandLine
	parser, err := kong.New(&line,
		kong.Name("payoutctl"),
		kong.Description(description),
		kong.Writers(streams.Stdout, streams.Stderr),
		kong.Exit(func(int) { isHelp = true }),
		kong.ConfigureHelp(kong.HelpOptions{NoExpandSubcommands: true, WrapUpperBound: 110}),
		kong.Vars{"statuses": find.StatusNames(), "causes": repair.CauseNames(), "reasons": cli.HeldReasons(), "dlqMost": repair.DefaultDLQLimit, "when": cli.TimeHelp},
		kong.ExplicitGroups(groups()),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		return s.Report(err) // the grammar is invalid, which tests would report
	}
	command, err := parser.Parse(args)
	s.Flags = line.GlobalFlags
	switch {
	case isHelp:
		return cli.ExitDone
	case err != nil && negative(args) != "":
		return s.Report(cli.Usagef("see: "+helpFor(err), "%s: the number must be 1 or more", negative(args)))
	case err != nil:
		return s.Report(cli.Usagef("see: "+helpFor(err), "%w", err))
	}
	return s.Report(command.Run(s))
}

// helpFor returns the help command for an invalid command line.
func helpFor(err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context.Selected() != nil {
		return parse.Context.Selected().FullPath() + " --help"
	}
	return "payoutctl --help"
}

// negative returns the first argument that is a negative number: kong parses it as a
// flag.
func negative(args []string) string {
	for _, arg := range args {
		if n, err := strconv.Atoi(arg); err == nil && n < 0 {
			return arg
		}
	}
	return ""
}
