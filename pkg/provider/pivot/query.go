package pivot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

var _ reconcile.Provider = Provider{}

// RequestKey returns the ID of the batch of a payout's request, whose items one listing
// states. Without a uuid, a payout is asked about by itself.
func (Provider) RequestKey(id payout.ID) string {
	if id.PayoutID() == "" {
		return string(id)
	}
	return string(payout.NewID(name, payout.TypeBatch, id.Account(), id.PayoutID(), ""))
}

// ProbeID returns the ID of a uuid without any bit but version and variant.
func (Provider) ProbeID(account string) payout.ID {
	return payout.NewID(name, payout.TypeBatch, account, "00000000-0000-4000-8000-000000000000", "")
}

// StatedStatus implements [reconcile.Provider].
func (Provider) StatedStatus(held inbox.Receipt) payout.Status {
	c := readRequest(callback.NewRequest(held.Type(), http.Header{}, held.Body))
	if c.err != nil {
		return ""
	}
	word, _ := strings.CutPrefix(c.body.string(event), family)
	switch isBulk, isSingle := c.body.has(results), c.body.has(single); {
	case isBulk && !isSingle:
		return bulkStatuses[word]
	case isSingle && !isBulk:
		return singleStatuses[word]
	}
	return ""
}

// credentials are the account's entry of the secret.
type credentials struct {
	BaseURL        string       `json:"baseUrl"`
	MerchantID     string       `json:"merchantId"`
	MerchantSecret callback.Key `json:"merchantSecret"`
}

var isCredential = regexp.MustCompile(`^[!-~]{1,512}$`)

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
	case !isCredential.MatchString(c.MerchantID):
		return nil, errors.New("merchantId: must be 1 to 512 printable characters")
	case !isCredential.MatchString(string(c.MerchantSecret)):
		return nil, errors.New("merchantSecret: must be 1 to 512 printable characters")
	case !isUUID.match(account):
		return nil, errors.New("the account is not a merchantId")
	}
	return &querier{
		account: account, base: base, merchantID: c.MerchantID, secret: c.MerchantSecret, client: client, now: now,
		tokens: tokens{turn: make(chan struct{}, 1)},
	}, nil
}

// querier asks about payouts of one merchant.
type querier struct {
	account, base, merchantID string
	secret                    callback.Key
	client                    *http.Client
	now                       func() time.Time
	tokens                    tokens
}

// KeyID returns "": the API has a secret of its own.
func (*querier) KeyID() string { return "" }

// Ask asks about a request and its items: docs/api-references/api-lists/payout-local/
// retrieve-a-payout. A single item is asked about by uuid and reference, everything else
// by a listing. Without a uuid, the answer is at most that Pivot knows the reference.
func (q *querier) Ask(ctx context.Context, payouts []reconcile.Asked) reconcile.Answer {
	id := payouts[0].ID
	switch uuid := id.PayoutID(); {
	case id.Account() != q.account, uuid != "" && !isUUID.match(uuid):
		return reconcile.Answer{Outcome: reconcile.Unusable, Detail: "not an ID of a Pivot payout of the account"}
	case uuid == "" && (id.Type() == payout.TypeBatch || id.Reference() == ""):
		return reconcile.Answer{Outcome: reconcile.NoID}
	case uuid == "":
		return q.askByReference(ctx, id.Reference())
	case len(payouts) == 1 && id.Type() == payout.TypePayout && canBeAsked(referenceOf(payouts[0])):
		return q.askItem(ctx, uuid, referenceOf(payouts[0]))
	default:
		return q.askRequest(ctx, uuid, payouts)
	}
}

// referenceOf returns our reference of a payout, or "". That of a held callback's payout
// is not part of the ID.
func referenceOf(asked reconcile.Asked) string {
	if reference := asked.ID.Reference(); reference != "" {
		return reference
	}
	return asked.Reference
}

// canBeAsked reports whether Pivot has a reference in our spelling. That is certain for
// ASCII, which has one form in Unicode.
func canBeAsked(reference string) bool {
	return reference != "" && utf8.RuneCountInString(reference) == len(reference)
}

