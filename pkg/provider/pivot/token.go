package pivot

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"payout-callbacks/pkg/reconcile"
)

// tokens keeps the access token of a querier, which is used until 80 % of its life have
// passed: docs/api-references/api-lists/access-token. At most one request for a token
// runs at a time, and all who wait for it share the token.
type tokens struct {
	turn          chan struct{} // has an element while a goroutine reads or writes the fields below
	text          string
	issued, renew time.Time // wall time: the clock of a frozen function may stand still otherwise
}

const (
	maxToken     = 8 << 10 // bytes
	maxTokenLife = 24 * time.Hour
)

var isToken = regexp.MustCompile(`^[!-~]+$`)

// token returns an access token that is not the refused one. Without one, it returns the
// answer to the query, and false.
func (q *querier) token(ctx context.Context, refused string) (string, reconcile.Answer, bool) {
	select {
	case q.tokens.turn <- struct{}{}:
		defer func() { <-q.tokens.turn }()
	case <-ctx.Done():
		return "", reconcile.Answer{Outcome: reconcile.Unavailable, Detail: "no time left to wait for an access token"}, false
	}
	t, now := &q.tokens, q.now().Round(0)
	if t.text != "" && t.text != refused && !now.Before(t.issued) && now.Before(t.renew) {
		return t.text, reconcile.Answer{}, true
	}
	text, life, answer, ok := q.fetchToken(ctx)
	if ok {
		t.text, t.issued, t.renew = text, now, now.Add(life*4/5)
	}
	return text, answer, ok
}

// fetchToken requests an access token.
func (q *querier) fetchToken(ctx context.Context) (text string, life time.Duration, answer reconcile.Answer, ok bool) {
	const body = `{"grantType":"client_credentials"}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, q.base+"/v1/access-token", strings.NewReader(body))
	if err != nil {
		return "", 0, reconcile.Answer{Outcome: reconcile.Unusable, Detail: "the base URL cannot be used"}, false
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Merchant-Id", q.merchantID)
	request.Header.Set("X-Merchant-Secret", string(q.secret))
	e, answer, ok := readEnvelope(reconcile.Fetch(q.client, request, q.now))
	if !ok {
		answer.Detail = "access token: " + answer.Detail
		return "", 0, answer, false
	}
	var data struct {
		AccessToken string `json:"accessToken"`
		ExpiresIn   any    `json:"expiresIn"` // seconds in text, or a number
	}
	if err := json.Unmarshal(e.Data, &data); err != nil || !isToken.MatchString(data.AccessToken) || len(data.AccessToken) > maxToken {
		return "", 0, reconcile.Answer{Outcome: reconcile.Unusable, Detail: "access token: not the documented JSON"}, false
	}
	return data.AccessToken, tokenLife(data.ExpiresIn), reconcile.Answer{}, true
}

// tokenLife returns how long a token is valid; 0 if that is not stated readably, so that
// the token is used once.
func tokenLife(expiresIn any) time.Duration {
	var seconds float64
	switch value := expiresIn.(type) {
	case string:
		parsed, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return 0
		}
		seconds = float64(parsed)
	case float64:
		seconds = value
	}
	return time.Duration(min(max(seconds, 0), maxTokenLife.Seconds())) * time.Second
}
