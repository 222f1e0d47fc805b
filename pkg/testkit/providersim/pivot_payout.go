package providersim

import (
	"cmp"
	"encoding/json"
	"net/http"
	"time"

	"github.com/shopspring/decimal"
)

// The words of Pivot (docs/payouts/state-and-status/domestic-payout).
const (
	pivotInProgress = "IN_PROGRESS"
	pivotDone       = "DONE"
	pivotPending    = "PENDING"
	pivotCancelled  = "CANCELLED"
	pivotApproved   = "APPROVED"
	pivotSuccess    = "SUCCESS"
	pivotFailed     = "FAILED"
	pivotRejected   = "REJECTED"
	pivotUnknown    = "RETURNED" // a status that no page has
)

// pivotStatuses are the statuses of requests and of items by the plan's status.
var pivotStatuses = map[Status]struct{ request, item string }{
	none:      {pivotDone, pivotSuccess},
	Succeeded: {pivotDone, pivotSuccess},
	Failed:    {pivotDone, pivotFailed},
	Rejected:  {pivotDone, pivotRejected},
	Cancelled: {pivotCancelled, pivotCancelled},
	Unfunded:  {pivotPending, pivotApproved},
	Pending:   {pivotDone, pivotPending}, // an item that is pending in a request that is done
}

// pivotState is a request at a time.
type pivotState struct {
	request string
	updated time.Time
	items   []pivotRecord
}

