package cregis

import (
	"net/http"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// Provider is Cregis. It is a stateless value, safe for concurrent use.
type Provider struct{ set *options }

var (
	_ callback.Provider = Provider{}
	_ callback.Signer   = Provider{}
	_ callback.Claimant = Provider{}
)

// Name returns "cregis".
func (Provider) Name() string { return "cregis" }

// Types lists the two routes. A body does not say its type, so docs/faqs/Callback
// asks for a URL for each.
func (Provider) Types() []payout.Type {
	return []payout.Type{payout.TypePayout, payout.TypeSubAddressPayout}
}

// Verify checks that the project which the body names signed it.
func (p Provider) Verify(request callback.Request, keys callback.Keys) (callback.Verified, error) {
	body, err := readRequest(request)
	if err != nil {
		return callback.Verified{}, err
	}
	sender, err := body.authenticate(keys)
	if err != nil {
		return callback.Verified{}, err
	}
	return callback.NewVerified(request, sender, func() (payout.Event, *callback.Held) { return p.parseOrHold(request, body) }), nil
}

// Restore implements [callback.Provider]. It parses a body that cannot be read
// into a held callback.
func (p Provider) Restore(request callback.Request, sender callback.Sender) callback.Verified {
	return callback.NewVerified(request, sender, func() (payout.Event, *callback.Held) {
		body, err := readRequest(request)
		if err != nil {
			return payout.Event{}, &callback.Held{
				Reason:  callback.ReasonUnreadable,
				Note:    "not one flat object of strict JSON",
				Subject: request.Body,
			}
		}
		return p.parseOrHold(request, body)
	})
}

// ClaimedAccount returns the project that the body names, see [callback.Claimant].
func (Provider) ClaimedAccount(request callback.Request) string {
	body, err := readRequest(request)
	if err != nil {
		return ""
	}
	return body.account()
}

// replies is the table of answers. Cregis takes a callback as delivered if the
// response body is exactly "success" and ignores everything else
// (docs/faqs/Callback); it does not retry. The codes are for our metrics and for
// people.
var replies = map[callback.Verdict]callback.Reply{
	callback.Acknowledged:    {Code: http.StatusOK, ContentType: "text/plain", Body: "success"},
	callback.Unauthenticated: {Code: http.StatusUnauthorized},
	callback.Malformed:       {Code: http.StatusBadRequest},
	callback.TooLarge:        {Code: http.StatusRequestEntityTooLarge},
	callback.Unavailable:     {Code: http.StatusServiceUnavailable},
}

// Reply returns the answer to a verdict. An unknown verdict is answered as our
// own error, never acknowledged.
func (Provider) Reply(verdict callback.Verdict) callback.Reply {
	reply, ok := replies[verdict]
	if !ok {
		return replies[callback.Unavailable]
	}
	return reply
}
