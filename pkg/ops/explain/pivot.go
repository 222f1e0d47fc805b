package explain

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

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
	r.Account = merchantIn(in.Request)
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

// merchantIn returns the merchant that a body names, even if the body is malformed.
func merchantIn(request callback.Request) string {
	if request.TooLarge() {
		return ""
	}
	data := fieldNamed(parseFields(request.Body), "data")
	merchant := fieldNamed(parseFields([]byte(data.raw)), "merchantId")
	if merchant.kind != jsontext.KindString {
		return ""
	}
	return merchant.text
}

func (r *Report) checkPivotKey(in Input, received string) {
	if wrapping, k, ok := findWrappedKey(in.Keys, r.Account, received); ok {
		r.addf(CauseWrappedKey, "the header contains key %s of merchant %s %s", k, k.account, wrapping)
		return
	}
	if _, ok := in.Keys[r.Account]; r.Account != "" && !ok {
		r.addf(CauseNoKeys, "no key is stored for merchant %s; keys are stored for %s", r.Account, accountNames(in.Keys))
	}
	r.addf(CauseUnknownKey, "the header contains a key of %d characters with the id %s, which is not stored: compare the Callback API Key "+
		"in Pivot's dashboard with the stored keys. It is not the key of our calls to Pivot", len(received), callback.Key(received).ID())
}

// findHeader looks for a stored key in the other headers.
func (r *Report) findHeader(in Input) {
	for _, name := range slices.Sorted(maps.Keys(in.Request.Header)) {
		for _, value := range in.Request.Header[name] {
			wrapping, k, ok := findWrappedKey(in.Keys, r.Account, value)
			if !ok {
				continue
			}
			r.addf(CauseCredentialPlace, "the header %s contains key %s of merchant %s %s; Pivot sends it as X-API-Key: "+
				"check whether a proxy renames the header", name, k, k.account, wrapping)
			return
		}
	}
}

// findWrappedKey finds a stored key in a header's value.
func findWrappedKey(keys callback.Keys, account, value string) (wrapping string, key accountKey, ok bool) {
	_, credentials, _ := strings.Cut(value, " ")
	decoded, _ := base64.StdEncoding.DecodeString(value)
	for _, candidate := range []struct{ wrapping, text string }{
		{"unchanged", value},
		{"with whitespace around it", strings.TrimSpace(value)},
		{"in quotes", strings.Trim(value, `"'`)},
		{"after a scheme such as Bearer", credentials},
		{"in base64", string(decoded)},
	} {
		for _, k := range keysFor(keys, account) {
			if candidate.text != "" && string(k.key) == candidate.text {
				return candidate.wrapping, k, true
			}
		}
	}
	return "", accountKey{}, false
}
