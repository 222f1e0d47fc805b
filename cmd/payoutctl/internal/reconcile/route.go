package reconcile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/send"
	"payout-callbacks/pkg/reconcile"
)

const (
	outputExpected = "ExpectedPayoutsUrl"
	// answerTimeout bounds the wait for an answer, also of a cold function.
	answerTimeout = 30 * time.Second
	// maxAnswer bounds an answer; each conflict states at most eight values.
	maxAnswer = 1 << 20
)

// Errors that concern all expectations.
var (
	errForbidden = errors.New("the API refuses your identity: 403")
	errNoRoute   = errors.New("the API has no route for expected payouts: 404")
)

// route is the route that accepts expectations. A request is signed with the operator's
// credentials for API Gateway (AWS Signature Version 4).
type route struct {
	stack  cli.Stack
	client *http.Client
	url    string
	now    func() time.Time
}

// newRoute returns the route of a stack. The URL in the outputs of a local stack has the
// host name of AWS.
func newRoute(s *cli.Session, stack cli.Stack) (route, error) {
	url := strings.TrimRight(stack.APIURL, "/") + "/expected-payouts"
	if !stack.Local {
		var err error
		if url, err = stack.Output(outputExpected); err != nil {
			return route{}, err
		}
	}
	return route{stack, send.NewClient(stack), url, s.Now}, nil
}

// post sends an expectation. The error is a *reconcile.FieldError if it is refused.
func (r route) post(ctx context.Context, expectation reconcile.Expectation) (reconcile.ExpectResult, error) {
	var result reconcile.ExpectResult
	body, err := json.Marshal(expectation)
	if err != nil {
		return result, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	request, err := r.sign(ctx, body)
	if err != nil {
		return result, err
	}
	response, err := r.client.Do(request)
	if err != nil {
		return result, cli.Failuref("is the stack up? A local one is started with: make run", "send expectation: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return result, cli.Failuref("send it again: the same again changes nothing", "read answer: %w", err)
	}
	return decodeAnswer(response.StatusCode, answer)
}

// decodeAnswer returns the result that an answer states.
func decodeAnswer(code int, answer []byte) (reconcile.ExpectResult, error) {
	var result reconcile.ExpectResult
	var refused struct {
		Error string `json:"error"`
		Field string `json:"field"`
	}
	switch {
	case code == http.StatusForbidden:
		return result, cli.Failuref("you need the permission execute-api:Invoke on the resource of output ExpectedPayoutsArn", "send expectation: %w", errForbidden)
	case code == http.StatusNotFound:
		return result, cli.Failuref("deploy the template of this version", "send expectation: %w", errNoRoute)
	case code == http.StatusBadRequest && json.Unmarshal(answer, &refused) == nil && refused.Error != "":
		return result, &reconcile.FieldError{Field: refused.Field, Problem: refused.Error}
	case code != http.StatusOK && code != http.StatusConflict, json.Unmarshal(answer, &result) != nil, result.Payout == "":
		return result, cli.Failuref("send it again: the same again changes nothing", "the API answered HTTP %d", code)
	}
	return result, nil
}

// sign returns the signed request.
func (r route) sign(ctx context.Context, body []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return nil, cli.Failuref("the URL of the stack is not a URL", "send expectation: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	credentials, err := r.stack.AWS.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("read AWS credentials: %w", err)
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), "execute-api", r.stack.AWS.Region, r.now()); err != nil {
		return nil, fmt.Errorf("sign expectation: %w", err)
	}
	return request, nil
}
