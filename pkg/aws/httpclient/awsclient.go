// Package httpclient is the HTTP client under every AWS client of this module:
// the SDK's own, with one of its races taken out.
//
// The SDK closes a request's body as soon as the answer begins. Where that
// comes before the transport has looked whether the body has more bytes than
// announced, the transport meets an error at the body's end
// (safeWriteToReadCloser.WriteTo of smithy-go 1.28.8 returns io.EOF, which a
// WriterTo must not), takes the connection for broken, and closes it under the
// answer. The SDK then tries again what was already done: a conditional put
// meets itself and says that it is a duplicate. A slow process and a fast
// answer are enough for it, which is what a function with a fraction of a
// processor is.
package httpclient

import (
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// New returns the SDK's own HTTP client without the race. An attempt may take as
// long as timeout, the reading of its answer included; zero means for ever.
func New(timeout time.Duration) aws.HTTPClient {
	return patchedClient{awshttp.NewBuildableClient().WithTimeout(timeout)}
}

type patchedClient struct{ inner aws.HTTPClient }

// Do hides that the body is an io.WriterTo, and with it the wrong one.
func (m patchedClient) Do(request *http.Request) (*http.Response, error) {
	if request.Body != nil && request.Body != http.NoBody {
		request.Body = struct{ io.ReadCloser }{request.Body}
	}
	return m.inner.Do(request)
}
