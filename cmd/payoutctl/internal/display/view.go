// Package display reads payouts with their receipts and formats them, as text for
// a person and as JSON for programs. It leaves to the commands which payouts to
// read and what to do with them.
package display

import (
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Payout is a payout as --json prints it: the derived values, then the stored parts
// that they are derived from.
type Payout struct {
	Payout      payout.ID                  `json:"payout"`
	Provider    string                     `json:"provider"`
	Type        payout.Type                `json:"type"`
	Account     string                     `json:"account"`
	Status      payout.Status              `json:"status"`
	Reason      string                     `json:"reason,omitzero"`
	Amount      string                     `json:"amount,omitzero"`
	Currency    string                     `json:"currency,omitzero"`
	Reference   string                     `json:"reference,omitzero"`
	UpdatedAt   time.Time                  `json:"updatedAt,omitzero"`
	Version     int64                      `json:"version"`
	Conflicts   []payout.Field             `json:"conflicts,omitempty"`
	Claims      map[payout.Field][]string  `json:"claims,omitempty"`
	Overflow    []payout.Field             `json:"overflow,omitempty"` // fields with more values than are stored
	Progress    payout.Status              `json:"progress,omitzero"`
	Reasons     map[payout.Status]string   `json:"reasons,omitempty"`
	BlockHeight uint64                     `json:"blockHeight,omitzero"`
	BlockTime   int64                      `json:"blockTime,omitzero"`
	Settled     map[payout.Status]tallyRow `json:"settled,omitempty"` // of a batch
	Confirmed   bool                       `json:"confirmed"`
	Expected    bool                       `json:"expected"`
	Overdue     []string                   `json:"overdue,omitempty"` // reasons, while the payout is overdue
	Deadline    time.Time                  `json:"deadline,omitzero"`
	Sources     []payout.Source            `json:"sources"`
	LinkedTo    string                     `json:"linkedTo,omitzero"`
	Query       *schedule                  `json:"query,omitempty"`
	Rebuilt     inbox.ChangedBy            `json:"rebuilt,omitzero"`
	Damaged     bool                       `json:"damaged,omitzero"` // only the id is valid
}

// schedule says when the provider is asked about a payout.
type schedule struct {
	NextAt  time.Time `json:"nextAt,omitzero"`
	Tries   int       `json:"tries"`
	AskedAt time.Time `json:"askedAt,omitzero"`
	Result  string    `json:"result,omitzero"` // of the last query
}

type tallyRow struct {
	Count  int64         `json:"count"`
	Amount payout.Amount `json:"amount"`
}

// NewPayout returns the view of a stored payout.
func NewPayout(stored dynamostore.Stored) Payout {
	view := Payout{
		Payout:      stored.ID,
		Provider:    stored.ID.Provider(),
		Type:        stored.ID.Type(),
		Account:     stored.ID.Account(),
		Status:      stored.Status(),
		Reason:      stored.Reason(),
		Amount:      stored.Value(payout.FieldAmount),
		Currency:    stored.Value(payout.FieldCurrency),
		Reference:   stored.Value(payout.FieldReference),
		UpdatedAt:   stored.UpdatedAt,
		Version:     stored.Version,
		Conflicts:   stored.Conflicts(),
		Claims:      map[payout.Field][]string{},
		Progress:    stored.Progress,
		Reasons:     stored.Reasons,
		BlockHeight: stored.BlockHeight,
		BlockTime:   stored.BlockTime,
		Confirmed:   stored.IsConfirmed(),
		Expected:    stored.IsExpected(),
		Sources:     stored.Sources,
		LinkedTo:    stored.Value(payout.FieldLinkedTo),
		Rebuilt:     stored.Rebuilt,
		Damaged:     checkRecord(stored) != nil,
	}
	if stored.IsOverdue() {
		view.Overdue = stored.Overdue
	}
	if stored.Deadline != 0 {
		view.Deadline = time.UnixMilli(stored.Deadline).UTC()
	}
	if s := stored.Schedule; s != (inbox.Schedule{}) {
		view.Query = &schedule{s.At, s.Tries, s.AskedAt, s.Result}
	}
	for _, name := range slices.Sorted(maps.Keys(stored.Claims)) {
		view.Claims[name] = stored.Claims[name].Seen
		if stored.Claims[name].Overflow {
			view.Overflow = append(view.Overflow, name)
		}
	}
	if stored.ID.Type() == payout.TypeBatch {
		view.Settled = tallies(stored.EffectiveTotals())
	}
	return view
}

func tallies(totals payout.Totals) map[payout.Status]tallyRow {
	rows := map[payout.Status]tallyRow{}
	for status, tally := range map[payout.Status]payout.Tally{
		payout.Pending: totals.Pending, payout.Succeeded: totals.Succeeded,
		payout.Failed: totals.Failed, payout.Cancelled: totals.Cancelled,
	} {
		if tally != (payout.Tally{}) {
			rows[status] = tallyRow(tally)
		}
	}
	return rows
}

// Receipt is a receipt as --json prints it.
type Receipt struct {
	Payout     string                     `json:"payout"`
	Receipt    string                     `json:"receipt"`
	Source     payout.Source              `json:"source"`
	State      inbox.State                `json:"state"`
	AcceptedAt time.Time                  `json:"acceptedAt,omitzero"`
	AppliedAt  time.Time                  `json:"appliedAt,omitzero"`
	DueAt      time.Time                  `json:"dueAt,omitzero"`
	Outcome    payout.Outcome             `json:"outcome,omitzero"`
	KeyID      string                     `json:"keyId,omitzero"`
	Status     payout.Status              `json:"status,omitzero"` // that the event states
	Reason     string                     `json:"reason,omitzero"` // that the event states, or why the callback is held
	Deadline   time.Time                  `json:"deadline,omitzero"`
	Claims     map[payout.Field]string    `json:"claims,omitempty"`
	Totals     map[payout.Status]tallyRow `json:"totals,omitempty"`
	Resolution *payout.Resolution         `json:"resolution,omitempty"`
	Note       string                     `json:"note,omitzero"`
	ProviderID string                     `json:"providerId,omitzero"`  // of a held callback
	ReleasedAs *receiptName               `json:"releasedAs,omitempty"` // of a released callback: the receipt of its event; of an answered one: of the answer
	ChangedBy  inbox.ChangedBy            `json:"changedBy,omitzero"`   // of a released, dismissed or answered callback
	Body       string                     `json:"body,omitzero"`        // with --full or --body
	Damaged    bool                       `json:"damaged,omitzero"`     // only the key is valid
}

type receiptName struct {
	Payout  string `json:"payout"`
	Receipt string `json:"receipt"`
}

// NewReceipt returns the view of a receipt.
func NewReceipt(e Entry, withBody bool) Receipt {
	r := e.Receipt
	view := Receipt{
		Payout: r.Key.Payout, Receipt: r.Key.Receipt, Source: r.Source(), State: r.State,
		AcceptedAt: r.AcceptedAt, AppliedAt: r.AppliedAt, DueAt: r.DueAt,
		Outcome: r.Outcome, KeyID: r.KeyID, Status: r.Event.Status, Reason: r.Reason + r.Event.Reason,
		Claims: e.claims(), Totals: tallies(r.Event.Totals), Resolution: r.Resolution, Note: r.Note, Damaged: e.Damaged,
		ChangedBy: r.ChangedBy, ProviderID: r.ProviderID,
	}
	if r.Event.Deadline != 0 {
		view.Deadline = time.UnixMilli(r.Event.Deadline).UTC()
	}
	if r.State == inbox.Released || r.State == inbox.Answered {
		view.ReleasedAs = &receiptName{r.ReleasedAs.Payout, r.ReleasedAs.Receipt}
	}
	if withBody {
		view.Body = strings.ToValidUTF8(BodyText(r.Body), "\uFFFD")
	}
	return view
}

// Entry is a receipt in a payout's history.
type Entry struct {
	inbox.Receipt

	Damaged bool // only its key is valid
}

// Entries turns receipts that cannot be read into damaged entries.
func Entries(receipts iter.Seq2[inbox.Receipt, error]) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for receipt, err := range receipts {
			isDamaged := errors.Is(err, inbox.ErrDamagedReceipt)
			if isDamaged {
				err = nil
			}
			if !yield(Entry{Receipt: receipt, Damaged: isDamaged}, err) {
				return
			}
		}
	}
}

