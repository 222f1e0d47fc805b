package pivot

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/jsonbody"
)

// parse reads both families of docs/api-lists/payout-local/payout-callback.
func (c content) parse(sender callback.Sender) (payout.Event, *callback.Held) {
	request := c.request
	if held := jsonbody.Hold(request, c.err); held != nil {
		return payout.Event{}, held
	}
	r := reader{body: *c.body}
	e := r.event(sender.Account)
	if r.held != nil {
		r.held.Subject = jsonbody.Canonical(request.Body)
		r.held.ProviderID, r.held.Reference = r.hints(sender.Account)
		return payout.Event{}, r.held
	}
	return e, nil
}

// reader reads an event from a body. It keeps the first deviation from the
// documentation as the reason to hold the body; the event is then void.
type reader struct {
	body body
	held *callback.Held
}

func (r *reader) holdf(reason callback.Reason, format string, args ...any) {
	if r.held == nil {
		r.held = &callback.Held{Reason: reason, Note: fmt.Sprintf(format, args...)}
	}
}

// event reads a batch or a payout, as the body decides: both have PAYOUT.DELAYED.
func (r *reader) event(account string) payout.Event {
	eventName := r.body.string(event)
	word, isPayout := strings.CutPrefix(eventName, family)
	isBulk, isSingle := r.body.has(results), r.body.has(single)
	r.checkMerchant(account)
	switch {
	case !isPayout, !isStatus(word) && !isBulk && !isSingle:
		r.holdf(callback.ReasonUnknown, "event %s is not a payout event", jsonbody.Quote(eventName))
	case !isStatus(word):
		r.holdf(callback.ReasonStatus, "event %s is not documented", jsonbody.Quote(eventName))
	case isBulk && isSingle:
		r.holdf(callback.ReasonMismatch, "both payoutResults and payouts")
	case isBulk:
		return r.batch(word, r.merchant(account))
	case isSingle:
		return r.payout(word, r.merchant(account))
	default:
		r.holdf(callback.ReasonField, "neither payoutResults nor payouts")
	}
	return payout.Event{}
}

// hints returns the uuid of the request and our reference, for a query about the payout of
// a held callback: those of a payout's callback for the merchant that sent it.
func (r *reader) hints(account string) (uuidHint, referenceHint string) {
	named := r.body.string(merchantID)
	if !strings.HasPrefix(r.body.string(event), family) || named != "" && !isSameID(named, account) {
		return "", ""
	}
	if id := r.body.string(uuid); isUUID.match(id) {
		uuidHint = canonicalID(id)
	}
	if ours := r.body.string(reference); isReference.match(ours) {
		referenceHint = canonicalText(ours)
	}
	return uuidHint, referenceHint
}

// batch reads a bulk request's callback. It names no item and no reference.
func (r *reader) batch(word, merchant string) payout.Event {
	r.object(results)
	meaning := r.status(word, bulkStatuses, status, resultsStatus)
	return payout.Event{
		ID:     payout.NewID(name, payout.TypeBatch, merchant, canonicalID(r.text(uuid, isUUID)), ""),
		Status: meaning,
		Totals: payout.Totals{
			Pending:   r.tally(pendingCount, pendingAmount),
			Succeeded: r.tally(successCount, successAmount),
			Failed:    r.tally(failedCount, failedAmount),
			Cancelled: r.cancelled(),
		},
	}
}

// payout reads a single payout's callback. The uuid names the request, so the id of
// the payout needs our reference as well.
func (r *reader) payout(word, merchant string) payout.Event {
	r.object(single)
	meaning := r.status(word, singleStatuses, singleStatus, status)
	if !r.body.has(singleStatus) {
		r.holdf(callback.ReasonField, "payouts.status: missing")
	}
	ours := canonicalText(r.text(reference, isReference))
	r.object(amount)
	return payout.Event{
		ID:        payout.NewID(name, payout.TypePayout, merchant, canonicalID(r.text(uuid, isUUID)), ours),
		Reference: ours,
		Status:    meaning,
		Reason:    r.reason(),
		Amount:    r.amount(),
		Currency:  r.text(amountCurrency, isCurrency),
	}
}

// checkMerchant holds a body that names a merchant other than the owner of the key,
// whatever the family of the event: a key verifies only its own account.
func (r *reader) checkMerchant(account string) {
	if named := r.body.string(merchantID); named != "" && !isSameID(named, account) {
		r.holdf(callback.ReasonMismatch, "merchantId is %s, but the key is that of %s", jsonbody.Quote(named), jsonbody.Quote(account))
	}
}

// merchant returns the account, which the body must name.
func (r *reader) merchant(account string) string {
	if r.body.string(merchantID) == "" {
		r.holdf(callback.ReasonField, "merchantId: %s", r.display(merchantID))
	}
	return account
}

// status returns the meaning of the event's word in its family. At least one of the
// places must have a status, and each status must be the same word: on the current page
// it is in data, on the older one (docs/api-lists/payout-local/payout-webhook) in
// payoutResults.
func (r *reader) status(word string, statuses map[string]payout.Status, places ...field) payout.Status {
	hasStatus := false
	for _, at := range places {
		hasStatus = r.checkStatus(at, word) || hasStatus
	}
	if !hasStatus {
		r.holdf(callback.ReasonField, "status: missing")
	}
	if statuses[word] == "" {
		r.holdf(callback.ReasonMismatch, "event %s does not belong to the family of the body", family+word)
	}
	return statuses[word]
}

// checkStatus reports whether the field has a status, and holds a body whose status is
// not that of the event.
func (r *reader) checkStatus(at field, word string) bool {
	if !r.body.has(at) {
		return false
	}
	switch text := r.body.string(at); {
	case text == "":
		r.holdf(callback.ReasonField, "%s: %s", at, r.display(at))
	case !isStatus(text):
		r.holdf(callback.ReasonStatus, "status %s is not documented", jsonbody.Quote(text))
	case text != word:
		r.holdf(callback.ReasonMismatch, "event %s, but status %s", family+word, text)
	}
	return true
}

// object holds a body in which the field is not an object.
func (r *reader) object(at field) {
	if r.body.kind(at) != jsontext.KindBeginObject {
		r.holdf(callback.ReasonField, "%s: %s, want an object", at, r.display(at))
	}
}

// display returns the value of a field for a note.
func (r *reader) display(at field) string {
	switch r.body.kind(at) {
	case jsontext.KindInvalid:
		return "missing"
	case jsontext.KindBeginObject:
		return "an object"
	case jsontext.KindBeginArray:
		return "an array"
	case jsontext.KindString:
		return jsonbody.Quote(r.body.string(at))
	default:
		return jsonbody.Cut(r.body[at])
	}
}

// String returns the name of the field, after that of its object.
func (f field) String() string {
	if in := layout[f].in; in != top && in != data {
		return layout[in].name + "." + layout[f].name
	}
	return layout[f].name
}
