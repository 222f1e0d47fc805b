package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"
)

// Exit codes, see the command's documentation.
const (
	ExitDone    = 0
	exitNo      = 1
	exitUsage   = 2
	exitFailure = 3
)

// problem is an error with the exit code that it means and what to do next.
type Problem struct {
	Code int
	Err  error
	Hint string
}

func (p *Problem) Error() string { return p.Err.Error() }
func (p *Problem) Unwrap() error { return p.Err }

func Usagef(hint, format string, args ...any) error {
	return &Problem{Code: exitUsage, Hint: hint, Err: fmt.Errorf(format, args...)}
}

func Negativef(hint, format string, args ...any) error {
	return &Problem{Code: exitNo, Hint: hint, Err: fmt.Errorf(format, args...)}
}

func Failuref(hint, format string, args ...any) error {
	return &Problem{Code: exitFailure, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// advised adds advice to an error for which there is none yet.
func WithHint(hint string, err error) error {
	p := *AsProblem(err)
	if p.Hint == "" {
		p.Hint = hint
	}
	return &p
}

// problemOf says what an error means to the person who gets it. It decides by
// the codes of AWS, never by the text.
func AsProblem(err error) *Problem {
	if known, ok := errors.AsType[*Problem](err); ok {
		return known
	}
	p := &Problem{Code: exitFailure, Err: err}
	var operation *smithy.OperationError
	var api smithy.APIError
	switch {
	case errors.Is(err, context.Canceled):
		p.Err = errors.New("interrupted")
	case errors.As(err, &operation) && errors.As(err, &api):
		p.Err = fmt.Errorf("%s: %s", actionOf(operation), api.ErrorCode())
		p.Hint = adviceOn(api.ErrorCode(), actionOf(operation))
	case errors.As(err, &operation):
		p.Hint = "the network, or " + operation.Service() + ", does not answer: try again"
	}
	return p
}

// adviceOn says what to do about an error code of AWS.
func adviceOn(code, action string) string {
	switch code {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation":
		return "your AWS identity lacks the permission " + action + " on this stack; ask for it, or choose another --profile"
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired":
		return "your AWS session has ended: sign in again (aws sso login)"
	case "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch":
		return "AWS does not know these credentials: check AWS_PROFILE or --profile"
	case "ResourceNotFoundException":
		return "what the stack names is gone: was it deleted, or is this the wrong --region?"
	case "ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded":
		return "AWS is limiting the rate: try again in a moment"
	}
	return ""
}

// actionOf names an operation as a policy would: dynamodb:Query.
func actionOf(operation *smithy.OperationError) string {
	service := strings.ToLower(strings.ReplaceAll(operation.Service(), " ", ""))
	if service == "eventbridge" {
		service = "events"
	}
	return service + ":" + operation.Operation()
}
