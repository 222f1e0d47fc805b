package callback

import (
	"errors"
	"net/http"
	"time"

	"payout-callbacks/pkg/payout"
)

// Errors of Verify, possibly wrapped. All but ErrUnusableKeys are the sender's fault.
var (
	// ErrUnauthenticated means that the sender did not prove who it is.
	ErrUnauthenticated = errors.New("not authentic")
	// ErrMalformed means that the body cannot be read as what the provider signs,
	// so that it cannot be verified.
	ErrMalformed = errors.New("malformed")
	// ErrTooLarge means the same for a body of more than MaxBody bytes.
	ErrTooLarge = errors.New("too large")
	// ErrUnusableKeys means that the keys of the account are stored in a way that
	// cannot be used, so that nobody can verify the sender. The fault is ours, and
	// the verdict is Unavailable.
	ErrUnusableKeys = errors.New("the keys stored for the account cannot be used")
)

// Provider is a payment provider: how it proves who it is, what its callbacks mean
// and which answers it understands. Implementations are stateless values, safe for
// concurrent use, and read no clock.
type Provider interface {
	// Name is the provider's name in ids, routes, logs and metrics: lower case.
	Name() string

	// Types lists the routes the provider calls: POST /callbacks/<name>/<type>.
	Types() []payout.Type

	// Verify proves who sent the request, in time independent of the secrets,
	// against the current and the previous key of the account that it names.
	// It fails with ErrUnauthenticated, ErrMalformed, ErrTooLarge or ErrUnusableKeys only.
	Verify(request Request, keys Keys) (Verified, error)

	// Restore returns the callback of a request whose sender was verified
	// earlier, for the body of a held receipt. It proves nothing itself.
	Restore(request Request, sender Sender) Verified

	// Reply returns the answer to a verdict, by the provider's rules for what
	// acknowledges a callback and what is retried.
	Reply(verdict Verdict) Reply
}

// Claimant is a provider that can name the account of a refused request.
type Claimant interface {
	// ClaimedAccount returns the account that the request names, if it has the form
	// of an account of this provider, and otherwise "". It is not proven and is for
	// the log only, which then says whose callbacks are refused.
	ClaimedAccount(request Request) string
}

// Sender is the account that is proven to have sent a request.
type Sender struct {
	Account  string // the account
	KeyID    string // which of its keys, see Key.ID
	Previous bool   // whether that key is the account's previous one
}

// Verified is a callback whose sender is proven. Only a [Provider] creates it,
// so a callback that was not verified cannot be parsed.
type Verified struct {
	Request Request
	Sender  Sender
	parse   func() (payout.Event, *Held)
}

// NewVerified returns the verified callback of a request. A provider passes how
// to parse it: into one event, or into an empty event and why it is held.
func NewVerified(request Request, sender Sender, parse func() (payout.Event, *Held)) Verified {
	return Verified{Request: request, Sender: sender, parse: parse}
}

// Event parses the callback. A callback that the provider cannot read with
// certainty is held, with an empty event.
func (v Verified) Event() (payout.Event, *Held) { return v.parse() }

// Held is why an authentic callback was not understood.
type Held struct {
	Reason Reason
	// Note is for an operator: what was found and what was expected, or the
	// readings of an ambiguous callback. It may contain values of the callback; it
	// is kept with the receipt and never logged.
	Note string
	// Subject identifies the callback among the held callbacks of its account:
	// copies of a signed body have one subject, whatever their spacing.
	Subject []byte
	// ProviderID is the provider's id of the payout, if the callback states one, and
	// Reference is our reference. They are hints for a query; no event is built from them.
	ProviderID string
	Reference  string
}

// Reason is why a callback is held: a short word, also in metrics.
type Reason string

// The reasons for which callbacks are held.
const (
	ReasonUnreadable   Reason = "unreadable"     // not the JSON that the provider documents
	ReasonTooLarge     Reason = "too-large"      // over MaxBody bytes; the first MaxBody are kept
	ReasonUnknown      Reason = "unknown-event"  // another family of callbacks, or a test
	ReasonStatus       Reason = "unknown-status" // a status that is not in the provider's table
	ReasonField        Reason = "field"          // a field is missing or does not have its documented form
	ReasonUnknownField Reason = "unknown-field"  // a field is neither documented nor known
	ReasonMismatch     Reason = "mismatch"       // two fields of the callback disagree
	ReasonRoute        Reason = "other-type"     // a callback of another type on this route
	ReasonAmbiguous    Reason = "ambiguous"      // the signature covers another reading, too
)

// Reasons lists all reasons.
func Reasons() []Reason {
	return []Reason{
		ReasonUnreadable, ReasonTooLarge, ReasonUnknown, ReasonStatus, ReasonField, ReasonUnknownField, ReasonMismatch, ReasonRoute,
		ReasonAmbiguous,
	}
}

// Verdict is the decision about a request.
type Verdict string

// The verdicts.
const (
	Acknowledged    Verdict = "acknowledged" // authentic and durable, now or earlier
	Unauthenticated Verdict = "unauthentic"  // refused: the sender did not prove who it is
	Malformed       Verdict = "malformed"    // refused: cannot be read as what the provider signs
	TooLarge        Verdict = "too-large"    // refused: over MaxBody bytes
	Unavailable     Verdict = "unavailable"  // our fault; the provider should retry
)

// Reply is an HTTP answer.
type Reply struct {
	Code        int
	ContentType string
	Body        string
}

// Signer is what tools and tests need to send callbacks as the provider would. The
// Lambda functions never sign callbacks.
type Signer interface {
	// Sign returns the body and the headers with which the provider would send it at a
	// time, signed with the key. A signature in the body is replaced. Sign fails only
	// if the body cannot be signed.
	Sign(body []byte, key Key, at time.Time) ([]byte, http.Header, error)
}
