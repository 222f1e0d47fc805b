package pivot

import (
	"net/http"
	"sync"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/scheme"
)

const name = "pivot"

// Provider is Pivot. It is a stateless value, safe for concurrent use.
type Provider struct{}

var (
	_ callback.Provider = Provider{}
	_ callback.Signer   = Provider{}
	_ callback.Claimant = Provider{}
)

// Name returns "pivot".
func (Provider) Name() string { return name }

// Types lists the only route: single and bulk callbacks are registered under one
// URL (docs/api-references/api-information/callback: one per product).
func (Provider) Types() []payout.Type { return []payout.Type{payout.TypePayout} }

// Verify looks the header's key up among the keys of all merchants: the key
// names the sender. The body decides only among merchants that share a key. A
// body that names another merchant, or none, or cannot be read, comes from the
// merchant whose key it is; it is held when it is parsed. While the keys of the
// merchant that the body names cannot be used, the key may also be that
// merchant's, so nobody is verified.
// It fails with ErrUnauthenticated or ErrUnusableKeys only.
func (Provider) Verify(request callback.Request, keys callback.Keys) (callback.Verified, error) {
	content := sync.OnceValue(func() content { return readRequest(request) })
	claim := scheme.Claim{Account: func() string { return content().merchant() }, IsSame: isSameID}
	sender, err := proof.Verify(request.Header, keys, claim)
	if err != nil {
		return callback.Verified{}, err
	}
	return content().verified(sender), nil
}

// Restore implements [callback.Provider].
func (Provider) Restore(request callback.Request, sender callback.Sender) callback.Verified {
	return readRequest(request).verified(sender)
}

// ClaimedAccount returns the merchant that the body names, if the id has the
// documented form, see [callback.Claimant].
func (Provider) ClaimedAccount(request callback.Request) string {
	merchant := readRequest(request).merchant()
	if !isRFC9562(merchant) {
		return ""
	}
	return merchant
}

// Reply returns the answer to a verdict. Pivot takes HTTP 200 as success and
// ignores the body; it retries after 5xx, 408 and 429 only, after 5 and 15 minutes
// and after 1, 3, 6 and 12 hours (docs/api-references/api-information/callback). So
// our own errors are a 503, and a refusal is not one of the codes that are retried.
// The bodies are JSON for a dashboard that shows or parses them; they give a
// refused sender no reason.
func (Provider) Reply(verdict callback.Verdict) callback.Reply {
	switch verdict {
	case callback.Acknowledged:
		return reply(http.StatusOK, `{"received":true}`)
	case callback.Unauthenticated:
		return reply(http.StatusUnauthorized, notReceived)
	case callback.Malformed: // not used: an unreadable body is held
		return reply(http.StatusBadRequest, notReceived)
	case callback.TooLarge: // not used: a large body is held
		return reply(http.StatusRequestEntityTooLarge, notReceived)
	}
	return reply(http.StatusServiceUnavailable, notReceived)
}

const notReceived = `{"received":false}`

func reply(code int, body string) callback.Reply {
	return callback.Reply{Code: code, ContentType: "application/json", Body: body}
}
