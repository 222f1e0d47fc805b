package reconcile

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Expectations is the form of a provider's expected payouts. Implementations are safe for
// concurrent use.
type Expectations interface {
	// Name is the provider's name, as in package callback.
	Name() string

	// Expect returns the event of an expectation in the provider's canonical forms, so
	// that the same value in another spelling is no conflict. Its error is a *FieldError.
	Expect(expectation Expectation) (payout.Event, error)
}

// Provider is a provider that can be asked about payouts. Implementations are safe for
// concurrent use.
type Provider interface {
	// Name is the provider's name, as in package callback.
	Name() string

	// RequestKey returns a name that is equal for payouts about which one query answers,
	// for example the items of one request.
	RequestKey(id payout.ID) string

	// StatedStatus returns the status that the body of a held callback states, or "" if
	// it cannot be read. It proves nothing: an answer decides, and this is compared with it.
	StatedStatus(held inbox.Receipt) payout.Status

	// ProbeID returns the ID of a payout that does not exist, to test an account's
	// credentials with.
	ProbeID(account string) payout.ID

	// Connect returns the querier of an account. The credentials are the account's entry
	// of the secret: the error says which field is missing or wrong, without its value.
	// It sends no request.
	Connect(account string, credentials json.RawMessage, client *http.Client, now func() time.Time) (Querier, error)
}

// Querier asks a provider about payouts of one account. It is safe for concurrent use.
type Querier interface {
	// Ask asks about payouts with equal request keys. It returns within the deadline of
	// the context.
	Ask(ctx context.Context, payouts []Asked) Answer

	// KeyID returns the ID of the API key, as in package callback, if the provider's API
	// key is also its callback key, and otherwise "".
	KeyID() string
}

// Asked is a payout that a provider is asked about.
type Asked struct {
	ID payout.ID
	// Reference is our reference, if we know it. An answer with another one is not about
	// this payout.
	Reference string
}

// Outcome says what a query led to: a short word, also in logs and metrics.
type Outcome string

// The outcomes. Only the first four are answers about the payout.
const (
	Answered       Outcome = "answered"        // the provider stated the payout's status
	NotFound       Outcome = "not-found"       // the provider does not know the payout: this is not a failed payout
	InProcess      Outcome = "in-process"      // the provider cannot say yet
	ByReference    Outcome = "by-reference"    // the provider knows our reference, but the answer names no request: it is not applied
	Unavailable    Outcome = "unavailable"     // no answer, or an error of the provider
	RateLimited    Outcome = "rate-limited"    // too many requests
	KeyRefused     Outcome = "key-refused"     // our credentials are wrong
	AddressRefused Outcome = "address-refused" // our IP address is not allowed
	Unusable       Outcome = "unusable"        // the answer cannot be read, or is about something else

	NotAsked      Outcome = "off"            // queries of the provider are off
	NoCredentials Outcome = "no-credentials" // the secret has no usable entry of the account
	NoID          Outcome = "no-id"          // the provider's id is not known, and the provider cannot be asked without it
)

// Answer is the result of a query.
type Answer struct {
	Outcome    Outcome
	Statements []Statement   // of outcome Answered: what the provider stated, at least one; perhaps none about some of the payouts asked about
	RetryAfter time.Duration // of RateLimited and Unavailable: when to ask again, if the provider says so
	Detail     string        // for an operator: HTTP status, error code, field; no value of a payout
}

// Statement is what an answer states about one payout: an event of SourceQuery, or why
// it is held.
type Statement struct {
	Event payout.Event
	Held  *inbox.HeldCallback // if the provider's statement is not understood; Event is empty
	Body  []byte              // JSON of at most 64 KiB: what states it, without the account holder's name and number
}

// HeldAnswer returns why the statement of an answer is held. The event is what is
// understood of it, without a status that is not; stated is the rest, as the provider
// spells it. The same statement has the same subject, so it is held once.
func HeldAnswer(event payout.Event, stated, reason, note string) *inbox.HeldCallback {
	return &inbox.HeldCallback{
		Provider:   event.ID.Provider(),
		Source:     payout.SourceQuery,
		Type:       event.ID.Type(),
		Account:    event.ID.Account(),
		Subject:    fmt.Appendf(nil, "answer %s %q", event.Fingerprint(), stated), // the fingerprint covers the ID
		Reason:     reason,
		Note:       note,
		ProviderID: event.ID.PayoutID(),
		Reference:  event.Reference,
	}
}

