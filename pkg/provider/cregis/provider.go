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

// Name implements [callback.Provider].
func (Provider) Name() string { return "cregis" }

// Types implements [callback.Provider]. Bodies carry no type, which is why
// docs/faqs/Callback asks for a URL of its own for each.
func (Provider) Types() []payout.Type {
	return []payout.Type{payout.TypePayout, payout.TypeSubAddressPayout}
}

// replies is the table of answers. Cregis counts a callback as arrived if the
// body is exactly "success" and looks at nothing else (docs/faqs/Callback); it
// sends none again by itself. The codes are for our own metrics and for people.
var replies = map[callback.Verdict]callback.Reply{
	callback.Acknowledged:    {Code: http.StatusOK, ContentType: "text/plain", Body: "success"},
	callback.Unauthenticated: {Code: http.StatusUnauthorized},
	callback.Malformed:       {Code: http.StatusBadRequest},
	callback.TooLarge:        {Code: http.StatusRequestEntityTooLarge},
	callback.Unavailable:     {Code: http.StatusServiceUnavailable},
}

// Reply implements [callback.Provider]. A verdict that is none is answered as
// a fault of ours, never as an acknowledgement.
func (Provider) Reply(verdict callback.Verdict) callback.Reply {
	reply, ok := replies[verdict]
	if !ok {
		return replies[callback.Unavailable]
	}
	return reply
}

// Verify implements [callback.Provider]: the signature must be that of the
// project which the body itself names.
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

// Restore implements [callback.Provider].
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

// ClaimedAccount implements [callback.Claimant].
func (Provider) ClaimedAccount(request callback.Request) string {
	body, err := readRequest(request)
	if err != nil {
		return ""
	}
	return body.account()
}

// parseOrHold parses the body. A held callback keeps the signed text: whoever
// can split that text into other bodies may send one of those first, and with
// the text nothing is lost whichever came.
func (p Provider) parseOrHold(request callback.Request, body *body) (payout.Event, *callback.Held) {
	event, held := p.parse(request.Type, body)
	if held != nil {
		held.Subject = []byte(body.canonical())
		held.Note += "\nsigned text: " + body.canonical()
		return payout.Event{}, held
	}
	return event, nil
}
