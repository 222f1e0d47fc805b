package pivot

import (
	"net/http"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

const name = "pivot"

// Provider implements callback.Provider and callback.Signer.
type Provider struct{}

// Name returns "pivot".
func (Provider) Name() string { return name }

// Types lists the one route: single and bulk callbacks are registered under
// one URL (docs/api-references/api-information/callback: one per product).
func (Provider) Types() []payout.Type { return []payout.Type{payout.TypePayout} }

// Reply is chosen from Pivot's rules: HTTP 200 is success and its body is not
// looked at; 5xx, 408 and 429 are sent again, after 5 and 15 minutes and after
// 1, 3, 6 and 12 hours; nothing else is
// (docs/api-references/api-information/callback). So our own fault must be a
// 503, and a refusal must not be one of the codes that are tried again. The
// bodies are JSON for a dashboard that shows or parses them; they tell a
// refused sender nothing but that it was refused.
func (Provider) Reply(verdict callback.Verdict) callback.Reply {
	switch verdict {
	case callback.Acknowledged:
		return reply(http.StatusOK, `{"received":true}`)
	case callback.Unauthenticated:
		return reply(http.StatusUnauthorized, notReceived)
	case callback.Malformed: // not used: the key decides, an unreadable body is held
		return reply(http.StatusBadRequest, notReceived)
	case callback.TooLarge: // not used: held as well
		return reply(http.StatusRequestEntityTooLarge, notReceived)
	}
	return reply(http.StatusServiceUnavailable, notReceived)
}

const notReceived = `{"received":false}`

func reply(code int, body string) callback.Reply {
	return callback.Reply{Code: code, ContentType: "application/json", Body: body}
}
