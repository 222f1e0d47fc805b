package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"
)

// Exit codes; the documentation of the command describes them.
const (
	ExitDone    = 0
	exitNo      = 1
	exitUsage   = 2
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
	return &ExitError{Code: exitUsage, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// Negativef returns the error of a command whose result is negative: not found, or
// not as expected.
func Negativef(hint, format string, args ...any) error {
	return &ExitError{Code: exitNo, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// Failuref returns an error of a stack, of AWS or of the network.
func Failuref(hint, format string, args ...any) error {
	return &ExitError{Code: exitFailure, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// WithHint adds a hint to an error that has no hint yet.
func WithHint(hint string, err error) error {
	p := *AsExitError(err)
	if p.Hint == "" {
		p.Hint = hint
	}
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
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired":
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
	return service + ":" + operation.Operation()
}
