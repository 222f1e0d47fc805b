package pivot

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// parse reads both families of docs/api-lists/payout-local/payout-callback.
func (c content) parse(sender callback.Sender) (payout.Event, *callback.Held) {
	request := c.request
	switch {
	case request.TooLarge():
		return payout.Event{}, holdTooLarge(request)
	case request.IsAltered():
		return payout.Event{}, holdAltered(request)
	case c.err != nil:
		return payout.Event{}, &callback.Held{
			Reason:  callback.ReasonUnreadable,
			Note:    "not strict JSON: " + display(c.err.Error()),
			Subject: canonicalJSON(request.Body),
		}
	}
	r := reader{body: *c.body}
	e := r.event(sender.Account)
	if r.held != nil {
		r.held.Subject = canonicalJSON(request.Body)
		return payout.Event{}, r.held
	}
	return e, nil
}

// holdTooLarge names a cut body by the digest of the whole: two that begin
// alike are not the same.
func holdTooLarge(request callback.Request) *callback.Held {
	digest := fmt.Sprintf("sha256:%x", request.BodySHA256())
	return &callback.Held{
		Reason:  callback.ReasonTooLarge,
		Note:    fmt.Sprintf("%d bytes, %s; the first %d are kept", request.BodySize, digest, len(request.Body)),
		Subject: subjectOf(request, []byte(digest)),
	}
}

// holdAltered holds a body of which the gateway replaced bytes: any part of it
// may have been another one.
func holdAltered(request callback.Request) *callback.Held {
	return &callback.Held{
		Reason: callback.ReasonUnreadable,
		Note: "the body holds U+FFFD: the gateway passed it on as text and puts that in place of bytes that are not UTF-8; " +
			"what stood there is lost (request " + display(request.DeliveryID()) + ")",
		Subject: subjectOf(request, request.Body),
	}
}

// subjectOf names a held body. Two altered bodies that are equal now may have
// been different when they were sent, so each delivery has its own name.
func subjectOf(request callback.Request, body []byte) []byte {
	if !request.IsAltered() {
		return body
	}
	return fmt.Appendf(nil, "delivery %q of %s", request.DeliveryID(), body)
}

// reader makes an event of a body. The first thing that is not as documented
// is kept as the reason to hold it, and whatever is read after that is void.
type reader struct {
	body body
	held *callback.Held
}

func (r *reader) holdf(reason callback.Reason, format string, args ...any) {
	if r.held == nil {
		r.held = &callback.Held{Reason: reason, Note: fmt.Sprintf(format, args...)}
	}
}

// event reads the shape from the body, because PAYOUT.DELAYED comes in both.
func (r *reader) event(account string) payout.Event {
	called := r.body.string(event)
	word, ours := strings.CutPrefix(called, family)
	bulk, ok := r.body.has(results), r.body.has(single)
	r.bind(account)
	switch {
	case !ours, !known(word) && !bulk && !ok:
		r.holdf(callback.ReasonUnknown, "event %s is no payout's", display(called))
	case !known(word):
		r.holdf(callback.ReasonStatus, "event %s is not documented", display(called))
	case bulk && ok:
		r.holdf(callback.ReasonMismatch, "both payoutResults and payouts")
	case bulk:
		return r.batch(word, r.merchant(account))
	case ok:
		return r.payout(word, r.merchant(account))
	default:
		r.holdf(callback.ReasonField, "neither payoutResults nor payouts")
	}
	return payout.Event{}
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

// payout reads a single payout's callback. The uuid names the request that it
// was part of, so our reference is needed to tell it from the others.
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

// bind holds a body of another merchant than the one whose key came: a key
// proves nothing about another account, whatever the family of the event.
func (r *reader) bind(account string) {
	if named := r.body.string(merchantID); named != "" && !isSameID(named, account) {
		r.holdf(callback.ReasonMismatch, "merchantId is %s, but the key is that of %s", display(named), display(account))
	}
}

// merchant returns the account, which the body of a payout must name.
func (r *reader) merchant(account string) string {
	if r.body.string(merchantID) == "" {
		r.holdf(callback.ReasonField, "merchantId: %s", r.display(merchantID))
	}
	return account
}

// status returns what the event's word means in its family. Each place where a
// status stands must say the same word, and one of them must: on the current
// page it stands in data, on the older one
// (docs/api-lists/payout-local/payout-webhook) inside payoutResults.
func (r *reader) status(word string, statuses map[string]payout.Status, places ...field) payout.Status {
	ok := false
	for _, at := range places {
		ok = r.agrees(at, word) || ok
	}
	if !ok {
		r.holdf(callback.ReasonField, "status: missing")
	}
	if statuses[word] == "" {
		r.holdf(callback.ReasonMismatch, "event %s is of the other family than the body", family+word)
	}
	return statuses[word]
}

// agrees reports whether a status stands there, and holds one that says
// something else than the event.
func (r *reader) agrees(at field, word string) bool {
	if !r.body.has(at) {
		return false
	}
	switch said := r.body.string(at); {
	case said == "":
		r.holdf(callback.ReasonField, "%s: %s", at, r.display(at))
	case !known(said):
		r.holdf(callback.ReasonStatus, "status %s is not documented", display(said))
	case said != word:
		r.holdf(callback.ReasonMismatch, "event %s, but status %s", family+word, said)
	}
	return true
}

func (r *reader) object(at field) {
	if r.body.kind(at) != jsontext.KindBeginObject {
		r.holdf(callback.ReasonField, "%s: %s, want an object", at, r.display(at))
	}
}

// shown is what a field holds, for a person to look at.
func (r *reader) display(at field) string {
	switch r.body.kind(at) {
	case jsontext.KindInvalid:
		return "missing"
	case jsontext.KindBeginObject:
		return "an object"
	case jsontext.KindBeginArray:
		return "an array"
	case jsontext.KindString:
		return display(r.body.string(at))
	default:
		return r.body[at][:min(len(r.body[at]), maxDisplayed)]
	}
}

const maxDisplayed = 100

// shown quotes what a callback holds, bounded: a note is no copy of the body.
func display(text string) string {
	if len(text) > maxDisplayed {
		return fmt.Sprintf("%q and %d bytes more", text[:maxDisplayed], len(text)-maxDisplayed)
	}
	return fmt.Sprintf("%q", text)
}

// String is the field's name and that of the object it is in.
func (f field) String() string {
	if in := layout[f].in; in != top && in != data {
		return layout[in].name + "." + layout[f].name
	}
	return layout[f].name
}
