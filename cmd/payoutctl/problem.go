package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"
)

// Exit codes, see the command's documentation.
const (
	exitDone    = 0
	exitNo      = 1
	exitUsage   = 2
	exitFailure = 3
)

// problem is an error with the exit code that it means and what to do next.
type problem struct {
	code int
	err  error
	hint string
}

func (p *problem) Error() string { return p.err.Error() }
func (p *problem) Unwrap() error { return p.err }

func usage(hint, format string, args ...any) error {
	return &problem{code: exitUsage, hint: hint, err: fmt.Errorf(format, args...)}
}

func no(hint, format string, args ...any) error {
	return &problem{code: exitNo, hint: hint, err: fmt.Errorf(format, args...)}
}

func failure(hint, format string, args ...any) error {
	return &problem{code: exitFailure, hint: hint, err: fmt.Errorf(format, args...)}
}

// advised adds advice to an error for which there is none yet.
func advised(hint string, err error) error {
	p := *problemOf(err)
	if p.hint == "" {
		p.hint = hint
	}
	return &p
}

// problemOf says what an error means to the person who gets it. It decides by
// the codes of AWS, never by the text.
func problemOf(err error) *problem {
	if known, ok := errors.AsType[*problem](err); ok {
		return known
	}
	p := &problem{code: exitFailure, err: err}
	var operation *smithy.OperationError
	var api smithy.APIError
	switch {
	case errors.Is(err, context.Canceled):
		p.err = errors.New("interrupted")
	case errors.As(err, &operation) && errors.As(err, &api):
		p.err = fmt.Errorf("%s: %s", actionOf(operation), api.ErrorCode())
		p.hint = adviceOn(api.ErrorCode(), actionOf(operation))
	case errors.As(err, &operation):
		p.hint = "the network, or " + operation.Service() + ", does not answer: try again"
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
