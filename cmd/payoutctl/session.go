package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// session is one invocation: what a command is told and where it may write.
type session struct {
	streams

	flags  commandLine
	env    func(string) string
	now    func() time.Time
	random io.Reader
}

// streams are where a program reads and writes.
type streams struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

// report prints an error, with what to do about it, and returns the exit code.
func (s *session) report(err error) int {
	if err == nil {
		return exitDone
	}
	p := problemOf(err)
	s.notef("payoutctl: %s", clean(p.Error()))
	if p.hint != "" {
		s.notef("  %s", p.hint)
	}
	return p.code
}

// notef tells a person something that is not what was asked for.
func (s *session) notef(format string, args ...any) {
	fmt.Fprintln(s.stderr, visible(fmt.Sprintf(format, args...)))
}

func (s *session) print(text string) error {
	_, err := io.WriteString(s.stdout, visible(text))
	return err
}

// printJSON prints one object on one line.
func (s *session) printJSON(value any) error {
	line, err := jsonLine(value)
	if err != nil {
		return err
	}
	_, err = s.stdout.Write(line)
	return err
}

// style is how text is shown to this reader.
func (s *session) style() style {
	plain := s.env("NO_COLOR") != "" || s.env("TERM") == "dumb" || !isTerminal(s.stdout)
	return style{colours: !plain, full: s.flags.Full}
}

// self is the beginning of a command line for the same stack, for advice.
func (s *session) self() string {
	if s.flags.Stack == "" {
		return "payoutctl --local"
	}
	parts := []string{"payoutctl", "--stack", s.flags.Stack}
	if s.flags.Region != "" {
		parts = append(parts, "--region", s.flags.Region)
	}
	if s.flags.Profile != "" {
		parts = append(parts, "--profile", s.flags.Profile)
	}
	return strings.Join(parts, " ")
}

// confirm asks before something is changed outside the local stack. Where
// nobody can answer, it has to be said in advance.
func (s *session) confirm(yes bool, question string) error {
	if yes || s.flags.Stack == "" {
		return nil
	}
	if !isTerminal(s.stdin) {
		return usage("add --yes if that is meant", "%s needs to be confirmed, and nobody is there to ask", question)
	}
	fmt.Fprintf(s.stderr, "%s? Type yes: ", visible(question))
	var answer string
	if _, err := fmt.Fscanln(s.stdin, &answer); err != nil || answer != "yes" {
		return usage("", "not confirmed; nothing was done")
	}
	return nil
}

// isTerminal takes any character device for a terminal, which is enough to
// decide about colours and questions.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
