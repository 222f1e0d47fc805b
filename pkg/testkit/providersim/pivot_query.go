package providersim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// pivotError is a refusal: a code of
// docs/api-references/api-lists/payout-local/response-codes, and the field.
type pivotError struct{ code, field string }

// pivotErrors has the texts of the page. It states no HTTP codes: they are a
// [guess], except 401 and 409.
var pivotErrors = map[string]struct {
	status                 int
	message, kind, details string
	trace                  string // the page spells the name in two ways
}{
	"credentials_invalid":     {401, "Access Token is Invalid", "API_ERROR", "Request new access token", "traceId"},
	"field_format_invalid":    {400, "Format Field is Invalid", "API_ERROR", "Make sure %s format is correct", "traceId"},
	"field_required":          {400, "Mandatory Field is Missing", "API_ERROR", "Make sure %s value is fulfilled", "traceId"},
	"amount_below_limit":      {400, "Amount Value below the minimum", "API_ERROR", "Make sure %s amount is above minimum", "traceId"},
	"resource_already_exists": {409, "ID is already exists", "API_ERROR", "Use unique %s", "traceId"},
	"resource_missing":        {404, "Payout ID is not exist", "API_ERROR", "Make sure payout id is correct", "traceId"},
	"format_invalid":          {400, "Payout format is invalid", "API_ERROR", "Make sure payout object no more than 1000 items", "traceId"},
	"payouts_in_process":      {400, "Payouts are being process", "API_ERROR", "Wait a moment to retrieve the Payout", "trace_id"},
	"service_unavailable":     {503, "Gateway / Partner service is unavailable", "GATEWAY_ERROR", "Please hit periodically", "traceId"},
}

// pivotEnvelope is the form of each answer; only the code 00 is a success.
type pivotEnvelope struct {
	Code       string           `json:"code"`
	Message    string           `json:"message"`
	Data       any              `json:"data,omitempty"`
	Error      map[string]any   `json:"error,omitempty"`
	Pagination *pivotPagination `json:"pagination,omitempty"`
}

type pivotPagination struct {
	Page       int `json:"page"`
	PerPage    int `json:"perPage"`
	TotalItems int `json:"totalItems"`
	TotalPages int `json:"totalPages"`
}

func pivotAnswer(data any, pagination *pivotPagination) answer {
	return answer{code: http.StatusOK, body: pivotEnvelope{Code: "00", Message: "Success", Data: data, Pagination: pagination}}
}

// refusal returns the answer for an error.
func (p *Pivot) refusal(e pivotError) answer {
	text := pivotErrors[e.code]
	message := text.details
	if e.field != "" {
		message = fmt.Sprintf(message, e.field)
	} else if e.code == "resource_already_exists" {
		message = "Use unique X-EXTERNAL-ID"
	}
	return answer{code: text.status, body: pivotEnvelope{Code: e.code, Message: text.message, Error: map[string]any{
		"type": text.kind, "details": []map[string]string{{"field": e.field, "message": message}}, text.trace: p.text("0123456789abcdef", 32),
	}}}
}

// refuse implements provider.
func (p *Pivot) refuse(fault Fault) (answer, bool) {
	code, ok := map[Fault]string{
		CredentialsRefused: "credentials_invalid", Unavailable: "service_unavailable", InProcess: "payouts_in_process",
	}[fault]
	if !ok {
		return answer{}, false
	}
	return p.refusal(pivotError{code, ""}), true
}

