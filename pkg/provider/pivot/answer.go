package pivot

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// An answer names the recipient and the number of his bank account. What is kept of it is
// written again from the fields that are read here, so that nothing else is kept.

// envelope is the form of each answer (docs/api-references/api-information/response).
type envelope struct {
	Code       string         `json:"code"`
	Data       jsontext.Value `json:"data"`
	Pagination *pagination    `json:"pagination"`
}

// pagination describes a page of a listing.
type pagination struct {
	TotalItems int `json:"totalItems"`
	TotalPages int `json:"totalPages"`
}

const codeSuccess = "00"

// codeOutcomes and statusOutcomes are the outcomes of codes of
// docs/api-references/api-lists/payout-local/response-codes-and-failure-reason and of
// HTTP statuses of docs/api-references/api-information/response. Everything else makes an
// answer unusable. The status 404 alone does not mean that a payout is unknown: a wrong
// base URL has it as well.
var (
	codeOutcomes = map[string]reconcile.Outcome{
		"credentials_invalid": reconcile.KeyRefused,
		"resource_missing":    reconcile.NotFound,
		"payouts_in_process":  reconcile.InProcess,
		"service_unavailable": reconcile.Unavailable,
	}
	statusOutcomes = map[int]reconcile.Outcome{
		http.StatusUnauthorized: reconcile.KeyRefused,
		http.StatusForbidden:    reconcile.AddressRefused,
	}
)

var isCode = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)

func unusable(detail string) reconcile.Answer {
	return reconcile.Answer{Outcome: reconcile.Unusable, Detail: detail}
}

// readEnvelope reads the answer to a request. It reports false if the answer is not a
// success, with what it means for a query.
func readEnvelope(response reconcile.Response, err error) (envelope, reconcile.Answer, bool) {
	if answer, ok := reconcile.FailedAnswer(response, err); ok {
		return envelope{}, answer, false
	}
	var e envelope
	if err := json.Unmarshal(response.Body, &e); err != nil || !isCode.MatchString(e.Code) {
		e.Code = "unreadable"
	}
	if e.Code == codeSuccess && response.Status == http.StatusOK {
		return e, reconcile.Answer{}, true
	}
	outcome, ok := codeOutcomes[e.Code]
	if !ok {
		outcome, ok = statusOutcomes[response.Status]
	}
	if !ok {
		outcome = reconcile.Unusable
	}
	return envelope{}, reconcile.Answer{
		Outcome: outcome, RetryAfter: response.RetryAfter, Detail: fmt.Sprintf("HTTP %d, code %s", response.Status, e.Code),
	}, false
}

// The statuses of a request and of an item
// (docs/payouts/state-and-status/domestic-payout), with the words of callbacks. The page
// spells IN PROGRESS in two ways. An APPROVED item waits for the balance.
var (
	requestStatuses = map[string]payout.Status{
		"IN_PROGRESS": payout.Pending, "IN PROGRESS": payout.Pending, "PENDING": payout.Pending, "DELAYED": payout.Delayed,
		"DONE": payout.Done, "CANCELLED": payout.Cancelled,
	}
	itemStatuses = map[string]payout.Status{
		"APPROVED": payout.Pending, "PENDING": payout.Pending, "DELAYED": payout.Delayed,
		"SUCCESS": payout.Succeeded, "FAILED": payout.Failed, "REJECTED": payout.Rejected,
	}
)

// page is the data of an answer about a request: all of its items, a page of them, or one.
type page struct {
	status string // "" in an answer about one item
	totals payout.Totals
	items  []item
}

// readPage reads the data of an answer, or returns which field cannot be used.
func readPage(e envelope, account, uuid string) (p page, problem string) {
	var data struct {
		UUID       jsontext.Value `json:"uuid"`
		MerchantID jsontext.Value `json:"merchantId"`
		Status     jsontext.Value `json:"status"`
		Results    jsontext.Value `json:"payoutResults"`
		Payouts    jsontext.Value `json:"payouts"`
	}
	if err := json.Unmarshal(e.Data, &data); err != nil || e.Data.Kind() != jsontext.KindBeginObject {
		return p, "data: not the documented object"
	}
	var r fieldReader
	p.status = r.text("status", data.Status, maxWord)
	r.failIf(!isSameID(r.text("uuid", data.UUID, maxWord), uuid), "uuid", "not the request that was asked about")
	r.failIf(!isSameID(r.text("merchantId", data.MerchantID, maxWord), account), "merchantId", "not the account")
	p.totals = r.totals(data.Results)
	if r.problem != "" {
		return page{}, r.problem
	}
	p.items, problem = readItems(data.Payouts)
	return p, problem
}