// Store is the part of the store that a run uses. It is safe for concurrent use; the
// writes are conditional and durable once they return without an error.
type Store interface {
	inbox.Store

	// DueQueries lists payouts whose query is due at the time now, the earliest due first:
	// of each account at most limit without a final status, and at most limit to confirm.
	// So no account hides another. The list may be slightly stale. Its cost grows with the
	// number of accounts, and not with that of scheduled payouts.
	DueQueries(ctx context.Context, now time.Time, limit int) ([]DueQuery, error)
	// ClaimQuery replaces the schedule of a payout and returns the payout, if its query is
	// still as listed. Of two callers only one gets true. A payout that
	// cannot be read gives inbox.ErrDamagedPayout, and its schedule is replaced all the
	// same.
	ClaimQuery(ctx context.Context, due DueQuery, next inbox.Schedule) (inbox.PayoutItem, bool, error)
	// FinishQuery replaces the schedule of a payout, if it is still the claimed one. If
	// the payout changed since the claim, its schedule stays.
	FinishQuery(ctx context.Context, id payout.ID, claimed, next inbox.Schedule) error

	// ByReference lists the payouts with a reference of ours. The list may be slightly
	// stale.
	ByReference(ctx context.Context, reference string) ([]payout.ID, error)

	// DueHeld lists held callbacks whose query is due, the earliest due first, at most
	// limit of all accounts.
	DueHeld(ctx context.Context, now time.Time, limit int) ([]DueHeld, error)
	// ClaimHeld replaces the schedule of a held callback, as ClaimQuery does. Damage is
	// inbox.ErrDamagedReceipt.
	ClaimHeld(ctx context.Context, due DueHeld, next inbox.Schedule) (inbox.Receipt, bool, error)
	// FinishHeld replaces the schedule of a held callback, if it is still held with the
	// claimed schedule. A zero time ends the queries.
	FinishHeld(ctx context.Context, key inbox.Key, claimed, next inbox.Schedule) error
	// AnswerHeld closes a held callback as answered by another receipt. It returns false
	// if the callback is not held any more.
	AnswerHeld(ctx context.Context, key, answer inbox.Key, by inbox.ChangedBy) (bool, error)
}

// DueQuery names a payout whose query is due, as the index lists it.
type DueQuery struct {
	ID       payout.ID
	At       time.Time
	Confirms bool // see inbox.Schedule
}

// LimitDue sorts payouts as DueQueries lists them, and leaves out those above the limit.
func LimitDue(due []DueQuery, limit int) []DueQuery {
	slices.SortFunc(due, func(a, b DueQuery) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	type group struct {
		account  string
		confirms bool
	}
	counts := map[group]int{}
	return slices.DeleteFunc(due, func(d DueQuery) bool {
		g := group{accountName(d.ID), d.Confirms}
		counts[g]++
		return counts[g] > limit
	})
}

// DueHeld names a held callback whose query is due, as the index lists it.
type DueHeld struct {
	Key        inbox.Key
	At         time.Time
	AcceptedAt time.Time
}

// Accounts stores what runs share about accounts. It is safe for concurrent use.
type Accounts interface {
	// Acquire takes the lease of an account for an owner until a time, if nobody has it
	// at the time now, and returns the account's state. The name is provider/account.
	Acquire(ctx context.Context, account, owner string, now, until time.Time) (AccountState, bool, error)
	// Release ends the lease and stores the state. It does nothing if the owner does not
	// have the lease any more.
	Release(ctx context.Context, account, owner string, state AccountState) error
	// States returns the states of all accounts, by name.
	States(ctx context.Context) (map[string]AccountState, error)
}

// AccountState is what runs know about an account. Its zero value is that of an account
// that was never asked.
type AccountState struct {
	Failures    int       // queries in a row that failed with a cause that concerns the account
	Cause       Outcome   // of the last failure; "" after an answer
	PausedUntil time.Time // until then the account is not asked; zero if it may be asked
	AnsweredAt  time.Time // when the provider last answered
}

// ErrMalformedSecret means that the value of a secret is not a JSON object of accounts.
var ErrMalformedSecret = errors.New("the value is not a JSON object of accounts")

// Credentials reads the API credentials of a provider's accounts.
type Credentials interface {
	// Credentials returns the entries of the provider's secret by account. A secret
	// without a value has no entries. ErrMalformedSecret lasts until a person stores
	// another value; any other error is temporary.
	Credentials(ctx context.Context, provider string) (map[string]json.RawMessage, error)
}
