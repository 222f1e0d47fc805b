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

// Fault is what becomes of one attempt of a request: it calls send, or does
// not, and returns what the client is to see.
type Fault func(ctx context.Context, send Send) (Response, error)

// Send makes the attempt, as it would be made without a fault.
type Send func() (Response, error)

// Response is an answer as it comes over HTTP.
type Response = *smithyhttp.Response

// Faults of which the request was never applied, as AWS words them.
var (
	ServerError  = answer(http.StatusInternalServerError, "InternalServerError", "")
	Unavailable  = answer(http.StatusServiceUnavailable, "ServiceUnavailable", "")
	Throttled    = answer(http.StatusBadRequest, "ThrottlingException", "")
	OverCapacity = answer(http.StatusBadRequest, "ProvisionedThroughputExceededException", "")
	// Denied stands for all that no retry can mend.
	Denied = answer(http.StatusBadRequest, "AccessDeniedException", "")
	// InConflict refuses a single write because a transaction holds its item.
	InConflict = answer(http.StatusBadRequest, "TransactionConflictException", "")
	// InProgress refuses a transaction because one of the same token still runs.
	InProgress = answer(http.StatusBadRequest, "TransactionInProgressException", "")
)

// Cut is a connection that breaks before the request arrives.
func Cut(context.Context, Send) (Response, error) {
	return noResponse(), &smithyhttp.RequestSendError{Err: &url.Error{Op: "Post", URL: "aws", Err: syscall.ECONNRESET}}
}

// Late is an attempt that got no answer in the time that the client gives it.
func Late(context.Context, Send) (Response, error) {
	return noResponse(), &smithyhttp.RequestSendError{Err: &url.Error{Op: "Post", URL: "aws", Err: os.ErrDeadlineExceeded}}
}

// Hang gives no answer as long as the caller has time.
func Hang(ctx context.Context, _ Send) (Response, error) {
	<-ctx.Done()
	return noResponse(), &smithy.CanceledError{Err: ctx.Err()}
}

// Applied has AWS do what was asked, then lets the fault tell the client of it.
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
	return answer(http.StatusBadRequest, "TransactionCanceledException",
		fmt.Sprintf(`, "CancellationReasons": [%s]`, strings.Join(codes, ", ")))
}

// Sometimes lets the fault happen in one of n attempts, beginning with the
// first, so that a run of attempts meets it as often every time.
func Sometimes(n int, fault Fault) Fault {
	var mu sync.Mutex
	count := 0
	return func(ctx context.Context, send Send) (Response, error) {
		mu.Lock()
		happens := count%n == 0
		count++
		mu.Unlock()
		if happens {
			return fault(ctx, send)
		}
		return send()
	}
}

// answer is an error in the protocol that DynamoDB and SQS share.
func answer(status int, code, rest string) Fault {
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
