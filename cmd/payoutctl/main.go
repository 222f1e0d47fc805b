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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}, os.Getenv)
	stop()
	os.Exit(code)
}

// run is the whole program: it does what args say and returns the exit code.
// The AWS SDK reads its own environment besides env, and only with --stack.
func run(ctx context.Context, args []string, streams streams, env func(string) string) int {
	s := &session{streams: streams, env: env, now: time.Now, random: rand.Reader}
	helped := false
	parser, err := kong.New(&s.flags,
		kong.Name("payoutctl"),
		kong.Description(description),
		kong.Writers(streams.stdout, streams.stderr),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{NoExpandSubcommands: true, WrapUpperBound: 110}),
		kong.Vars{"statuses": statusList(), "causes": causeList(), "reasons": reasonList(), "dlqMost": dlqMost, "when": whenHelp},
		kong.ExplicitGroups(groups()),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		return s.report(err) // the grammar itself is wrong: tests would have met it
	}
	command, err := parser.Parse(args)
	switch {
	case helped:
		return exitDone
	case err != nil && negative(args) != "":
		return s.report(usage("see: "+helpFor(err), "%s: a number is 1 or more", negative(args)))
	case err != nil:
		return s.report(usage("see: "+helpFor(err), "%w", err))
	}
	return s.report(command.Run(s))
}

// helpFor names the help of the command that a wrong command line got to.
func helpFor(err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context.Selected() != nil {
		return parse.Context.Selected().FullPath() + " --help"
	}
	return "payoutctl --help"
}

// negative returns the first argument that is a number below zero: the grammar
// takes it for a flag.
func negative(args []string) string {
	for _, arg := range args {
		if n, err := strconv.Atoi(arg); err == nil && n < 0 {
			return arg
		}
	}
	return ""
}