// askByReference asks whether Pivot knows a reference
// (docs/api-references/api-lists/payout-local/retrieve-a-single-payout-request). The
// answer has no uuid, so that it is about no payout of ours.
func (q *querier) askByReference(ctx context.Context, reference string) reconcile.Answer {
	e, answer, ok := q.get(ctx, url.PathEscape(reference)+"?type=single")
	if !ok {
		return answer
	}
	items, problem := readItems(e.Data)
	switch {
	case problem != "":
		return unusable(problem)
	case len(items) == 0:
		return reconcile.Answer{Outcome: reconcile.NotFound, Detail: "no item"}
	case findItem(items, reference) == nil:
		return unusable("referenceId: not the reference that was asked about")
	}
	return reconcile.Answer{Outcome: reconcile.ByReference}
}

// askItem asks about one item of a request.
func (q *querier) askItem(ctx context.Context, uuid, reference string) reconcile.Answer {
	e, answer, ok := q.get(ctx, uuid+"?referenceId="+url.QueryEscape(reference))
	if !ok {
		return answer
	}
	p, problem := readPage(e, q.account, uuid)
	if problem != "" {
		return unusable(problem)
	}
	i := findItem(p.items, reference)
	if i == nil {
		return unusable("referenceId: not the reference that was asked about")
	}
	return reconcile.Answer{Outcome: reconcile.Answered, Statements: []reconcile.Statement{i.statement(q.account, uuid)}}
}

// Bounds of a listing.
const (
	perPage     = 100
	maxPages    = maxItems / 20 // with Pivot's default, in case it ignores ours
	maxReadings = 3             // of a listing whose pages shift
)

// askRequest asks about a request by its listing. The pages are read again if they do not
// belong together: a page that is read later may state what happened in between.
func (q *querier) askRequest(ctx context.Context, uuid string, payouts []reconcile.Asked) reconcile.Answer {
	for range maxReadings {
		l, answer, ok := q.readListing(ctx, uuid)
		if !ok {
			return answer
		}
		if l.isWhole() {
			return l.answer(q.account, uuid, payouts)
		}
	}
	return unusable("pagination: the pages shift while they are read")
}

// readListing reads the pages of a request. It stops at a page that does not belong to
// the first.
func (q *querier) readListing(ctx context.Context, uuid string) (listing, reconcile.Answer, bool) {
	var l listing
	for number, last := 1, 1; number <= last; number++ {
		e, answer, ok := q.get(ctx, fmt.Sprintf("%s?page=%d&perPage=%d", uuid, number, perPage))
		if !ok {
			return l, answer, false
		}
		p, problem := readPage(e, q.account, uuid)
		switch {
		case problem != "":
			return l, unusable(problem), false
		case e.Pagination == nil:
			return l, unusable("pagination: missing"), false
		case e.Pagination.TotalItems > maxItems || e.Pagination.TotalPages > maxPages:
			return l, unusable("pagination: more than 1000 items"), false
		}
		if last = e.Pagination.TotalPages; !l.add(p, *e.Pagination) {
			break
		}
	}
	return l, reconcile.Answer{}, true
}

// get sends a GET request about payouts, with a new access token if the first is refused.
func (q *querier) get(ctx context.Context, path string) (envelope, reconcile.Answer, bool) {
	token := ""
	for attempt := 0; ; attempt++ {
		var answer reconcile.Answer
		var ok bool
		if token, answer, ok = q.token(ctx, token); !ok {
			return envelope{}, answer, false
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, q.base+"/v1/payouts/"+path, nil)
		if err != nil {
			return envelope{}, unusable("the base URL cannot be used"), false
		}
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("Accept", "application/json")
		e, answer, ok := readEnvelope(reconcile.Fetch(q.client, request, q.now))
		if answer.Outcome != reconcile.KeyRefused || attempt > 0 {
			return e, answer, ok
		}
	}
}
