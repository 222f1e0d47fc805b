package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// Session is one invocation of the program: its flags, streams, clock and source
// of randomness.
type Session struct {
	Streams

	Flags  GlobalFlags
	Env    func(string) string
	Now    func() time.Time
	Random io.Reader
}

// Streams are standard input, output and error.
type Streams struct {
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
}

// Report prints an error with its hint and returns the exit code.
func (s *Session) Report(err error) int {
	if err == nil {
		return ExitDone
	}
	p := AsExitError(err)
	s.Notef("payoutctl: %s", Clean(p.Error()))
	if p.Hint != "" {
		s.Notef("  %s", p.Hint)
	}
	return p.Code
}

// Notef prints a remark for a person on standard error: standard output holds only
// what the command was asked for.
func (s *Session) Notef(format string, args ...any) {
	fmt.Fprintln(s.Stderr, visible(fmt.Sprintf(format, args...)))
}

// Print writes text to standard output.
func (s *Session) Print(text string) error {
	_, err := io.WriteString(s.Stdout, visible(text))
	return err
}

// PrintJSON writes a value as one line of JSON to standard output.
func (s *Session) PrintJSON(value any) error {
	line, err := JSONLine(value)
	if err != nil {
		return err
	}
	_, err = s.Stdout.Write(line)
	return err
}

// Style returns how text is formatted: with colours on a terminal only.
func (s *Session) Style() Style {
	plain := s.Env("NO_COLOR") != "" || s.Env("TERM") == "dumb" || !isTerminal(s.Stdout)
	return Style{Colours: !plain, Full: s.Flags.Full}
}

// Program returns the beginning of a command line for the same stack, for hints.
func (s *Session) Program() string {
	if s.Flags.Stack == "" {
		return "payoutctl --local"
	}
	parts := []string{"payoutctl", "--stack", s.Flags.Stack}
	if s.Flags.Region != "" {
		parts = append(parts, "--region", s.Flags.Region)
	}
	if s.Flags.Profile != "" {
		parts = append(parts, "--profile", s.Flags.Profile)
	}
	return strings.Join(parts, " ")
}

// Confirm asks before a change to a deployed stack. Without a terminal nobody can
// answer, so it returns an error that names --yes.
func (s *Session) Confirm(yes bool, question string) error {
	if yes || s.Flags.Stack == "" {
		return nil
	}
	if !isTerminal(s.Stdin) {
		return Usagef("add --yes to confirm", "%s needs to be confirmed, and standard input is not a terminal", question)
	}
	fmt.Fprintf(s.Stderr, "%s? Type yes: ", visible(question))
	var answer string
	if _, err := fmt.Fscanln(s.Stdin, &answer); err != nil || answer != "yes" {
		return Usagef("", "not confirmed; nothing was changed")
	}
	return nil
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
