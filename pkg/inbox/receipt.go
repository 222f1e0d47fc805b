package inbox

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"payout-callbacks/pkg/payout"
)

// Key identifies a receipt. All receipts of a payout share the first part, so that
// one query lists them.
type Key struct {
	Payout  string // the payout's ID; a held callback has a name of its own
	Receipt string // [source/]status/fingerprint; a callback has no source here
}

// State is the state of a receipt.
type State string

// A receipt is received and then applied; or it is held until a person releases or
// dismisses it, or an answer of the provider replaces it. Applied, released and answered
// are final; a dismissed receipt may be released.
const (
	Received  State = "received"
	Applied   State = "applied"
	Held      State = "held"
	Released  State = "released"  // was held; its event has a receipt of its own
	Dismissed State = "dismissed" // was held; a person decided that it is not about a payout
	Answered  State = "answered"  // was held; the provider's answer to a query states the same final status
)

// maxNote limits the note of a held callback, whose body is stored besides.
const maxNote = 16 << 10

// heldPrefix separates the names of held callbacks from payout IDs.
const heldPrefix = "held/"

// FirstDue is the age at which Sweep resends a receipt that is not applied: well
// above the time that queue and consumer usually need.
const FirstDue = 2 * time.Minute

// Receipt is the durable record of one event, one resolution, or one held callback or
// answer.
// Two deliveries with the same meaning have the same receipt. Times are UTC, to the
// millisecond.
type Receipt struct {
	Key   Key
	State State

	// One of these is set, or neither for a held callback.
	Event      payout.Event
	Resolution *payout.Resolution

	Reason string // of a held callback: why it is held, in one low-cardinality word
	Note   string // of a held callback or a resolution: for people
	// ProviderID and Reference are the provider's id of the payout that a held callback
	// names, and our reference. They are hints for a query and not part of the receipt's
	// meaning.
	ProviderID string
	Reference  string
	Query      Schedule // of a held callback: when the provider is asked about its payout

	ReleasedAs Key       // of a released callback: the receipt of its event; of an answered one: that of the answer
	ChangedBy  ChangedBy // of a released, dismissed or answered callback

	Body       []byte // the first callback with this meaning, as received
	KeyID      string // the key that verified it
	AcceptedAt time.Time

	DueAt     time.Time      // while received: when Sweep resends it
	AppliedAt time.Time      // once applied
	Outcome   payout.Outcome // once applied: what the merge did to the payout
}

// NewReceipt returns the receipt of an event: of a callback that was verified, an
// answer, an expectation, or a statement of a person or the reconciler. The body is what
// the source sent, if it sent anything.
func NewReceipt(event payout.Event, body []byte, keyID string, now time.Time) Receipt {
	now = toMillis(now)
	return Receipt{
		Key:        Key{Payout: string(event.ID), Receipt: sourcePrefix(event.StatedBy()) + string(event.Status) + "/" + event.Fingerprint()},
		State:      Received,
		Event:      event,
		Body:       body,
		KeyID:      keyID,
		AcceptedAt: now,
		DueAt:      now.Add(FirstDue),
	}
}

// sourcePrefix returns the part of a receipt's key that names the source.
func sourcePrefix(source payout.Source) string {
	if source == payout.SourceCallback {
		return ""
	}
	return string(source) + "/"
}

// Source returns who stated what the receipt holds, by its key.
func (r Receipt) Source() payout.Source {
	source, _ := r.Key.Statement()
	return source
}

// Statement returns the source and the status in the receipt's part of the key.
func (k Key) Statement() (payout.Source, payout.Status) {
	first, rest, _ := strings.Cut(k.Receipt, "/")
	switch source := payout.Source(first); source {
	case payout.SourceQuery, payout.SourceExpectation, payout.SourceResolution, payout.SourceReconciler:
		status, _, _ := strings.Cut(rest, "/")
		return source, payout.Status(status)
	}
	return payout.SourceCallback, payout.Status(first)
}

// Event returns an event with what the key contains of it: ID, source and status.
func (k Key) Event() payout.Event {
	source, status := k.Statement()
	if source == payout.SourceCallback {
		source = "" // as parsers of callbacks leave it
	}
	return payout.Event{ID: payout.ID(k.Payout), Source: source, Status: status}
}

// HeldCallback describes a callback that was verified but not understood, or an answer
// to a query that was not.
type HeldCallback struct {
	Provider string
	Source   payout.Source // SourceQuery for an answer; "" is SourceCallback
	Type     payout.Type   // the payout type of its route
	Account  string        // the account whose key verified it
	Subject  []byte        // the bytes that identify it: equal callbacks have equal subjects
	Reason   string
	Note     string

	ProviderID string // the provider's id of the payout, if the callback states one
	Reference  string // our reference, if the callback states one
}

