package functions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/aws/apigateway"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/reconcile"
)

const (
	// expectReserve is the part of a function's time that is kept for the answer to an
	// expectation.
	expectReserve = 2 * time.Second
	// reconcileReserve is the part of the reconciler's time that is kept for releasing
	// accounts and for its log line.
	reconcileReserve = 5 * time.Second
)

// refusal is the body of an answer to an expectation that was not applied.
type refusal struct {
	Error string `json:"error"`
	Field string `json:"field,omitempty"`
}

// HandleExpected applies an expectation that one of our own services sends. The gateway
// verifies the signature and who may call (AWS_IAM). A request without a verified caller
// is refused all the same: it means that the route lost its authorization.
func (s Stack) HandleExpected(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	started := s.Now()
	expectCtx, cancel := inbox.WithReserve(ctx, expectReserve)
	defer cancel()
	result, err := s.expect(expectCtx, event)
	s.Recorder.RecordExpectation(ctx, result, s.Now().Sub(started), err)
	return expectationResponse(result, err)
}

// errNoCaller means that the gateway passed a request without a verified caller.
var errNoCaller = errors.New("the request is not signed: sign it with AWS Signature Version 4")

func (s Stack) expect(ctx context.Context, event events.APIGatewayV2HTTPRequest) (reconcile.ExpectResult, error) {
	authorizer := event.RequestContext.Authorizer
	if authorizer == nil || authorizer.IAM == nil || authorizer.IAM.UserARN == "" {
		return reconcile.ExpectResult{}, errNoCaller
	}
	body, _ := apigateway.Body(event)
	return s.Expecter.Expect(ctx, body, authorizer.IAM.UserARN)
}

func expectationResponse(result reconcile.ExpectResult, err error) (events.APIGatewayV2HTTPResponse, error) {
	refused, isRefused := errors.AsType[*reconcile.FieldError](err)
	switch {
	case isRefused:
		return jsonResponse(http.StatusBadRequest, refusal{refused.Problem, refused.Field})
	case errors.Is(err, errNoCaller):
		return jsonResponse(http.StatusForbidden, refusal{Error: err.Error()})
	case err != nil: // the caller learns nothing of our fault
		return jsonResponse(http.StatusServiceUnavailable, refusal{Error: "not applied: send the same expectation again"})
	case result.Result == reconcile.ExpectConflict:
		return jsonResponse(http.StatusConflict, result)
	}
	return jsonResponse(http.StatusOK, result)
}

func jsonResponse(code int, body any) (events.APIGatewayV2HTTPResponse, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, fmt.Errorf("encode answer: %w", err)
	}
	return events.APIGatewayV2HTTPResponse{
		StatusCode: code, Body: string(text), Headers: map[string]string{"Content-Type": "application/json"},
	}, nil
}

// HandleReconcile asks providers about payouts. The schedule sends an empty request: a
// run asks about what is due and returns a reconcile.RunResult. An operator's request
// names payouts or asks to check the accounts, and returns a reconcile.AskResponse. A
// provider that cannot be reached is an outcome and not an error.
func (s Stack) HandleReconcile(ctx context.Context, request reconcile.AskRequest) (any, error) {
	started := s.Now()
	runCtx, cancel := inbox.WithReserve(ctx, reconcileReserve)
	defer cancel()
	if len(request.Payouts) > 0 || request.Accounts {
		response, err := s.Reconciler.Ask(runCtx, request)
		s.Recorder.RecordAsk(ctx, response, s.Now().Sub(started), err)
		return response, err
	}
	result, err := s.Reconciler.Run(runCtx)
	accounts, statesErr := s.Reconciler.Accounts.States(runCtx)
	if statesErr != nil {
		err = errors.Join(err, fmt.Errorf("read states of accounts: %w", statesErr))
	}
	s.Recorder.RecordReconcile(ctx, result, accounts, s.Now().Sub(started), err)
	return result, err
}
