package explain

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"payout-callbacks/pkg/callback"
)

// explainProof explains a callback by its provider's description: one with a key or a
// signature in a header, or with a proof in the body that only the provider's package
// knows.
func (r *Report) explainProof(in Input) {
	header := in.Provider.ProofHeader
	received := in.Request.Header.Values(header)
	proof := strings.Join(received, "")
	if in.Provider.SendsKey() && proof != "" {
		r.Received = callback.Key(received[0]).ID()
	}
	r.addKeyChecks(in)
	switch {
	case r.Verdict == callback.Acknowledged:
		r.explainHeld(in.Request)
	case r.Verdict == callback.Malformed:
		r.addUnreadable(in.Request.Body)
	case r.findSigningTime(in):
	case header == "":
		r.checkKey(in, proof)
	case len(received) == 0:
		r.addf(CauseNoCredential, "the header %s is missing", header)
		r.findKey(in)
	case proof == "":
		r.addf(CauseNoCredential, "the header %s is empty", header)
	case in.Provider.SendsKey() && len(received) > 1:
		r.addf(CauseCredentialForm, "the header %s occurs %d times, with different values or without a stored key", header, len(received))
	case !r.findKey(in):
		r.checkKey(in, proof)
	}
}

func (r *Report) addKeyChecks(in Input) {
	for _, k := range keysOf(in.Keys, r.Account) {
		isMatch := r.Verdict == callback.Acknowledged && r.Sender.KeyID == k.key.ID()
		r.KeyChecks = append(r.KeyChecks, KeyCheck{KeyID: k.key.ID(), Previous: k.previous, Matches: isMatch})
	}
}

// explainHeld explains why a verified callback is held.
func (r *Report) explainHeld(request callback.Request) {
	if r.Held != nil && r.Account != "" && !strings.EqualFold(r.Account, r.Sender.Account) {
		r.addf(CauseOtherAccount, "key %s belongs to account %s, and the body names account %s", r.Sender.KeyID, r.Sender.Account, r.Account)
	}
	if !request.TooLarge() {
		r.addUnreadable(request.Body)
	}
}

// checkKey explains a key or a signature that no stored key matches.
func (r *Report) checkKey(in Input, proof string) {
	if _, ok := in.Keys[r.Account]; r.Account != "" && !ok {
		r.addf(CauseNoKeys, "no key is stored for account %s; keys are stored for %s", r.Account, accountNames(in.Keys))
	}
	p := in.Provider
	if p.SendsKey() {
		r.addf(CauseUnknownKey, "the header contains a key of %d characters with the id %s, which is not stored: compare the %s that %s shows "+
			"with the stored keys", len(proof), callback.Key(proof).ID(), p.KeyNoun, p.Title)
		return
	}
	r.addf(CauseUnknownKey, "no stored key verifies the callback: compare the %s that %s shows with the stored keys, and check whether "+
		"a proxy changes the body, and, if the signature includes the time of sending, when it was received (--received-at); here %s",
		p.KeyNoun, p.Title, in.Request.ReceivedAt().UTC().Format(time.RFC3339))
}

// unixTime matches a time in seconds since 1970, also with milliseconds.
var unixTime = regexp.MustCompile(`\b([0-9]{10})(?:[0-9]{3})?\b`)

// findSigningTime looks for a time in the headers or the body at which a stored key
// verifies the callback: only its time of receipt is then the cause of the refusal.
func (r *Report) findSigningTime(in Input) bool {
	const maxTimes = 32 // each is verified
	var text strings.Builder
	_ = in.Request.Header.Write(&text) // a builder never fails
	text.Write(in.Request.Body)
	for _, digits := range unixTime.FindAllStringSubmatch(text.String(), maxTimes) {
		seconds, _ := strconv.ParseInt(digits[1], 10, 64) // ten digits
		stated, received := time.Unix(seconds, 0).UTC(), in.Request.ReceivedAt().UTC()
		verified, err := in.Provider.Verify(in.Request.WithReceivedAt(stated), in.Keys)
		if err != nil {
			continue
		}
		sender := verified.Sender
		for n := range r.KeyChecks {
			r.KeyChecks[n].Matches = r.KeyChecks[n].KeyID == sender.KeyID
		}
		r.addf(CauseSigningTime, "key %s signs it, but its time of signing, %s, is too far from its receipt, %s (%s): give the time of receipt with "+
			"--received-at; if that is right, the callback is a copy of an old one, or a clock is wrong",
			keyName(sender.KeyID, sender.Previous), stated.Format(time.RFC3339), received.Format(time.RFC3339), received.Sub(stated).Round(time.Second))
		return true
	}
	return false
}

// findKey looks for a header that contains a stored key, in any form.
func (r *Report) findKey(in Input) bool {
	for _, name := range slices.Sorted(maps.Keys(in.Request.Header)) {
		for _, account := range slices.Sorted(maps.Keys(in.Keys)) {
			for _, k := range keysOf(in.Keys, account) {
				if strings.Contains(strings.Join(in.Request.Header[name], "\n"), string(k.key)) {
					r.addf(CauseCredentialPlace, "the header %s contains key %s of account %s; %s proves itself by %s, without anything around it: "+
						"check whether a proxy changes the header", name, keyName(k.key.ID(), k.previous), account, in.Provider.Title, in.Provider.ProofHeader)
					return true
				}
			}
		}
	}
	return false
}