// pivotRecord is an item in an answer (docs/api-references/api-lists/payout-local/payout-object).
type pivotRecord struct {
	PivotItem

	Amount  any    `json:"amount"` // PivotAmount
	Created string `json:"created"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Updated string `json:"updated"`
}

// state returns a request as of a time. The items of a request in progress are
// APPROVED [guess: the pages have no status for them].
func (p *payout) state(asOf time.Time) pivotState {
	last, hasEnded := p.endAt(asOf)
	state := pivotState{request: pivotInProgress, updated: p.ordered}
	if hasEnded {
		state.request, state.updated = pivotStatuses[last.plan.Status].request, last.at
	}
	for _, item := range p.items {
		record := pivotRecord{
			PivotItem: item, Amount: item.Amount, Created: pivotTime(p.ordered), Status: pivotApproved, Updated: pivotTime(state.updated),
		}
		if hasEnded {
			record.Status, record.Reason = last.plan.item(item.Reference)
		}
		state.items = append(state.items, record)
	}
	return state
}

// item returns an item's status and reason once the plan has ended.
func (p Plan) item(reference string) (status, reason string) {
	status = pivotStatuses[cmp.Or(p.Items[reference], p.Status)].item
	switch status {
	case pivotFailed, pivotRejected:
		return status, cmp.Or(p.Reason, "Invalid account")
	case pivotApproved:
		return status, cmp.Or(p.Reason, "Insufficient Balance")
	}
	return status, ""
}

// pivotTotals are the payoutResults: numbers, amounts included.
type pivotTotals struct {
	FailedAmount    json.Number `json:"totalFailedAmount"`
	FailedCount     int         `json:"totalFailedCount"`
	PendingAmount   json.Number `json:"totalPendingAmount"`
	PendingCount    int         `json:"totalPendingCount"`
	SuccessAmount   json.Number `json:"totalSuccessAmount"`
	SuccessCount    int         `json:"totalSuccessCount"`
	CancelledCount  int         `json:"totalCancelledCount"`
	CancelledAmount json.Number `json:"totalCancelledAmount"`
}

// totals counts the items of a request. A rejected item counts as failed [guess].
func (s pivotState) totals() pivotTotals {
	counts, sums := map[string]int{}, map[string]decimal.Decimal{}
	for _, item := range s.items {
		status := item.Status
		switch status {
		case pivotRejected:
			status = pivotFailed
		case pivotApproved:
			status = pivotPending
		}
		counts[status]++
		sums[status] = sums[status].Add(decimal.RequireFromString(item.PivotItem.Amount.Value)) // checked in the order
	}
	sum := func(status string) json.Number { return json.Number(sums[status].String()) }
	return pivotTotals{
		FailedAmount: sum(pivotFailed), FailedCount: counts[pivotFailed],
		PendingAmount: sum(pivotPending), PendingCount: counts[pivotPending],
		SuccessAmount: sum(pivotSuccess), SuccessCount: counts[pivotSuccess],
		CancelledAmount: sum(pivotCancelled), CancelledCount: counts[pivotCancelled],
	}
}

// pivotSingle is the payout in the callback of a single payout.
type pivotSingle struct {
	Reference string      `json:"referenceId"`
	Amount    PivotAmount `json:"amount"`
	Status    string      `json:"status"`
	Reason    *string     `json:"reason"` // null unless the payout failed
}

// pivotCallback is the body of a callback
// (docs/api-references/api-lists/payout-local/payout-callback).
type pivotCallback struct {
	Event string `json:"event"`
	Data  struct {
		UUID     string       `json:"uuid"`
		Merchant string       `json:"merchantId"`
		Totals   *pivotTotals `json:"payoutResults,omitempty"` // of a bulk
		Single   *pivotSingle `json:"payouts,omitempty"`       // of a single payout
		Status   string       `json:"status,omitempty"`        // of a bulk
	} `json:"data"`
}

// callback implements provider. A bulk has an event for each status of the
// request, a single payout for SUCCESS and FAILED only. Pivot signs nothing: a
// forged callback has another key.
func (p *Pivot) callback(order *payout, plan Plan, at time.Time) (request, bool) {
	var body pivotCallback
	body.Data.UUID, body.Data.Merchant = order.id, order.account
	state := order.with(end{at, plan}).state(at)
	status := state.request
	if len(order.items) == 1 {
		item := state.items[0]
		status = item.Status
		if status != pivotSuccess && status != pivotFailed {
			return request{}, false
		}
		body.Data.Single = &pivotSingle{item.Reference, item.PivotItem.Amount, status, nil}
		if item.Reason != "" {
			body.Data.Single.Reason = &item.Reason
		}
	} else {
		totals := state.totals()
		body.Data.Totals, body.Data.Status = &totals, status
	}
	body.Event = "PAYOUT." + status
	body.alter(plan.Altered)
	key := p.merchants[order.account].CallbackKey
	if plan.Forged {
		key = p.text("0123456789abcdef", 32)
	}
	// The header names and values have the spelling of the page.
	return request{http.Header{"X-API-Key": {key}, "Content-Type": {"application/JSON"}, "Accept": {"application/JSON"}}, mustMarshal(body)}, true
}

// with returns a copy of the payout that ends as stated, whatever else is planned.
func (p *payout) with(e end) *payout {
	changed := *p
	changed.ends = []end{e}
	return &changed
}

func (b *pivotCallback) alter(field Alteration) {
	switch {
	case field == AlteredAmount && b.Data.Single != nil:
		b.Data.Single.Amount.Value = "9" + b.Data.Single.Amount.Value
	case field == AlteredAmount:
		b.Data.Totals.SuccessAmount = "9" + b.Data.Totals.SuccessAmount
	case field == AlteredCurrency && b.Data.Single != nil: // a bulk callback states no currency
		b.Data.Single.Amount.Currency = "Rupiah"
	}
}

// The waits before a callback is sent again, each after the attempt before
// (docs/api-references/api-information/callback).
var pivotWaits = []time.Duration{5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour}

// judge implements provider. Pivot repeats after 5xx, 408, and 429; also without
// an answer [guess].
func (p *Pivot) judge(attempt Attempt, attempts int) (isAcknowledged bool, wait time.Duration, isRetried bool) {
	switch code := attempt.Code; {
	case code == http.StatusOK:
		return true, 0, false
	case code != 0 && code < 500 && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests:
		return false, 0, false
	case attempts > len(pivotWaits):
		return false, 0, false
	}
	return false, pivotWaits[attempts-1], true
}

// status implements provider.
func (p *Pivot) status(order *payout, at time.Time) string {
	state := order.state(at)
	if len(order.items) == 1 {
		return state.request + "/" + state.items[0].Status
	}
	return state.request
}

func pivotTime(at time.Time) string { return at.Truncate(time.Second).Format(time.RFC3339) }
