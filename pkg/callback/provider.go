package callback

import (
	"errors"
	"net/http"

	"payout-callbacks/pkg/payout"
)

// Why a request is not believed. Verify returns these, possibly wrapped. All but
// ErrUnusableKeys are the sender's fault.
var (
	// ErrUnauthentic means that the sender did not prove who it is.
	ErrUnauthenticated = errors.New("not authentic")
	// ErrMalformed means that the body cannot even be read as what the
	// provider signs, so that its authenticity cannot be established.
	ErrMalformed = errors.New("malformed")
	// ErrTooLarge means the same of a body of more than MaxBody bytes.
	ErrTooLarge = errors.New("too large")
	// ErrUnusableKeys means that the account is listed, but that its keys are
	// stored in a way that cannot be used: nobody can say whether the sender is
	// right. The fault is ours, and the answer is that of Unavailable.
	ErrUnusableKeys = errors.New("the keys stored for the account cannot be used")
)

// Provider is one payment provider: how it proves who it is, what its callbacks
// mean and which answers it understands. Implementations are stateless values,
// safe for concurrent use, and read no clock.
type Provider interface {
	// Name is the provider's name in ids, routes, logs and metrics: lower case.
	Name() string

	// Types lists the routes the provider calls: POST /callbacks/<name>/<type>.
	Types() []payout.Type

	// Verify proves who sent the request, in time independent of the secrets,
	// against the current and the previous key of the account that it names.
	// It fails with ErrUnauthentic, ErrMalformed, ErrTooLarge or ErrUnusableKeys only.
	Verify(request Request, keys Keys) (Verified, error)

	// Restore returns the callback of a request whose sender was verified
	// earlier, for the body of a held receipt. It proves nothing itself.
	Restore(request Request, sender Sender) Verified

	// Reply is the provider's table of answers, chosen from its own rules of
	// what counts as acknowledged and what is sent again.
	Reply(verdict Verdict) Reply
}

// Claimant is a provider that names the account of a request that it refused.
type Claimant interface {
	// ClaimedAccount returns the account that the request names, where that has
	// the form of an account of this provider, and "" otherwise. Nothing proves
	// it: it is for the log alone, where it says whose callbacks are refused.
	ClaimedAccount(request Request) string
}

// Sender is who proved to have sent a request.
type Sender struct {
	Account  string // the account whose key it knows
	KeyID    string // which key, see Key.ID
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

// Held says why an authentic callback was not understood.
type Held struct {
	Reason Reason
	// Note is for the person who looks: what was met and what was expected,
	// or the readings of an ambiguous callback. It may hold values of the
	// callback and is kept with its record, never logged.
	Note string
	// Subject identifies the callback among the held ones of its account:
	// copies of one signed body have one subject however they are spaced.
	Subject []byte
	// ProviderID is the provider's id of the payout, where the callback states
	// one: a hint for a query, which no event was built from.
	ProviderID string
}

// Reason is a cause of holding a callback: a short word, also in metrics.
type Reason string

// The reasons for which callbacks are held.
const (
	ReasonUnreadable   Reason = "unreadable"     // not the JSON that the provider documents
	ReasonTooLarge     Reason = "too-large"      // over MaxBody bytes; the first are kept
	ReasonUnknown      Reason = "unknown-event"  // another family of callbacks, or a probe
	ReasonStatus       Reason = "unknown-status" // a status that is not in the provider's table
	ReasonField        Reason = "field"          // a field is missing or is not of its documented form
	ReasonUnknownField Reason = "unknown-field"  // a field that is neither documented nor known
	ReasonMismatch     Reason = "mismatch"       // two fields of the callback disagree
	ReasonRoute        Reason = "other-type"     // a callback of another type on this route
	ReasonAmbiguous    Reason = "ambiguous"      // the signature also covers another reading
)

// Reasons lists the reasons for which callbacks are held.
func Reasons() []Reason {
	return []Reason{
		ReasonUnreadable, ReasonTooLarge, ReasonUnknown, ReasonStatus, ReasonField, ReasonUnknownField, ReasonMismatch, ReasonRoute,
		ReasonAmbiguous,
	}
}

// Verdict is what became of a request.
type Verdict string

// The verdicts.
const (
	Acknowledged    Verdict = "acknowledged" // authentic and durable, here or from before
	Unauthenticated Verdict = "unauthentic"  // refused: the sender did not prove who it is
	Malformed       Verdict = "malformed"    // refused: cannot be read as what is signed
	TooLarge        Verdict = "too-large"    // refused: over MaxBody bytes
	Unavailable     Verdict = "unavailable"  // our fault; the provider is to try again
)

// Reply is an HTTP answer.
type Reply struct {
	Code        int
	ContentType string
	Body        string
}

// Signer is what tools and tests ask of a provider besides: to send callbacks
// as the provider itself would. The Lambdas never sign.
type Signer interface {
	// Sign returns the body and the headers under which the provider would
	// send it, proven with key. What the body holds of an earlier proof is
	// replaced. It fails only where the body cannot carry a proof.
	Sign(body []byte, key Key) ([]byte, http.Header, error)
}