// Payouts lists payouts with those that cannot be read: they have only their id, the time
// of the last update, and no status.
func Payouts(payouts iter.Seq2[dynamostore.Stored, error]) iter.Seq2[dynamostore.Stored, error] {
	return func(yield func(dynamostore.Stored, error) bool) {
		for stored, err := range payouts {
			isUnreadable := errors.Is(err, inbox.ErrDamagedPayout) || errors.Is(err, inbox.ErrLaterVersion)
			if isUnreadable || err == nil && checkRecord(stored) != nil {
				stored, err = dynamostore.Stored{Record: payout.Record{ID: stored.ID}, UpdatedAt: stored.UpdatedAt}, nil
			}
			if !yield(stored, err) {
				return
			}
		}
	}
}

// claims returns the values that the receipt's event claims: those of a record that
// applied this event alone.
func (e Entry) claims() map[payout.Field]string {
	claims := map[payout.Field]string{}
	if e.Damaged || e.WasHeld() || e.Resolution != nil {
		return claims
	}
	alone, _ := payout.Record{}.Apply(e.Event)
	for name := range alone.Claims {
		claims[name] = alone.Value(name)
	}
	return claims
}

// BodyText returns a body as text, decompressed if it is compressed.
func BodyText(body []byte) string {
	if text, err := callback.Unpack(body); err == nil {
		return string(text)
	}
	return string(body)
}
