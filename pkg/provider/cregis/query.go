package cregis

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

var _ reconcile.Provider = Provider{}

// queryPaths are the paths of the queries by the type of the payout:
// docs/api-reference/request-apis/payout/payout-query and
// docs/api-reference/request-apis/withdrawal/withdrawal-query.
var queryPaths = map[payout.Type]string{
	payout.TypePayout:           "/api/v1/payout/query",
	payout.TypeSubAddressPayout: "/api/v1/sub_address_withdrawal/info",
}

// RequestKey returns the ID: a query is about one payout.
func (Provider) RequestKey(id payout.ID) string { return string(id) }

// ProbeID returns the ID of cid 1. Cregis's ids have 16 digits.
func (p Provider) ProbeID(account string) payout.ID {
	return payout.NewID(p.Name(), payout.TypePayout, account, "1", "")
}

// StatedStatus implements [reconcile.Provider].
func (Provider) StatedStatus(held inbox.Receipt) payout.Status {
	b, err := readRequest(callback.NewRequest(held.Type(), http.Header{}, held.Body))
	if err != nil {
		return ""
	}
	return statuses[b.documented[status].text].status
}

// credentials are the account's entry of the secret. The key is the project's API key,
// which signs callbacks as well.
type credentials struct {
	BaseURL string       `json:"baseUrl"`
	Key     callback.Key `json:"key"`
}

var isKey = regexp.MustCompile(`^[!-~]{1,256}$`)

// Connect implements [reconcile.Provider].
func (Provider) Connect(account string, raw json.RawMessage, client *http.Client, now func() time.Time) (reconcile.Querier, error) {
	var c credentials
	if err := reconcile.DecodeCredentials(raw, &c); err != nil {
		return nil, err
	}
	base, err := reconcile.CheckBaseURL(client, c.BaseURL)
	switch {
	case err != nil:
		return nil, err
	case !isKey.MatchString(string(c.Key)):
		return nil, errors.New("key: must be 1 to 256 printable characters")
	case !isID(account):
		return nil, errors.New("the account is not the number of a project")
	}
	return querier{account: account, base: base, key: c.Key, client: client, now: now}, nil
}

// querier asks about payouts of one project.
type querier struct {
	account, base string
	key           callback.Key
	client        *http.Client
	now           func() time.Time
}

// KeyID implements [reconcile.Querier].
func (q querier) KeyID() string { return q.key.ID() }

// Ask asks about one payout. Several have the same ID, and perhaps different references:
// the answer must have each of them.
func (q querier) Ask(ctx context.Context, payouts []reconcile.Asked) reconcile.Answer {
	id := payouts[0].ID
	path, ok := queryPaths[id.Type()]
	switch {
	case id.PayoutID() == "":
		return reconcile.Answer{Outcome: reconcile.NoID}
	case !ok || !isID(id.PayoutID()) || id.Account() != q.account:
		return reconcile.Answer{Outcome: reconcile.Unusable, Detail: "not an ID of a Cregis payout of the account"}
	}
	request, err := q.newRequest(ctx, path, id.PayoutID())
	if err != nil {
		return reconcile.Answer{Outcome: reconcile.Unusable, Detail: err.Error()}
	}
	response, err := reconcile.Fetch(q.client, request, q.now)
	if answer, ok := reconcile.FailedAnswer(response, err); ok {
		return answer
	}
	return readAnswer(response, payouts)
}

// newRequest returns the signed request about a payout. The numbers are JSON numbers, and
// the nonce has exactly six characters.
func (q querier) newRequest(ctx context.Context, path, cid string) (*http.Request, error) {
	now := q.now()
	body := fmt.Appendf(nil, `{"pid":%s,"cid":%s,"nonce":%q,"timestamp":%d}`, q.account, cid, rand.Text()[:6], now.UnixMilli())
	signed, header, err := Provider{}.Sign(body, q.key, now)
	if err != nil {
		return nil, fmt.Errorf("sign query: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, q.base+path, bytes.NewReader(signed))
	if err != nil {
		return nil, errors.New("the base URL cannot be used") // the error has the URL
	}
	request.Header = header
	return request, nil
}
