// Package httpclient returns the HTTP client of all AWS clients: the SDK's own,
// without one of its races.
//
// The SDK closes the body of a request as soon as the response begins. If that
// happens before net/http has looked for the end of the body, net/http gets an
// error (safeWriteToReadCloser.WriteTo of smithy-go 1.28.8 returns io.EOF, which a
// WriterTo must not), takes the connection for broken and closes it while the
// response is read. The SDK then retries a request that succeeded: a conditional
// put finds its own item and reports a duplicate. It takes only a slow process and
// a fast response, such as a function with a fraction of a CPU has.
package httpclient

import (
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// New returns the SDK's HTTP client without the race. The timeout is for one attempt
// with the reading of its response; zero means none.
func New(timeout time.Duration) aws.HTTPClient {
	return patchedClient{awshttp.NewBuildableClient().WithTimeout(timeout)}
}

type patchedClient struct{ inner aws.HTTPClient }

// Do implements aws.HTTPClient. It hides the io.WriterTo of the body.
func (m patchedClient) Do(request *http.Request) (*http.Response, error) {
	if request.Body != nil && request.Body != http.NoBody {
		request.Body = struct{ io.ReadCloser }{request.Body}
	}
	return m.inner.Do(request)
}
