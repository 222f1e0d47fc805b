package simulation

import (
	"bytes"

	"payout-callbacks/pkg/callback"
)

// forge sends what somebody makes who has seen a callback and has no key, or
// only another account's. It must be refused and leave nothing.
func (w *world) forge(t *delivery) {
	if t.signed.Body == nil {
		return
	}
	body := alter(t.signed.Body, pick(w, true, false))
	header := t.signed.Header.Clone()
	switch pick(w, "sign", "other key", "none") {
	case "sign":
		header.Set("X-Api-Key", "key-"+"00000000000000000000000000")
		body = bytes.Replace(body, []byte(`"sign":"`), []byte(`"sign":"0`), 1)
	case "other key":
		signed, theirs, err := providers[t.provider].Sign(body, w.secrets.used[t.provider][accounts[t.provider][1]])
		if err != nil {
			w.complainf("sign: %v", err)
		}
		body, header = signed, theirs
		if t.provider == "pivot" {
			header.Del("X-Api-Key") // whoever has any key is authentic there: what such a sender says of others is held
		}
	case "none":
		header.Del("X-Api-Key")
		body = bytes.Replace(body, []byte(`"sign"`), []byte(`"sing"`), 1)
	}
	w.tally.Forged++
	w.notef("somebody forges a callback of %s", t.provider)
	reply := w.ingress(t.provider, callback.NewRequest(t.kind, header, body))
	if acknowledges(t.provider, reply) || reply.Code != 401 && reply.Code < 500 {
		w.complainf("I6: a forged callback of %s was answered %d %q", t.provider, reply.Code, reply.Body)
	}
}

// alter makes a body say something else, if it is to.
func alter(body []byte, other bool) []byte {
	if !other {
		return bytes.Clone(body)
	}
	body = bytes.ReplaceAll(body, []byte("100000"), []byte("999999"))
	return bytes.Replace(body, []byte(`"amount":"1`), []byte(`"amount":"9`), 1)
}
