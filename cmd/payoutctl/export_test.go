package main

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"

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

// RunLine is runLine.
var RunLine = runLine

// parser parses command lines for ParseLine, which it resets each time.
var parser = sync.OnceValue(func() *kong.Kong {
	return kong.Must(&commandLine{}, names(), kong.ExplicitGroups(groups()), kong.BindTo(context.Background(), (*context.Context)(nil)))
})

// ParseLine returns the values of the flags and operands of a command line.
func ParseLine(args []string) (map[string][]string, error) {
	parsed, err := parser().Parse(args)
	if err != nil {
		return nil, err
	}
	values := map[string][]string{}
	for _, element := range parsed.Path {
		for _, value := range []*kong.Value{element.Positional, valueOf(element.Flag)} {
			if value == nil {
				continue
			}
			values[value.Name] = texts(value.Target)
		}
	}
	return values, nil
}

func valueOf(flag *kong.Flag) *kong.Value {
	if flag == nil {
		return nil
	}
	return flag.Value
}

func texts(value reflect.Value) []string {
	if value.Kind() != reflect.Slice {
		return []string{fmt.Sprint(value.Interface())}
	}
	var all []string
	for n := range value.Len() {
		all = append(all, fmt.Sprint(value.Index(n).Interface()))
	}
	return all
}

// Commands returns the commands and the help of each.
func Commands() map[string]string {
	commands := map[string]string{}
	for _, command := range kong.Must(&commandLine{}, names(), kong.ExplicitGroups(groups())).Model.Leaves(true) {
		commands[command.Path()] = command.Detail
	}
	return commands
}