// NewHeldReceipt returns the receipt of a held callback. Its key derives from the
// subject and is not the key of any payout, so a held callback changes no payout.
// The provider is asked about the payout of a callback that names one; the payout of a
// held answer is asked about anyway.
func NewHeldReceipt(held HeldCallback, body []byte, keyID string, now time.Time) Receipt {
	sum := sha256.Sum256(held.Subject)
	name := base64.RawURLEncoding.EncodeToString(sum[:])
	id := payout.NewID(held.Provider, held.Type, held.Account, name, "")
	source := cmp.Or(held.Source, payout.SourceCallback)
	receipt := Receipt{
		Key:        Key{Payout: heldPrefix + string(id), Receipt: sourcePrefix(source) + string(Held)},
		State:      Held,
		Reference:  held.Reference,
		Reason:     held.Reason,
		Note:       strings.ToValidUTF8(held.Note[:min(len(held.Note), maxNote)], ""), // the cut may split a character
		ProviderID: held.ProviderID,
		Body:       body,
		KeyID:      keyID,
		AcceptedAt: toMillis(now),
	}
	receipt.Query = receipt.FirstQuery()
	return receipt
}

// FirstQuery returns the schedule of a held callback when it is accepted: the provider is
// asked soon if the callback names a payout.
func (r Receipt) FirstQuery() Schedule {
	if r.ProviderID == "" || r.Source() != payout.SourceCallback {
		return Schedule{}
	}
	return Schedule{At: toMillis(r.AcceptedAt.Add(afterChange + jitter(payout.ID(r.Key.Payout), afterChange)))}
}

// NewResolutionReceipt returns the receipt of a resolution. The note says who decided
// and why; it is not part of the receipt's meaning.
func NewResolutionReceipt(resolution payout.Resolution, note string, now time.Time) Receipt {
	now = toMillis(now)
	return Receipt{
		Key:        Key{Payout: string(resolution.ID), Receipt: "resolution/" + resolution.Fingerprint()},
		State:      Received,
		Resolution: &resolution,
		Note:       note,
		AcceptedAt: now,
		DueAt:      now.Add(FirstDue),
	}
}

// WasHeld reports whether the receipt's callback was held when it was accepted,
// whatever its state is now.
func (r Receipt) WasHeld() bool {
	return r.State == Held || r.State == Released || r.State == Dismissed || r.State == Answered
}

// Type returns the payout type; for a held callback, that of its route.
func (r Receipt) Type() payout.Type { return r.id().Type() }

// Provider returns the name of the provider.
func (r Receipt) Provider() string { return r.id().Provider() }

// Account returns our account with the provider.
func (r Receipt) Account() string { return r.id().Account() }

func (r Receipt) id() payout.ID {
	return payout.ID(strings.TrimPrefix(r.Key.Payout, heldPrefix))
}

// HeldID returns provider, type and account of a held callback in the form of an ID. Its
// last part identifies the callback and not a payout.
func (r Receipt) HeldID() payout.ID { return r.id() }

// HasValidKey reports whether the receipt's key follows from its content. The key of
// a receipt that was altered, or written by a later version whose fingerprint covers
// more fields, does not. Nor does that of a receipt with an invalid amount: no parser
// returned it, and it cannot be merged.
func (r Receipt) HasValidKey() bool {
	switch {
	case r.WasHeld():
		return strings.HasPrefix(r.Key.Payout, heldPrefix) && r.Key.Receipt == sourcePrefix(r.Source())+string(Held)
	case r.Resolution != nil:
		return r.Key == NewResolutionReceipt(*r.Resolution, "", r.AcceptedAt).Key
	}
	return r.Event.Amount.IsValid() && r.Event.Totals.IsValid() && r.Key == NewReceipt(r.Event, nil, "", r.AcceptedAt).Key
}

// mergeInto merges the receipt's event or resolution into the record of its payout.
func (r Receipt) mergeInto(record payout.Record) (payout.Record, payout.Outcome) {
	if r.Resolution != nil {
		return record.Resolve(*r.Resolution)
	}
	return record.Apply(r.Event)
}

// applied returns the receipt in state applied.
func (r Receipt) applied(outcome payout.Outcome, now time.Time) Receipt {
	r.State, r.Outcome, r.AppliedAt, r.DueAt = Applied, outcome, toMillis(now), time.Time{}
	return r
}

// Compare orders receipts by their key.
func (k Key) Compare(other Key) int {
	return cmp.Or(cmp.Compare(k.Payout, other.Payout), cmp.Compare(k.Receipt, other.Receipt))
}

func toMillis(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
