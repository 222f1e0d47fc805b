package callback

import (
	"crypto/sha256"
	"log/slog"
	"net/http"

	"payout-callbacks/pkg/payout"
)

// MaxBody is the number of body bytes that are looked at and kept. Documented
// callbacks have fewer than a thousand.
const MaxBody = 64 << 10

// Request is one callback as it came: untrusted bytes and headers.
type Request struct {
	Type   payout.Type // what the route it came to is for
	Header http.Header // canonical names
	Body   []byte      // the first MaxBody bytes

	// Of the body as it was sent, before it was cut.
	BodySize   int
	BodySHA256 [sha256.Size]byte
}

// NewRequest bounds a body and takes its measure.
func NewRequest(kind payout.Type, header http.Header, body []byte) Request {
	return Request{
		Type:       kind,
		Header:     header,
		Body:       body[:min(len(body), MaxBody)],
		BodySize:   len(body),
		BodySHA256: sha256.Sum256(body),
	}
}

// TooLarge reports whether the body was cut.
func (r Request) TooLarge() bool { return r.BodySize > len(r.Body) }

// LogValue keeps bodies and headers out of logs.
func (Request) LogValue() slog.Value { return slog.StringValue("[redacted]") }