// serveQuery serves the three forms of
// docs/api-references/api-lists/payout-local/retrieve-a-payout and
// retrieve-a-single-payout-request: by uuid, by uuid and reference, and with
// type=single by reference.
func (p *Pivot) serveQuery(r *http.Request, _ []byte, merchant string) answer {
	id, reference, isByReference := r.PathValue("id"), r.URL.Query().Get("referenceId"), r.URL.Query().Get("type") == "single"
	if isByReference {
		reference = id
	}
	order, ok := p.lookUp(merchant, id, reference, isByReference)
	if !ok {
		return p.refusal(pivotError{"resource_missing", ""})
	}
	asOf, fault, ok := p.query(order)
	if !ok {
		return p.refusal(pivotError{"resource_missing", ""})
	}
	state := order.state(asOf)
	totals := state.totals()
	if fault == Totals {
		totals.SuccessCount++
		totals.SuccessAmount = "9" + totals.SuccessAmount
	}
	distort(state.items, fault)
	data := map[string]any{"merchantId": merchant, "payoutResults": totals, "uuid": order.id}
	if fault == OtherAccount {
		data["merchantId"] = merchant + "-other"
	}
	var result answer
	switch i := slices.IndexFunc(order.items, func(item PivotItem) bool { return item.Reference == reference }); {
	case isByReference:
		result = pivotAnswer(state.items[i:i+1], nil)
	case reference != "":
		data["payouts"] = state.items[i]
		result = pivotAnswer(data, nil)
	default:
		data["created"], data["updated"], data["status"] = pivotTime(order.ordered), pivotTime(state.updated), state.request
		result = p.list(r, data, state.items, fault)
	}
	result.fault, result.retryAfter = fault, order.plan.RetryAfter
	return result
}

// lookUp returns the merchant's order that a query names; with a reference, the
// order has an item with it.
func (p *Pivot) lookUp(merchant, id, reference string, isByReference bool) (*payout, bool) {
	i := slices.IndexFunc(p.payouts, func(order *payout) bool {
		return order.account == merchant && (isByReference || order.id == id) &&
			(reference == "" || slices.ContainsFunc(order.items, func(item PivotItem) bool { return item.Reference == reference }))
	})
	if i < 0 {
		return nil, false
	}
	return p.payouts[i], true
}

// distort applies the faults of items.
func distort(items []pivotRecord, fault Fault) {
	for i := range items {
		switch item := &items[i]; fault {
		case OtherReference:
			item.Reference += "-other"
		case UnknownStatus:
			item.Status = pivotUnknown
		case AmountForm:
			item.Amount = map[string]any{"currency": item.PivotItem.Amount.Currency, "value": json.Number(item.PivotItem.Amount.Value)}
		}
	}
}

// list returns a page of a request: 20 items by default, at most 100
// (docs/api-references/api-information/pagination). A larger page is refused [guess].
func (p *Pivot) list(r *http.Request, data map[string]any, items []pivotRecord, fault Fault) answer {
	number, perPage := 1, 20
	for name, value := range map[string]*int{"page": &number, "perPage": &perPage} {
		text := r.URL.Query().Get(name)
		if text == "" {
			continue
		}
		parsed, err := strconv.Atoi(text)
		if err != nil || parsed < 1 || parsed > 1_000_000 || name == "perPage" && parsed > 100 {
			return p.refusal(pivotError{"field_format_invalid", name})
		}
		*value = parsed
	}
	total := len(items)
	switch {
	case fault == Endless:
		total = (number + 10) * perPage
		items = endlessPage(items, number, perPage)
		data["payouts"] = items
		return pivotAnswer(data, newPagination(number, perPage, total))
	case fault == Shifting && number > 1:
		// The first item has moved to the end, and all others forward by one: who
		// has read page 1 misses an item and sees another twice.
		items = append(slices.Clone(items[1:]), items[0])
	}
	from := min((number-1)*perPage, total)
	data["payouts"] = items[from:min(from+perPage, total)]
	return pivotAnswer(data, newPagination(number, perPage, total))
}

func newPagination(number, perPage, total int) *pivotPagination {
	return &pivotPagination{number, perPage, total, (total + perPage - 1) / perPage}
}

// endlessPage returns a full page: the items, then copies with other references.
func endlessPage(items []pivotRecord, number, perPage int) []pivotRecord {
	page := make([]pivotRecord, perPage)
	for i := range page {
		n := (number-1)*perPage + i
		page[i] = items[n%len(items)]
		if n >= len(items) {
			page[i].Reference = fmt.Sprintf("ENDLESS-%d", n)
		}
	}
	return page
}
