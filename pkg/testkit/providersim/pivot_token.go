package providersim

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// token is an access token.
type token struct {
	merchant string
	expires  time.Time
}

const tokenLife = 900 * time.Second

// serveToken issues an access token (docs/api-references/api-lists/access-token).
// Earlier tokens stay valid until they expire [guess].
func (p *Pivot) serveToken(r *http.Request, body []byte) answer {
	merchant, ok := p.merchants[r.Header.Get("X-Merchant-Id")]
	if !ok || merchant.Secret == "" || r.Header.Get("X-Merchant-Secret") != merchant.Secret {
		return p.refusal(pivotError{"credentials_invalid", ""})
	}
	fields, err := readFlat(body)
	if err != nil || fields["grantType"] != "client_credentials" {
		return p.refusal(pivotError{"field_format_invalid", "grantType"})
	}
	text := p.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 40)
	p.tokens[text] = token{merchant.ID, p.time().Add(tokenLife)}
	return pivotAnswer(map[string]string{
		"accessToken": text, "expiresIn": strconv.Itoa(int(tokenLife.Seconds())), "tokenType": "Bearer",
	}, nil)
}

// authenticated returns the function that computes the answer for the merchant
// of a request's access token.
func (p *Pivot) authenticated(compute func(r *http.Request, body []byte, merchant string) answer) func(*http.Request, []byte) answer {
	return func(r *http.Request, body []byte) answer {
		text, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		token, ok := p.tokens[text]
		if !ok || !p.time().Before(token.expires) {
			return p.refusal(pivotError{"credentials_invalid", ""})
		}
		return compute(r, body, token.merchant)
	}
}
