package main

import (
	"context"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"payout-callbacks/cmd/payoutctl/internal/cli"
)

// Main is the program, for scripts.
func Main() { main() }

// Run is run, without standard input and environment.
func Run(args []string, stdout, stderr io.Writer) int {
	return run(context.Background(), args, cli.Streams{Stdin: strings.NewReader(""), Stdout: stdout, Stderr: stderr}, func(string) string { return "" })
}

// RunOn is Run on the local stack that a file describes.
func RunOn(stack string, args []string, stdout, stderr io.Writer) int {
	streams := cli.Streams{Stdin: strings.NewReader(""), Stdout: stdout, Stderr: stderr}
	return run(context.Background(), append([]string{"--local"}, args...), streams, func(name string) string {
		if name == cli.StackVariable {
			return stack
		}
		return ""
	})
}

// Commands returns the commands and the help of each.
func Commands() map[string]string {
	commands := map[string]string{}
	for _, command := range kong.Must(&commandLine{}, names(), kong.ExplicitGroups(groups())).Model.Leaves(true) {
		commands[command.Path()] = command.Detail
	}
	return commands
}
