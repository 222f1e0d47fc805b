// Command payoutctl operates payout-callbacks: the local stack that `make run`
// starts, and stacks that `sam deploy` deploys.
//
// Results go to standard output, everything else to standard error. With --json,
// each result is one JSON object per line, unshortened; without it, addresses are
// shortened unless --full is given. Keys are never printed, only their ids. Control
// characters in text of a provider are escaped, so that it cannot control the
// terminal. With --local the user's AWS configuration is not read.
//
// The commands are in internal/find, internal/repair, internal/prove and
// internal/operate, as the help groups them; the help also lists the exit codes.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"reflect"
	"regexp"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"payout-callbacks/cmd/payoutctl/internal/cli"
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
	return runLine(ctx, &cli.Session{Streams: streams, Env: env, Now: time.Now, RunLine: runLine}, args)
}

// runLine is run with a session, which the console has for each command that it runs.
func runLine(ctx context.Context, s *cli.Session, args []string) int {
	isHelp := false
	var line commandLine
	parser, err := kong.New(&line,
		kong.Name("payoutctl"),
		kong.Description(description),
		kong.Writers(s.Stdout, s.Stderr),
		kong.Exit(func(int) { isHelp = true }),
		kong.ConfigureHelp(kong.HelpOptions{NoExpandSubcommands: true, WrapUpperBound: 110}),
		kong.ValueFormatter(describeValue),
		names(),
		kong.ExplicitGroups(groups()),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.BindToProvider(func() (cli.Stack, error) { return s.OpenStack(ctx) }),
	)
	if err != nil {
		return s.Report(err) // the grammar is invalid, which tests would report
	}
	command, err := parser.Parse(args)
	s.Flags = line.GlobalFlags
	switch {
	case isHelp:
		return cli.ExitDone
	case err != nil:
		return s.Report(usageError(err))
	}
	if err = check(s, command.Selected().Target.Addr()); err == nil {
		err = command.Run(s)
	}
	return s.Report(err)
}

// describeValue returns the help text of a flag or an argument, with its default. A switch
// is off by default, which needs no words.
func describeValue(value *kong.Value) string {
	if !value.HasDefault || value.IsBool() {
		return value.Help
	}
	return value.Help + " Default: " + value.Default + "."
}

var (
	// placeholder matches the flag in an error of kong, with the placeholder of its value.
	placeholder = regexp.MustCompile(`^(--[a-z-]+)=[^:]*:`)
	// hyphenated matches kong's error about a flag whose value begins with a hyphen.
	hyphenated = regexp.MustCompile(`^(--[a-z-]+): expected .* value but got "(.*)" \((?:short|long) flag\)`)
)

// usageError returns the error of kong about a command line in the words of this program.
func usageError(err error) error {
	if texts := hyphenated.FindStringSubmatch(err.Error()); texts != nil {
		return cli.Usagef("if it is the value: "+texts[1]+"="+cli.Quote(texts[2])+"\n  see: "+helpFor(err),
			"%s has no value: %s is read as a flag", texts[1], texts[2])
	}
	return cli.Usagef("see: "+helpFor(err), "%s", placeholder.ReplaceAllString(err.Error(), "$1:"))
}

// check returns an error if the flags of a command do not fit together. A check whose
// hints contain command lines for the stack takes the session.
func check(s *cli.Session, command reflect.Value) error {
	if flags, ok := reflect.TypeAssert[interface{ Check() error }](command); ok {
		return flags.Check()
	}
	if flags, ok := reflect.TypeAssert[interface{ Check(s *cli.Session) error }](command); ok {
		return flags.Check(s)
	}
	return nil
}

// helpFor returns the help command for an invalid command line.
func helpFor(err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context.Selected() != nil {
		return parse.Context.Selected().FullPath() + " --help"
	}
	return "payoutctl --help"
}
