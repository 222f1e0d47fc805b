package explain

import (
	"maps"
	"slices"
	"strings"

	"payout-callbacks/pkg/callback"
)

// pivotHeader is the header with Pivot's key, as http.Header spells it.
const pivotHeader = "X-Api-Key"

// explainPivot explains a callback with a key in a header, whose body is not
// signed. See pkg/provider/pivot.
func (r *Report) explainPivot(in Input) {
	received := in.Request.Header[pivotHeader]
	if len(received) > 0 && received[0] != "" {
		r.Received = callback.Key(received[0]).ID()
	}
	for _, k := range keysOf(in.Keys, r.Account) {
		isMatch := r.Verdict == callback.Acknowledged && r.Sender.KeyID == k.key.ID()
		r.KeyChecks = append(r.KeyChecks, KeyCheck{KeyID: k.key.ID(), Previous: k.previous, Matches: isMatch})
	}
	switch {
	case r.Verdict == callback.Acknowledged:
		r.explainHeldPivot(in.Request)
	case len(received) == 0:
		r.addf(CauseNoCredential, "the header X-API-Key is missing")
		r.findHeader(in)
	case len(received) > 1:
		r.addf(CauseCredentialForm, "the header X-API-Key occurs %d times, with different values or without a stored key", len(received))
	case received[0] == "":
		r.addf(CauseNoCredential, "the header X-API-Key is empty")
	default:
		r.checkPivotKey(in, received[0])
	}
}

// explainHeldPivot explains why a verified callback is held.
func (r *Report) explainHeldPivot(request callback.Request) {
	if r.Held != nil && r.Account != "" && !strings.EqualFold(r.Account, r.Sender.Account) {
		r.addf(CauseOtherAccount, "key %s belongs to merchant %s, and the body names merchant %s", r.Sender.KeyID, r.Sender.Account, r.Account)
	}
	if !request.TooLarge() {
		r.addUnreadable(request.Body)
	}
}

func (r *Report) checkPivotKey(in Input, received string) {
	if r.findHeader(in) {
		return
	}
	if _, ok := in.Keys[r.Account]; r.Account != "" && !ok {
		r.addf(CauseNoKeys, "no key is stored for merchant %s; keys are stored for %s", r.Account, accountNames(in.Keys))
	}
	r.addf(CauseUnknownKey, "the header contains a key of %d characters with the id %s, which is not stored: compare the Callback API Key "+
		"in Pivot's dashboard with the stored keys. It is not the key of our calls to Pivot", len(received), callback.Key(received).ID())
}

// findHeader looks for a header that contains a stored key, in any form.
func (r *Report) findHeader(in Input) bool {
	for _, name := range slices.Sorted(maps.Keys(in.Request.Header)) {
		for _, account := range slices.Sorted(maps.Keys(in.Keys)) {
			for _, k := range keysOf(in.Keys, account) {
				if strings.Contains(strings.Join(in.Request.Header[name], "\n"), string(k.key)) {
					r.addf(CauseCredentialPlace, "the header %s contains key %s of merchant %s; Pivot sends it as X-API-Key, without anything around it: "+
						"check whether a proxy changes the header", name, keyName(k.key.ID(), k.previous), account)
					return true
				}
			}
		}
	}
	return false
}
