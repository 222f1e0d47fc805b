package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// session is one invocation: what a command is told and where it may write.
type Session struct {
	Streams

	Flags  GlobalFlags
	Env    func(string) string
	Now    func() time.Time
	Random io.Reader
}

// streams are where a program reads and writes.
type Streams struct {
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
}

// report prints an error, with what to do about it, and returns the exit code.
func (s *Session) Report(err error) int {
	if err == nil {
		return ExitDone
	}
	p := AsProblem(err)
	s.Notef("payoutctl: %s", Clean(p.Error()))
	if p.Hint != "" {
		s.Notef("  %s", p.Hint)
	}
	return p.Code
}

// notef tells a person something that is not what was asked for.
func (s *Session) Notef(format string, args ...any) {
	fmt.Fprintln(s.Stderr, visible(fmt.Sprintf(format, args...)))
}

func (s *Session) Print(text string) error {
	_, err := io.WriteString(s.Stdout, visible(text))
	return err
}

// printJSON prints one object on one line.
func (s *Session) PrintJSON(value any) error {
	line, err := JSONLine(value)
	if err != nil {
		return err
	}
	_, err = s.Stdout.Write(line)
	return err
}

// style is how text is shown to this reader.
func (s *Session) Style() Style {
	plain := s.Env("NO_COLOR") != "" || s.Env("TERM") == "dumb" || !isTerminal(s.Stdout)
	return Style{Colours: !plain, Full: s.Flags.Full}
}

// self is the beginning of a command line for the same stack, for advice.
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

// confirm asks before something is changed outside the local stack. Where
// nobody can answer, it has to be said in advance.
func (s *Session) Confirm(yes bool, question string) error {
	if yes || s.Flags.Stack == "" {
		return nil
	}
	if !isTerminal(s.Stdin) {
		return Usagef("add --yes if that is meant", "%s needs to be confirmed, and nobody is there to ask", question)
	}
	fmt.Fprintf(s.Stderr, "%s? Type yes: ", visible(question))
	var answer string
	if _, err := fmt.Fscanln(s.Stdin, &answer); err != nil || answer != "yes" {
		return Usagef("", "not confirmed; nothing was done")
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
