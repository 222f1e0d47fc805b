package explain

import (
	"fmt"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider"
)

// Input is a callback, and the keys to verify it with.
type Input struct {
	Provider provider.Description
	Request  callback.Request
	Keys     callback.Keys // of the provider's accounts
	Now      time.Time     // when it was received, unless the request states it, and when its receipt is accepted
}

// Report describes how a callback is handled.
type Report struct {
	Size      int              `json:"size"`
	Account   string           `json:"account,omitzero"`    // named in the body, or ""
	Signed    []Field          `json:"signed,omitempty"`    // the fields of the canonical string, in its order; only of Cregis
	Received  string           `json:"received,omitzero"`   // the start of the received signature, or the id of the received key
	KeyChecks []KeyCheck       `json:"keyChecks,omitempty"` // one for each key of the account, the current key first
	Verdict   callback.Verdict `json:"verdict"`
	Sender    callback.Sender  `json:"-"` // of a verified callback
	Reply     callback.Reply   `json:"-"`
	Findings  []Finding        `json:"findings,omitempty"` // the causes of the verdict, the most certain first
	Event     *payout.Event    `json:"-"`                  // of a verified callback that Parse understands
	Held      *callback.Held   `json:"-"`                  // of a verified callback that Parse holds
	Receipt   *inbox.Receipt   `json:"-"`                  // of a verified callback
}

// Field is a field of the canonical string.
type Field struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// KeyCheck is the result of verifying a callback with one key.
type KeyCheck struct {
	KeyID    string `json:"keyId"`
	Previous bool   `json:"previous,omitzero"`
	Expected string `json:"expected,omitzero"` // the start of the signature that the key makes; only of Cregis
	Matches  bool   `json:"matches"`
}

// Finding is a defect of a callback.
type Finding struct {
	Cause string `json:"cause"` // one of the Cause constants
	Text  string `json:"text"`  // for an operator; without values of the callback
	Field string `json:"field,omitzero"`
	// The value that was received, and the value that was signed.
	Received string `json:"received,omitzero"`
	Signed   string `json:"signed,omitzero"`
}

// Causes of findings. A credential is a key or a signature.
const (
	CauseTooLarge        = "too-large"
	CauseEmpty           = "empty-body"
	CauseEncoding        = "encoding"        // compressed, UTF-16, base64, a byte-order mark
	CauseNotJSON         = "not-json"        // a form, a page, or a syntax error
	CauseDuplicate       = "duplicate-name"  // a name that occurs twice
	CauseNotFlat         = "not-flat-object" // another JSON value, or one that contains an object or an array
	CauseNoCredential    = "missing-credential"
	CauseCredentialForm  = "malformed-credential" //nolint:gosec // a word
	CauseCredentialPlace = "misplaced-credential" // valid, in another header or with something around it
	CauseNoAccount       = "no-account"           // the body names no account
	CauseNoKeys          = "no-keys"              // the account has no stored key
	CausePreviousKey     = "previous-key"
	CauseOtherAccount    = "other-account" // the key belongs to another account
	CauseAltered         = "altered-field"
	CauseReencoded       = "re-encoded"   // several fields were altered in the same way
	CauseSigningTime     = "signing-time" // signed too long before or after its receipt
	CauseUnknownKey      = "unknown-key"  // no key and no alteration matches
	CauseCapture         = "capture"      // the capture is incomplete, altered or ambiguous
)

// Explain verifies and parses a callback, and looks for the cause of a refusal.
func Explain(in Input) Report {
	if in.Request.ReceivedAt().IsZero() {
		in.Request = in.Request.WithReceivedAt(in.Now)
	}
	report := Report{Size: in.Request.BodySize, Account: in.Provider.ClaimedAccount(in.Request), Verdict: callback.Acknowledged}
	verified, err := in.Provider.Verify(in.Request, in.Keys)
	if err != nil {
		report.Verdict = callback.VerdictFor(err)
	} else {
		report.parse(in, verified)
	}
	report.Reply = in.Provider.Reply(report.Verdict)
	switch {
	case in.Request.TooLarge():
		report.addf(CauseTooLarge, "the body has %d bytes; the maximum is %d", in.Request.BodySize, callback.MaxBody)
	case report.Verdict == callback.TooLarge:
		report.addf(CauseTooLarge, "the body is compressed and has more than %d bytes uncompressed", callback.MaxBody)
	}
	if in.Provider.Name() == "cregis" {
		report.explainCregis(in)
	} else {
		report.explainProof(in)
	}
	return report
}

func (r *Report) parse(in Input, verified callback.Verified) {
	r.Sender = verified.Sender
	event, held := verified.Event()
	if r.Held = held; held == nil {
		r.Event = &event
	}
	receipt := callback.NewReceipt(in.Provider, verified, in.Now)
	r.Receipt = &receipt
	if sender := verified.Sender; sender.Previous {
		r.addf(CausePreviousKey, "the previous key %s of the account verifies it: the provider still uses that key", sender.KeyID)
	}
}

// addf adds a finding.
func (r *Report) addf(cause, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{Cause: cause, Text: fmt.Sprintf(format, args...)})
}