// item is a payout of a request.
type item struct {
	sent     string // our reference as Pivot spells it
	ours     string // in canonical form
	status   string
	reason   string
	currency string
	amount   payout.Amount

	created, updated string // of RFC 3339, or ""
}

// readItems reads one item or an array of them. A page that has a reference twice shows
// two statements about one payout, and none is used.
func readItems(value jsontext.Value) (items []item, problem string) {
	var values []jsontext.Value
	switch value.Kind() {
	case jsontext.KindBeginObject:
		values = []jsontext.Value{value}
	case jsontext.KindBeginArray:
		if err := json.Unmarshal(value, &values); err != nil {
			return nil, "payouts: cannot be read" // not reached: the value was parsed
		}
	default:
		return nil, "payouts: neither an item nor an array"
	}
	var r fieldReader
	references := map[string]bool{}
	for _, value := range values {
		i := r.item(value)
		r.failIf(references[i.ours], "payouts", "two items have the same reference")
		references[i.ours] = true
		items = append(items, i)
	}
	if r.problem != "" {
		return nil, r.problem
	}
	return items, ""
}

// findItem returns the item with a reference in canonical form, or nil.
func findItem(items []item, reference string) *item {
	for i := range items {
		if items[i].ours == reference {
			return &items[i]
		}
	}
	return nil
}

// fieldReader reads values of an answer. It keeps the first field that cannot be used.
type fieldReader struct{ problem string }

func (r *fieldReader) failIf(condition bool, field, problem string) {
	if condition && r.problem == "" {
		r.problem = field + ": " + problem
	}
}

const maxWord = 64 // bytes of a status, an id, an amount, or a time

// text returns a string of at most so many bytes; "" for null and an absent field.
func (r *fieldReader) text(field string, value jsontext.Value, limit int) string {
	switch value.Kind() {
	case jsontext.KindInvalid, jsontext.KindNull:
		return ""
	case jsontext.KindString:
	default:
		r.failIf(true, field, "not text")
		return ""
	}
	text, err := jsontext.AppendUnquote(nil, value)
	r.failIf(err != nil || len(text) > limit, field, "too long")
	return string(text[:min(len(text), limit)])
}

// item reads an item (docs/api-references/api-lists/payout-local/payout-object). An
// amount is text: a number may have another unit.
func (r *fieldReader) item(value jsontext.Value) item {
	var fields struct {
		Amount    jsontext.Value `json:"amount"`
		Reference jsontext.Value `json:"referenceId"`
		Status    jsontext.Value `json:"status"`
		Reason    jsontext.Value `json:"reason"`
		Created   jsontext.Value `json:"created"`
		Updated   jsontext.Value `json:"updated"`
	}
	var sum struct {
		Value    jsontext.Value `json:"value"`
		Currency jsontext.Value `json:"currency"`
	}
	r.failIf(json.Unmarshal(value, &fields) != nil || value.Kind() != jsontext.KindBeginObject, "payouts", "not the documented object")
	r.failIf(json.Unmarshal(fields.Amount, &sum) != nil, "amount", "not the documented object")
	const longestReference = 4 * 100 * 3 // the bytes of 100 characters that form C composes of three
	i := item{
		sent:     r.text("referenceId", fields.Reference, longestReference),
		status:   r.text("status", fields.Status, maxWord),
		reason:   r.reason(fields.Reason),
		currency: r.text("amount.currency", sum.Currency, maxWord),
		created:  timeOrNone(fields.Created),
		updated:  timeOrNone(fields.Updated),
	}
	r.failIf(!isReference.match(i.sent), "referenceId", "not "+isReference.want)
	r.failIf(!isCurrencyWord.MatchString(i.currency), "amount.currency", "not a word")
	i.ours = canonicalText(i.sent)
	amount, err := payout.ParseAmount(r.text("amount.value", sum.Value, maxWord))
	r.failIf(err != nil, "amount.value", "not a plain decimal in text")
	i.amount = amount
	return i
}

var isCurrencyWord = regexp.MustCompile(`^[!-~]{1,16}$`)

// reason returns the provider's reason, shortened to what a callback may have.
func (r *fieldReader) reason(value jsontext.Value) string {
	text := r.text("reason", value, callback.MaxBody)
	return strings.ToValidUTF8(text[:min(len(text), maxReason)], "") // the cut may split a character
}

// timeOrNone returns a time of RFC 3339, and "" for any other value.
func timeOrNone(value jsontext.Value) string {
	var r fieldReader
	text := r.text("", value, maxWord)
	if _, err := time.Parse(time.RFC3339, text); err != nil {
		return ""
	}
	return text
}
