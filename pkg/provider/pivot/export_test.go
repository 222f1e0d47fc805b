package pivot

import "payout-callbacks/pkg/reconcile"

// CanonicalText returns a reference as an event has it.
func CanonicalText(text string) string { return canonicalText(text) }

// ReadAnswer reads the answer about a request: about one item, or the only page of a
// listing.
func ReadAnswer(status int, body []byte, account, uuid string, asked ...reconcile.Asked) reconcile.Answer {
	e, answer, ok := readEnvelope(reconcile.Response{Status: status, Body: body}, nil)
	if !ok {
		return answer
	}
	p, problem := readPage(e, account, uuid)
	if problem != "" {
		return unusable(problem)
	}
	l := listing{page: p, pagination: pagination{TotalItems: len(p.items)}}
	if !l.isWhole() {
		return unusable("an item twice")
	}
	return l.answer(account, uuid, asked)
}
