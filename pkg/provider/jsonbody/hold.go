package jsonbody

import (
	"fmt"

	"payout-callbacks/pkg/callback"
)

// Hold returns why a verified body cannot be read as JSON, or nil. It may be too large,
// or altered by the gateway; err is the error of reading it.
func Hold(request callback.Request, err error) *callback.Held {
	switch {
	case request.TooLarge():
		return holdTooLarge(request)
	case request.IsAltered():
		return holdAltered(request)
	case err != nil:
		return &callback.Held{
			Reason:  callback.ReasonUnreadable,
			Note:    "not strict JSON: " + Quote(err.Error()),
			Subject: Canonical(request.Body),
		}
	}
	return nil
}

// holdTooLarge identifies a cut body by the digest of the whole body: two bodies with
// the same beginning are different callbacks.
func holdTooLarge(request callback.Request) *callback.Held {
	digest := fmt.Sprintf("sha256:%x", request.BodySHA256())
	return &callback.Held{
		Reason:  callback.ReasonTooLarge,
		Note:    fmt.Sprintf("%d bytes, %s; the first %d are kept", request.BodySize, digest, len(request.Body)),
		Subject: newSubject(request, []byte(digest)),
	}
}

// holdAltered holds a body in which the gateway replaced bytes, which may have been in
// any field.
func holdAltered(request callback.Request) *callback.Held {
	return &callback.Held{
		Reason: callback.ReasonUnreadable,
		Note: "the body contains U+FFFD: the gateway delivered it as text, and replaces bytes that are not UTF-8; " +
			"the original bytes are lost (request " + Quote(request.DeliveryID()) + ")",
		Subject: newSubject(request, request.Body),
	}
}

// newSubject returns the subject of a held body. Two altered bodies that are equal now
// may have been different when they were sent, so each delivery has its own subject.
func newSubject(request callback.Request, body []byte) []byte {
	if !request.IsAltered() {
		return body
	}
	return fmt.Appendf(nil, "delivery %q of %s", request.DeliveryID(), body)
}

const maxQuoted = 100

// Quote quotes a text of a callback for a note, bounded: a note is not a copy of the body.
func Quote(text string) string {
	if len(text) > maxQuoted {
		return fmt.Sprintf("%q and %d bytes more", text[:maxQuoted], len(text)-maxQuoted)
	}
	return fmt.Sprintf("%q", text)
}

// Cut returns the first bytes of a text, as many as Quote quotes.
func Cut(text string) string { return text[:min(len(text), maxQuoted)] }
