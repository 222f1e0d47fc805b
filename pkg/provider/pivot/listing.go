package pivot

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// listing is a request with its items, read in pages.
type listing struct {
	page

	pages      int
	pagination pagination // of the first page
	hasShifted bool       // whether a page differs from the first in what all pages state
}

// add adds a page. It reports false if the page does not belong to the first.
func (l *listing) add(p page, at pagination) bool {
	if l.pages++; l.pages == 1 {
		l.page, l.pagination = p, at
		return true
	}
	l.hasShifted = p.status != l.status || p.totals != l.totals || at != l.pagination
	l.items = append(l.items, p.items...)
	return !l.hasShifted
}

// isWhole reports whether the pages belong together, and have each item once.
func (l *listing) isWhole() bool {
	references := map[string]bool{}
	for _, i := range l.items {
		references[i.ours] = true
	}
	return !l.hasShifted && len(references) == len(l.items) && len(l.items) == l.pagination.TotalItems
}

// answer returns the statements of a listing: one for each item, and one for the batch if
// it was asked about or is a bulk. An item that was asked about and is not listed is not
// known; while the request is not processed, Pivot cannot say yet.
func (l *listing) answer(account, uuid string, payouts []reconcile.Asked) reconcile.Answer {
	isBatch := func(asked reconcile.Asked) bool { return asked.ID.Type() == payout.TypeBatch }
	isListed := func(asked reconcile.Asked) bool {
		reference := referenceOf(asked)
		return reference == "" && len(l.items) > 0 || findItem(l.items, reference) != nil
	}
	hasBatch := slices.ContainsFunc(payouts, isBatch)
	if !hasBatch && !slices.ContainsFunc(payouts, isListed) {
		if isEnded := requestStatuses[l.status].IsFinal(); !isEnded {
			return reconcile.Answer{Outcome: reconcile.InProcess, Detail: "the request has no such item yet"}
		}
		return reconcile.Answer{Outcome: reconcile.NotFound, Detail: "the request has no such item"}
	}
	answer := reconcile.Answer{Outcome: reconcile.Answered}
	if hasBatch || len(l.items) > 1 {
		answer.Statements = append(answer.Statements, l.statement(account, uuid))
	}
	for _, i := range l.items {
		answer.Statements = append(answer.Statements, i.statement(account, uuid))
	}
	return answer
}

// statement returns what a listing states about its batch. A request in progress states
// no totals, because it may not have all of its items yet. Other totals that are not those
// of the items are not stated either: the statement is held if the request is done or
// cancelled.
func (l *listing) statement(account, uuid string) reconcile.Statement {
	event := payout.Event{
		ID: payout.NewID(name, payout.TypeBatch, account, uuid, ""), Source: payout.SourceQuery, Status: requestStatuses[l.status], Totals: l.totals,
	}
	count, sum := l.sum(func(item) bool { return true })
	succeeded, succeededSum := l.sum(func(i item) bool { return itemStatuses[i.status] == payout.Succeeded })
	all := l.totals.All()
	matches := count > 0 && !strings.HasPrefix(l.status, "IN") &&
		all.Count == count && all.Amount.Cmp(sum) == 0 && l.totals.Succeeded.Count == succeeded && l.totals.Succeeded.Amount.Cmp(succeededSum) == 0
	statement := reconcile.Statement{Body: encodeBatch(account, uuid, l.page)}
	switch {
	case event.Status == "":
		statement.Held = reconcile.HeldAnswer(event, l.status, string(callback.ReasonStatus), fmt.Sprintf("a query states the request's status %q, which is not documented", l.status))
	case matches:
		statement.Event = event
	case event.Status.IsFinal():
		statement.Held = reconcile.HeldAnswer(event, fmt.Sprint(count, sum, succeeded, succeededSum), string(callback.ReasonMismatch),
			fmt.Sprintf("payoutResults state %s of %d items and %s; the listing has %d items with the sum %s, of which %d with the sum %s succeeded",
				l.totals.SettledKey(), all.Count, all.Amount, count, sum, succeeded, succeededSum))
	default:
		event.Totals = payout.Totals{}
		statement.Event = event
	}
	return statement
}

// sum returns the number of items that match, and the sum of their amounts.
func (l *listing) sum(match func(item) bool) (count int64, sum payout.Amount) {
	sum = "0"
	for _, i := range l.items {
		if match(i) {
			count++
			sum = sum.Add(i.amount)
		}
	}
	return count, sum
}

