package inbox

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"payout-callbacks/pkg/payout"
)

// Key names a receipt. All receipts of a payout share the first part, so that
// its story is one query.
type Key struct {
	Payout  string // the payout's ID; for a held callback a name of its own
	Receipt string // status / fingerprint of the meaning
}

// State is where a receipt stands.
type State string

// A receipt is received, then applied; or it is held until a person takes it
// up. Nothing else leaves a state, and nothing leaves applied.
const (
	Received  State = "received"
	Applied   State = "applied"
	Held      State = "held"
	Released  State = "released"  // was held; its event is a receipt of its own now
	Dismissed State = "dismissed" // was held; a person decided that it tells nothing about a payout
)

// maxNote bounds the note of a held callback, whose body is kept besides.
const maxNote = 16 << 10

// heldPrefix keeps the names of held callbacks apart from those of payouts.
const heldPrefix = "held/"

// FirstDue is how long a receipt may wait to be applied before Sweep sends it
// again: well over what the queue and the consumer need on an ordinary day.
const FirstDue = 2 * time.Minute

// Receipt is the durable record that we own one fact: an event, a person's
// decision, or a callback that is held. There is one per distinct meaning.
// Times are UTC, to the millisecond.
type Receipt struct {
	Key   Key
	State State

	Event      payout.Event       // of an event
	Resolution *payout.Resolution // of a person's decision

	Reason string // of a held callback: why, in one low-cardinality word
	Note   string // of a held callback or a decision: for the person who looks
	// ProviderID is the provider's id of the payout that a held callback names: a
	// hint for a query, and no part of what the receipt means.
	ProviderID string

	ReleasedAs Key       // of a released callback: the receipt of its event
	ChangedBy  ChangedBy // of a released or dismissed callback: who took it up

	Body       []byte // the first callback that told it, as it came
	KeyID      string // the key that verified that callback
	AcceptedAt time.Time

	DueAt     time.Time      // while received: when Sweep sends it (again)
	AppliedAt time.Time      // once applied
	Outcome   payout.Outcome // once applied: what it did to its payout
}

// NewReceipt returns the receipt of an event that was just verified and parsed.
func NewReceipt(event payout.Event, body []byte, keyID string, now time.Time) Receipt {
	now = toMillis(now)
	return Receipt{
		Key:        Key{Payout: string(event.ID), Receipt: string(event.Status) + "/" + event.Fingerprint()},
		State:      Received,
		Event:      event,
		Body:       body,
		KeyID:      keyID,
		AcceptedAt: now,
		DueAt:      now.Add(FirstDue),
	}
}

// HeldCallback is a callback that is authentic but not understood.
type HeldCallback struct {
	Provider string
	Type     payout.Type // what the route it came to is for
	Account  string      // whose key verified it
	Subject  []byte      // what makes it another one than the rest
	Reason   string
	Note     string

	ProviderID string // of the payout, where the callback states one
}

// NewHeldReceipt returns the receipt of a held callback. Each has a key of its
// own, by its subject, so that held callbacks never touch a payout's story.
func NewHeldReceipt(held HeldCallback, body []byte, keyID string, now time.Time) Receipt {
	sum := sha256.Sum256(held.Subject)
	name := base64.RawURLEncoding.EncodeToString(sum[:])
	id := payout.NewID(held.Provider, held.Type, held.Account, name, "")
	return Receipt{
		Key:        Key{Payout: heldPrefix + string(id), Receipt: string(Held)},
		State:      Held,
		Reason:     held.Reason,
		Note:       strings.ToValidUTF8(held.Note[:min(len(held.Note), maxNote)], ""), // it may be cut in a character
		ProviderID: held.ProviderID,
		Body:       body,
		KeyID:      keyID,
		AcceptedAt: toMillis(now),
	}
}

// NewDecision returns the receipt of a person's decision. Who decided and why
// stand in note; they are no part of its meaning.
func NewResolutionReceipt(decision payout.Resolution, note string, now time.Time) Receipt {
	now = toMillis(now)
	return Receipt{
		Key:        Key{Payout: string(decision.ID), Receipt: "resolution/" + decision.Fingerprint()},
		State:      Received,
		Resolution: &decision,
		Note:       note,
		AcceptedAt: now,
		DueAt:      now.Add(FirstDue),
	}
}

// WasHeld reports whether the receipt is of a callback that was not understood
// when it came, whatever became of it since.
func (r Receipt) WasHeld() bool {
	return r.State == Held || r.State == Released || r.State == Dismissed
}

// Type returns the type of callback: of a held one, what its route is for.
func (r Receipt) Type() payout.Type { return r.id().Type() }

// Provider returns the name of the provider whose callback the receipt is of.
func (r Receipt) Provider() string { return r.id().Provider() }

// Account returns the account that the receipt belongs to.
func (r Receipt) Account() string { return r.id().Account() }

func (r Receipt) id() payout.ID {
	return payout.ID(strings.TrimPrefix(r.Key.Payout, heldPrefix))
}

// KeyAgrees reports whether the receipt's key follows from what it says: a
// receipt that was altered on its way, or written by a later version whose
// meaning covers more than we know, does not agree. Nor does one with an amount
// that is none: no provider's parser made it, and it cannot be merged.
func (r Receipt) HasValidKey() bool {
	switch {
	case r.WasHeld():
		return strings.HasPrefix(r.Key.Payout, heldPrefix) && r.Key.Receipt == string(Held)
	case r.Resolution != nil:
		return r.Key == NewResolutionReceipt(*r.Resolution, "", r.AcceptedAt).Key
	}
	return r.Event.Amount.IsValid() && r.Event.Totals.IsValid() && r.Key == NewReceipt(r.Event, nil, "", r.AcceptedAt).Key
}

// mergeInto merges what the receipt tells into its payout's record.
func (r Receipt) mergeInto(record payout.Record) (payout.Record, payout.Outcome) {
	if r.Resolution != nil {
		return record.Resolve(*r.Resolution)
	}
	return record.Apply(r.Event)
}

// applied returns the receipt as it is once it has been applied.
func (r Receipt) applied(outcome payout.Outcome, now time.Time) Receipt {
	r.State, r.Outcome, r.AppliedAt, r.DueAt = Applied, outcome, toMillis(now), time.Time{}
	return r
}

// Compare orders receipts by their key.
func (k Key) Compare(other Key) int {
	return cmp.Or(cmp.Compare(k.Payout, other.Payout), cmp.Compare(k.Receipt, other.Receipt))
}

func toMillis(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
