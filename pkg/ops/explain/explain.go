package explain

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Provider is what is asked of a provider.
type Provider interface {
	callback.Provider
	callback.Signer
}

// Input is one callback and what it is held against.
type Input struct {
	Provider Provider
	Request  callback.Request
	Keys     callback.Keys            // of the provider
	Others   map[string]callback.Keys // of the other providers, by name; may be nil
	Now      time.Time                // of the receipt that there would be
}

// Report is what would become of a callback.
type Report struct {
	Size     int
	Account  string     // that the body names, or ""
	Signed   []Field    // what its signature covers, in this order; of a provider that signs
	Received string     // the proof that it carries: its beginning, or the id of the key
	Proofs   []KeyCheck // what each key of the account would have made, the current one first
	Verdict  callback.Verdict
	Sender   callback.Sender // of an authentic one
	Reply    callback.Reply
	Findings []Finding      // what is wrong or odd, the surest first
	Event    *payout.Event  // of an authentic one that is understood
	Held     *callback.Held // of an authentic one that is not
	Receipt  *inbox.Receipt // of an authentic one: how it would be recorded
}

// Part is one field of a signed text.
type Field struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Proof is what one key makes of the body.
type KeyCheck struct {
	KeyID    string `json:"keyId"`
	Previous bool   `json:"previous,omitzero"`
	Expected string `json:"expected,omitzero"` // its beginning; of a provider that signs
	Fits     bool   `json:"fits"`
}

// Finding is one thing that is wrong with a callback, or odd.
type Finding struct {
	Cause string `json:"cause"` // one of the Cause… words
	Text  string `json:"text"`  // for a person; holds no value of the callback
	Field string `json:"field,omitzero"`
	// Of a field that was altered: what came, and what was signed.
	Came   string `json:"came,omitzero"`
	Signed string `json:"signed,omitzero"`
}

// Causes of findings.
const (
	CauseTooLarge       = "too-large"
	CauseEmpty          = "empty-body"
	CauseEncoding       = "encoding"       // not plain UTF-8 text: compressed, UTF-16, base64, a byte-order mark
	CauseNotJSON        = "not-json"       // a form, a page, or broken; with the place
	CauseDuplicate      = "duplicate-name" // a name that stands twice
	CauseNested         = "nested"         // an object or array where none may be
	CauseWrapped        = "wrapped"        // the callback stands inside a string or a list
	CauseNoProof        = "no-proof"       // no sign, no header
	CauseProofForm      = "proof-form"     // the proof cannot be one of this provider's
	CauseProofPlace     = "proof-place"    // right, but elsewhere
	CauseProofWrapping  = "proof-wrapping" // right, but with quotes, spaces or a word around it
	CauseNoAccount      = "no-account"     // the body names none in the documented way
	CauseNoKeys         = "no-keys"        // none is stored for that account
	CausePreviousKey    = "previous-key"
	CauseOtherAccount   = "other-account" // the key is that of another account
	CauseOtherProvider  = "other-provider"
	CauseAltered        = "altered-field"
	CauseAdded          = "added-field" // not covered by the signature
	CauseSwapped        = "swapped-fields"
	CauseReencoded      = "re-encoded"     // all values were written anew on the way
	CauseSigningRule    = "signing-rule"   // the sender signs by another rule
	CauseUnknownKey     = "unknown-key"    // nothing that was tried fits
	CauseCutKey         = "cut-key"        // a part of a key
	CauseContentLength  = "content-length" // more or less than was announced
	CauseSeveral        = "several"        // the capture holds other requests, too
	CauseDeclaredBase64 = "base64"         // said to be base64 and is not
)

// Explain says what would become of the callback.
func Explain(in Input) Report {
	report := Report{Size: in.Request.BodySize}
	verified, err := in.Provider.Verify(in.Request, in.Keys)
	report.Verdict = verdictOf(err)
	report.Reply = in.Provider.Reply(report.Verdict)
	if report.Verdict == callback.Acknowledged {
		report.authentic(in, verified)
	}
	if in.Request.TooLarge() {
		report.foundf(CauseTooLarge, "the body has %d bytes; %d are read at most", in.Request.BodySize, callback.MaxBody)
	}
	if report.Verdict == callback.TooLarge && !in.Request.TooLarge() {
		report.foundf(CauseTooLarge, "the body is compressed and has more than %d bytes unpacked", callback.MaxBody)
	}
	switch in.Provider.Name() {
	case "cregis":
		report.cregis(in)
	case "pivot":
		report.pivot(in)
	}
	return report
}

// Knows reports whether mistakes of this provider's callbacks are looked for.
func Knows(provider string) bool { return slices.Contains([]string{"cregis", "pivot"}, provider) }

func (r *Report) authentic(in Input, verified callback.Verified) {
	sender := verified.Sender
	r.Sender = sender
	event, held := verified.Event()
	if r.Held = held; held == nil {
		r.Event = &event
	}
	receipt := callback.NewReceipt(in.Provider, verified, in.Now)
	r.Receipt = &receipt
	if sender.Previous {
		r.foundf(CausePreviousKey, "it is proven by key %s, the account's previous one: the provider has not changed over yet", sender.KeyID)
	}
}

func verdictOf(err error) callback.Verdict {
	switch {
	case err == nil:
		return callback.Acknowledged
	case errors.Is(err, callback.ErrMalformed):
		return callback.Malformed
	case errors.Is(err, callback.ErrTooLarge):
		return callback.TooLarge
	}
	return callback.Unauthenticated
}

// owned is a key with whose it is.
type owned struct {
	account  string
	previous bool
	key      callback.Key
}

// ring lists keys: those of one account first, then the others by name.
func ring(keys callback.Keys, account string) []owned {
	var all []owned
	for name, of := range keys {
		all = append(all, owned{name, false, of.Current})
		if of.Previous != "" {
			all = append(all, owned{name, true, of.Previous})
		}
	}
	rank := func(o owned) int {
		switch {
		case o.account != account:
			return 2
		case o.previous:
			return 1
		}
		return 0
	}
	slices.SortFunc(all, func(a, b owned) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.account, b.account), cmp.Compare(a.key.ID(), b.key.ID()))
	})
	return all
}

func (o owned) String() string {
	if o.previous {
		return o.key.ID() + " (the previous one)"
	}
	return o.key.ID() + " (the current one)"
}
