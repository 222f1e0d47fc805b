// Package cli holds what the commands of payoutctl share: the session with its
// streams and global flags, the stack that a command works on, output as text
// and as JSON, and errors with their exit codes. It knows no command.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"golang.org/x/term"

	"payout-callbacks/pkg/inbox"
)

// Session is one invocation of the program: its flags, streams and clock.
type Session struct {
	Streams

	Flags GlobalFlags
	Env   func(string) string
	Now   func() time.Time

	// RunLine parses and runs a command line with a session, and returns the exit code.
	RunLine func(ctx context.Context, s *Session, args []string) int
	// Opened is the stack that OpenStack returns, if it is set.
	Opened *Stack
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

// PrintResult writes the result of a command to standard output: as JSON with --json,
// as text otherwise.
func (s *Session) PrintResult(view any, text string) error {
	if s.Flags.JSON {
		return s.PrintJSON(view)
	}
	return s.Print(text)
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

// Approve asks before a change to a deployed stack, and returns who makes the change:
// the caller as AWS identifies them, with the reason.
func (s *Session) Approve(ctx context.Context, stack Stack, flags ChangeFlags, question string) (inbox.ChangedBy, error) {
	if err := s.Confirm(flags.Yes, question); err != nil {
		return inbox.ChangedBy{}, err
	}
	by := "the local stack's user"
	if !stack.Local {
		identity, err := sts.NewFromConfig(stack.AWS).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return inbox.ChangedBy{}, fmt.Errorf("get caller identity: %w", err)
		}
		by = aws.ToString(identity.Arn)
	}
	if person, err := user.Current(); err == nil && person.Username != "" {
		by += " (" + person.Username + ")"
	}
	return inbox.NewChangedBy(by, flags.Reason, s.Now()), nil
}

// StartProgress returns a function that prints the progress of long work on standard
// error: at most every second on a terminal, and every ten seconds elsewhere.
func (s *Session) StartProgress() func(format string, args ...any) {
	every := 10 * time.Second
	if isTerminal(s.Stderr) {
		every = time.Second
	}
	last := s.Now()
	return func(format string, args ...any) {
		if now := s.Now(); now.Sub(last) >= every {
			last = now
			s.Notef("… "+format, args...)
		}
	}
}

// Open opens a file, or standard input for the name -. what names its content in an error.
func (s *Session) Open(name, what string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(s.Stdin), nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, Usagef("", "read %s: %w", what, err)
	}
	return file, nil
}

// Poll calls try at intervals until it is done or fails. It returns false if it was not
// done within the timeout.
func Poll(ctx context.Context, interval, timeout time.Duration, try func() (done bool, err error)) (bool, error) {
	end := time.After(timeout)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if done, err := try(); done || err != nil {
			return done, err
		}
		select {
		case <-tick.C:
		case <-end:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// IsInteractive reports whether a person can answer a prompt.
func (s *Session) IsInteractive() bool { return isTerminal(s.Stdin) }

// Prompt asks for a value on the terminal. A secret is not shown while it is typed.
func (s *Session) Prompt(name string, isSecret bool) (string, error) {
	fmt.Fprintf(s.Stderr, "%s: ", name)
	file, ok := s.Stdin.(*os.File)
	if isSecret && ok {
		secret, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(s.Stderr)
		return strings.TrimSpace(string(secret)), err
	}
	var value string
	_, err := fmt.Fscanln(s.Stdin, &value)
	return value, err
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Exit codes; the documentation of the command describes them.
const (
	ExitDone    = 0
	ExitNo      = 1
	ExitUsage   = 2
	exitFailure = 3
)

// ExitError is an error with an exit code and a hint at what to do next.
type ExitError struct {
	Code int
	Err  error
	Hint string
}

// Error implements error.
func (p *ExitError) Error() string { return p.Err.Error() }

// Unwrap returns the error itself.
func (p *ExitError) Unwrap() error { return p.Err }

// Usagef returns an error about the command line.
func Usagef(hint, format string, args ...any) error {
	return &ExitError{Code: ExitUsage, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// Negativef returns the error of a command whose result is negative: not found, or
// not as expected.
func Negativef(hint, format string, args ...any) error {
	return &ExitError{Code: ExitNo, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// Failuref returns an error of a stack, of AWS or of the network.
func Failuref(hint, format string, args ...any) error {
	return &ExitError{Code: exitFailure, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// WithHint adds a hint to an error, behind the hint that it has.
func WithHint(hint string, err error) error {
	p := *AsExitError(err)
	if p.Hint != "" {
		p.Hint += "\n  "
	}
	p.Hint += hint
	return &p
}

// AsExitError returns the error with an exit code and, for an error of AWS, a hint.
// It decides by AWS's error codes, never by their text.
func AsExitError(err error) *ExitError {
	if known, ok := errors.AsType[*ExitError](err); ok {
		return known
	}
	p := &ExitError{Code: exitFailure, Err: err}
	var operation *smithy.OperationError
	var api smithy.APIError
	switch {
	case errors.Is(err, context.Canceled):
		p.Err = errors.New("interrupted")
	case errors.As(err, new(*ssocreds.InvalidTokenError)):
		p.Hint = hintFor("ExpiredToken", "")
	case errors.As(err, &operation) && errors.As(err, &api):
		p.Err = fmt.Errorf("%s: %s", actionName(operation), api.ErrorCode())
		p.Hint = hintFor(api.ErrorCode(), actionName(operation))
	case errors.As(err, &operation):
		p.Hint = "no answer from " + operation.Service() + ": check the network and try again"
	}
	return p
}

// hintFor returns what to do about an error code of AWS.
func hintFor(code, action string) string {
	switch code {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation":
		return "your AWS identity lacks the permission " + action + " on this stack; ask for it, or choose another --profile"
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired", "UnauthorizedException", "InvalidGrantException": // the last two: of IAM Identity Center
		return "your AWS session has ended: sign in again (aws sso login)"
	case "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch":
		return "AWS does not know these credentials: check AWS_PROFILE or --profile"
	case "ResourceNotFoundException":
		return "a resource of the stack does not exist: was it deleted, or is --region wrong?"
	case "ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded":
		return "AWS is limiting the rate: try again in a moment"
	}
	return ""
}

// actionName returns the name of an operation in IAM policies: dynamodb:Query.
func actionName(operation *smithy.OperationError) string {
	service := strings.ToLower(strings.ReplaceAll(operation.Service(), " ", ""))
	if service == "eventbridge" {
		service = "events"
	}
	if operation.Operation() == "Invoke" {
		return service + ":InvokeFunction"
	}
	return service + ":" + operation.Operation()
}