// statement returns what an answer states about an item.
func (i item) statement(account, uuid string) reconcile.Statement {
	event := payout.Event{
		ID:        payout.NewID(name, payout.TypePayout, account, uuid, i.ours),
		Source:    payout.SourceQuery,
		Reference: i.ours,
		Status:    itemStatuses[i.status],
		Reason:    i.reason,
		Amount:    i.amount,
		Currency:  i.currency,
	}
	statement := reconcile.Statement{Body: encodeItem(account, uuid, i)}
	if event.Status == "" {
		statement.Held = reconcile.HeldAnswer(event, i.status, string(callback.ReasonStatus), fmt.Sprintf("a query states the status %q, which is not documented", i.status))
	} else {
		statement.Event = event
	}
	return statement
}

// totals reads payoutResults, whose values are numbers. Those of cancelled items are
// missing on the older page. An absent object has no totals.
func (r *fieldReader) totals(value jsontext.Value) payout.Totals {
	if kind := value.Kind(); kind == jsontext.KindInvalid || kind == jsontext.KindNull {
		return payout.Totals{}
	}
	var fields struct {
		PendingCount    jsontext.Value `json:"totalPendingCount"`
		PendingAmount   jsontext.Value `json:"totalPendingAmount"`
		SuccessCount    jsontext.Value `json:"totalSuccessCount"`
		SuccessAmount   jsontext.Value `json:"totalSuccessAmount"`
		FailedCount     jsontext.Value `json:"totalFailedCount"`
		FailedAmount    jsontext.Value `json:"totalFailedAmount"`
		CancelledCount  jsontext.Value `json:"totalCancelledCount"`
		CancelledAmount jsontext.Value `json:"totalCancelledAmount"`
	}
	r.failIf(json.Unmarshal(value, &fields) != nil, "payoutResults", "not the documented object")
	return payout.Totals{
		Pending:   r.tally("totalPending", fields.PendingCount, fields.PendingAmount),
		Succeeded: r.tally("totalSuccess", fields.SuccessCount, fields.SuccessAmount),
		Failed:    r.tally("totalFailed", fields.FailedCount, fields.FailedAmount),
		Cancelled: r.tally("totalCancelled", fields.CancelledCount, fields.CancelledAmount),
	}
}

// tally reads a count of items and the sum of their amounts; 0 for an absent one.
func (r *fieldReader) tally(field string, count, sum jsontext.Value) payout.Tally {
	if count.Kind() == jsontext.KindInvalid && sum.Kind() == jsontext.KindInvalid {
		return payout.Tally{Amount: "0"}
	}
	number, err := strconv.ParseUint(string(count), 10, 63)
	r.failIf(err != nil || len(count) > maxDigits, field+"Count", "not a plain count")
	amount, err := payout.ParseAmount(string(sum))
	r.failIf(err != nil, field+"Amount", "not a plain decimal")
	return payout.Tally{Count: int64(number), Amount: amount}
}

// encodeItem writes an item as the data of an answer about it, without the recipient.
func encodeItem(account, uuid string, i item) []byte {
	var body struct {
		UUID       string `json:"uuid"`
		MerchantID string `json:"merchantId"`
		Payouts    struct {
			Reference string `json:"referenceId"`
			Amount    struct {
				Currency string        `json:"currency"`
				Value    payout.Amount `json:"value"`
			} `json:"amount"`
			Status  string `json:"status"`
			Reason  string `json:"reason"`
			Created string `json:"created,omitzero"`
			Updated string `json:"updated,omitzero"`
		} `json:"payouts"`
	}
	body.UUID, body.MerchantID = uuid, account
	p := &body.Payouts
	p.Reference, p.Status, p.Reason, p.Created, p.Updated = i.sent, i.status, i.reason, i.created, i.updated
	p.Amount.Currency, p.Amount.Value = i.currency, i.amount
	return encode(body)
}

// encodeBatch writes what a listing states about its request, without the items.
func encodeBatch(account, uuid string, p page) []byte {
	body := struct {
		UUID       string                    `json:"uuid"`
		MerchantID string                    `json:"merchantId"`
		Status     string                    `json:"status"`
		Results    map[string]jsontext.Value `json:"payoutResults,omitempty"`
	}{uuid, account, p.status, map[string]jsontext.Value{}}
	for field, tally := range map[string]payout.Tally{
		"totalPending": p.totals.Pending, "totalSuccess": p.totals.Succeeded, "totalFailed": p.totals.Failed, "totalCancelled": p.totals.Cancelled,
	} {
		if tally.Amount != "" { // stated
			body.Results[field+"Count"] = strconv.AppendInt(nil, tally.Count, 10)
			body.Results[field+"Amount"] = jsontext.Value(tally.Amount)
		}
	}
	return encode(body)
}

// encode encodes values that were read from JSON, which cannot fail.
func encode(body any) []byte {
	text, err := json.Marshal(body, json.Deterministic(true))
	if err != nil {
		return nil // not reached
	}
	return text
}
