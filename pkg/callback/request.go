package callback

import (
	"bytes"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"time"

	"payout-callbacks/pkg/payout"
)

// MaxBody is the number of body bytes that are read and kept. Documented callbacks
// have fewer than a thousand.
const MaxBody = 64 << 10

// Request is one callback as it was delivered: untrusted bytes and headers.
type Request struct {
	Type   payout.Type // of its route
	Header http.Header // canonical names
	Body   []byte      // the first MaxBody bytes

	BodySize int    // of the body as it was sent, before it was cut
	sent     []byte // that body

	receivedAt time.Time // when the application received it
	deliveryID string    // the gateway's id of this request
	asText     bool      // whether the gateway passed the body on as text
}

// NewRequest returns a request with the first MaxBody bytes of the body.
func NewRequest(kind payout.Type, header http.Header, body []byte) Request {
	return Request{
		Type:     kind,
		Header:   header,
		Body:     body[:min(len(body), MaxBody)],
		BodySize: len(body),
		sent:     body,
	}
}

// WithDelivery returns the request with the gateway's id of it, and whether the
// gateway delivered the body as text rather than in base64.
func (r Request) WithDelivery(id string, asText bool) Request {
	r.deliveryID, r.asText = id, asText
	return r
}

// WithReceivedAt returns the request with the time at which it was received, for schemes
// whose proof includes the time of sending.
func (r Request) WithReceivedAt(at time.Time) Request {
	r.receivedAt = at
	return r
}

// ReceivedAt returns the time at which the request was received, or the zero time if it
// is unknown.
func (r Request) ReceivedAt() time.Time { return r.receivedAt }

// DeliveryID returns the gateway's id of the request, which no other delivery has, or
// "".
func (r Request) DeliveryID() string { return r.deliveryID }

// IsAltered reports whether the gateway may have altered the body: in text it replaces
// bytes that are not UTF-8 by U+FFFD. Two bodies that differed in such bytes are
// equal now.
func (r Request) IsAltered() bool { return r.asText && hasReplacement(r.sent) }

func hasReplacement(body []byte) bool { return bytes.Contains(body, []byte("\ufffd")) }

// BodySHA256 returns the digest of the body as it was sent, before it was cut.
func (r Request) BodySHA256() [sha256.Size]byte { return sha256.Sum256(r.sent) }

// TooLarge reports whether the body was cut.
func (r Request) TooLarge() bool { return r.BodySize > len(r.Body) }

// LogValue keeps bodies and headers out of logs.
func (Request) LogValue() slog.Value { return slog.StringValue("[redacted]") }
