package awsfault

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Fault handles one attempt of a request. It calls send or not, and returns what the
// client gets.
type Fault func(ctx context.Context, send Send) (Response, error)

// Send makes the attempt without a fault.
type Send func() (Response, error)

// Response is an HTTP response.
type Response = *smithyhttp.Response

// Faults after which the request is not applied, as AWS reports them.
var (
	ServerError  = newFault(http.StatusInternalServerError, "InternalServerError", "")
	Unavailable  = newFault(http.StatusServiceUnavailable, "ServiceUnavailable", "")
	Throttled    = newFault(http.StatusBadRequest, "ThrottlingException", "")
	OverCapacity = newFault(http.StatusBadRequest, "ProvisionedThroughputExceededException", "")
	// Denied stands for all errors that no retry can resolve.
	Denied = newFault(http.StatusBadRequest, "AccessDeniedException", "")
	// InConflict rejects a write because a transaction is writing its item.
	InConflict = newFault(http.StatusBadRequest, "TransactionConflictException", "")
	// InProgress rejects a transaction because one with the same token still runs.
	InProgress = newFault(http.StatusBadRequest, "TransactionInProgressException", "")
)

// Cut is a connection that breaks before the request arrives.
func Cut(context.Context, Send) (Response, error) {
	return noResponse(), &smithyhttp.RequestSendError{Err: &url.Error{Op: "Post", URL: "aws", Err: syscall.ECONNRESET}}
}

// Late is an attempt without a response within its timeout.
func Late(context.Context, Send) (Response, error) {
	return noResponse(), &smithyhttp.RequestSendError{Err: &url.Error{Op: "Post", URL: "aws", Err: os.ErrDeadlineExceeded}}
}

// Hang returns when the context of the caller ends.
func Hang(ctx context.Context, _ Send) (Response, error) {
	<-ctx.Done()
	return noResponse(), &smithy.CanceledError{Err: ctx.Err()}
}

// Applied sends the request, then returns the fault in place of the response.
func Applied(fault Fault) Fault {
	return func(ctx context.Context, send Send) (Response, error) {
		response, err := send()
		if err != nil {
			return response, fmt.Errorf("awsfault: the request itself failed: %w", err)
		}
		_ = response.Body.Close()
		return fault(ctx, send)
	}
}

// Cancelled cancels a transaction for the reasons, one per write, such as
// None, ConditionalCheckFailed and TransactionConflict.
func Cancelled(reasons ...string) Fault {
	var codes []string
	for _, reason := range reasons {
		codes = append(codes, fmt.Sprintf(`{"Code": %q}`, reason))
	}
	return newFault(http.StatusBadRequest, "TransactionCanceledException",
		fmt.Sprintf(`, "CancellationReasons": [%s]`, strings.Join(codes, ", ")))
}

// Sometimes applies the fault to every n-th attempt, beginning with the first.
func Sometimes(n int, fault Fault) Fault {
	var mu sync.Mutex
	count := 0
	return func(ctx context.Context, send Send) (Response, error) {
		mu.Lock()
		fails := count%n == 0
		count++
		mu.Unlock()
		if fails {
			return fault(ctx, send)
		}
		return send()
	}
}

// newFault returns a fault with an error of the protocol of DynamoDB and SQS.
func newFault(status int, code, rest string) Fault {
	body := fmt.Sprintf(`{"__type": "com.amazonaws#%s", "message": "injected"%s}`, code, rest)
	return func(context.Context, Send) (Response, error) {
		return &smithyhttp.Response{Response: &http.Response{
			StatusCode: status,
			Header:     http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
			Body:       io.NopCloser(strings.NewReader(body)),
		}}, nil
	}
}

func noResponse() Response {
	return &smithyhttp.Response{Response: &http.Response{Header: http.Header{}, Body: http.NoBody}}
}
