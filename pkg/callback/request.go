package callback

import (
	"bytes"
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

	BodySize int    // of the body as it was sent, before it was cut
	sent     []byte // that body

	deliveryID string // the gateway's id of this request
	asText     bool   // whether the gateway passed the body on as text
}

// NewRequest bounds a body and takes its measure.
func NewRequest(kind payout.Type, header http.Header, body []byte) Request {
	return Request{
		Type:     kind,
		Header:   header,
		Body:     body[:min(len(body), MaxBody)],
		BodySize: len(body),
		sent:     body,
	}
}

// WithDelivery returns the request with the way in which the gateway delivered
// it: under which id, and whether the body came as text rather than in base64.
func (r Request) WithDelivery(id string, asText bool) Request {
	r.deliveryID, r.asText = id, asText
	return r
}

// DeliveryID is the gateway's id of the request, or "" where no gateway gave one.
// Every delivery has its own.
func (r Request) DeliveryID() string { return r.deliveryID }

// IsAltered reports whether the gateway may have altered the body before it
// reached us: in a text, U+FFFD stands for bytes that were not UTF-8, and what
// those were is lost. Two bodies that differed there are equal now.
func (r Request) IsAltered() bool { return r.asText && hasReplacement(r.sent) }

func hasReplacement(body []byte) bool { return bytes.Contains(body, []byte("\ufffd")) }

// BodySHA256 is the digest of the body as it was sent, before it was cut.
func (r Request) BodySHA256() [sha256.Size]byte { return sha256.Sum256(r.sent) }

// TooLarge reports whether the body was cut.
func (r Request) TooLarge() bool { return r.BodySize > len(r.Body) }

// LogValue keeps bodies and headers out of logs.
func (Request) LogValue() slog.Value { return slog.StringValue("[redacted]") }
