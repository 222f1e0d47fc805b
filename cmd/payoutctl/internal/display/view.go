package display

import (
	"maps"
	"slices"
	"strings"
	"time"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// payoutView is a payout as --json shows it: the derived values first, then the
// parts that they are derived from.
type Payout struct {
	Payout         payout.ID                  `json:"payout"`
	Provider       string                     `json:"provider"`
	Type           payout.Type                `json:"type"`
	Account        string                     `json:"account"`
	Status         payout.Status              `json:"status"`
	Reason         string                     `json:"reason,omitzero"`
	Amount         string                     `json:"amount,omitzero"`
	Currency       string                     `json:"currency,omitzero"`
	Reference      string                     `json:"reference,omitzero"`
	UpdatedAt      time.Time                  `json:"updatedAt,omitzero"`
	Version        int64                      `json:"version"`
	Contradictions []payout.Field             `json:"conflicts,omitempty"`
	Claims         map[payout.Field][]string  `json:"claims,omitempty"`
	Overflow       []payout.Field             `json:"overflow,omitempty"` // claims of which there were more
	Progress       payout.Status              `json:"progress,omitzero"`
	Reasons        map[payout.Status]string   `json:"reasons,omitempty"`
	BlockHeight    uint64                     `json:"blockHeight,omitzero"`
	BlockTime      int64                      `json:"blockTime,omitzero"`
	Settled        map[payout.Status]tallyRow `json:"settled,omitempty"` // of a batch
	Rebuilt        *ChangedBy                 `json:"rebuilt,omitempty"`
	Damaged        bool                       `json:"damaged,omitzero"` // nothing above can be trusted but the id
}

// handView is who changed something by hand, why and when.
type ChangedBy struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

func NewChangedBy(changedBy inbox.ChangedBy) *ChangedBy {
	if changedBy == (inbox.ChangedBy{}) {
		return nil
	}
	view := ChangedBy(changedBy)
	return &view
}

type tallyRow struct {
	Count  int64         `json:"count"`
	Amount payout.Amount `json:"amount"`
}

func NewPayout(stored dynamostore.Stored) Payout {
	view := Payout{
		Payout:         stored.ID,
		Provider:       stored.ID.Provider(),
		Type:           stored.ID.Type(),
		Account:        stored.ID.Account(),
		Status:         stored.Status(),
		Reason:         stored.Reason(),
		Amount:         stored.Value(payout.FieldAmount),
		Currency:       stored.Value(payout.FieldCurrency),
		Reference:      stored.Value(payout.FieldReference),
		UpdatedAt:      stored.UpdatedAt,
		Version:        stored.Version,
		Contradictions: stored.Conflicts(),
		Claims:         map[payout.Field][]string{},
		Progress:       stored.Progress,
		Reasons:        stored.Reasons,
		BlockHeight:    stored.BlockHeight,
		BlockTime:      stored.BlockTime,
		Rebuilt:        NewChangedBy(stored.Rebuilt),
		Damaged:        checkRecord(stored) != nil,
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

// receiptView is a receipt as --json shows it.
type Receipt struct {
	Payout     string                     `json:"payout"`
	Receipt    string                     `json:"receipt"`
	State      inbox.State                `json:"state"`
	AcceptedAt time.Time                  `json:"acceptedAt,omitzero"`
	AppliedAt  time.Time                  `json:"appliedAt,omitzero"`
	DueAt      time.Time                  `json:"dueAt,omitzero"`
	Outcome    payout.Outcome             `json:"outcome,omitzero"`
	KeyID      string                     `json:"keyId,omitzero"`
	Status     payout.Status              `json:"status,omitzero"` // told
	Reason     string                     `json:"reason,omitzero"` // told; of a held one: why it is held
	Claims     map[payout.Field]string    `json:"claims,omitempty"`
	Totals     map[payout.Status]tallyRow `json:"totals,omitempty"`
	Decision   *payout.Resolution         `json:"decision,omitempty"`
	Note       string                     `json:"note,omitzero"`
	ProviderID string                     `json:"providerId,omitzero"`  // of a held callback
	ReleasedAs *receiptName               `json:"releasedAs,omitempty"` // of a released callback: the receipt of its event
	ChangedBy  *ChangedBy                 `json:"changedBy,omitempty"`  // of a released or dismissed callback
	Body       string                     `json:"body,omitzero"`        // with --full or --body
	Damaged    bool                       `json:"damaged,omitzero"`     // only the key can be trusted
}

type receiptName struct {
	Payout  string `json:"payout"`
	Receipt string `json:"receipt"`
}

func NewReceipt(e Entry, withBody bool) Receipt {
	r := e.Receipt
	view := Receipt{
		Payout: r.Key.Payout, Receipt: r.Key.Receipt, State: r.State,
		AcceptedAt: r.AcceptedAt, AppliedAt: r.AppliedAt, DueAt: r.DueAt,
		Outcome: r.Outcome, KeyID: r.KeyID, Status: r.Event.Status, Reason: r.Reason + r.Event.Reason,
		Claims: e.claims(), Totals: tallies(r.Event.Totals), Decision: r.Resolution, Note: r.Note, Damaged: e.Damaged,
		ChangedBy: NewChangedBy(r.ChangedBy), ProviderID: r.ProviderID,
	}
	if r.State == inbox.Released {
		view.ReleasedAs = &receiptName{r.ReleasedAs.Payout, r.ReleasedAs.Receipt}
	}
	if withBody {
		view.Body = strings.ToValidUTF8(BodyText(r.Body), "\uFFFD")
	}
	return view
}

// entry is a receipt in a payout's story.
type Entry struct {
	inbox.Receipt
	Damaged bool // only its key can be trusted
}

// claims lists what the receipt's event claims. The merge law itself is asked:
// it is what a record would know that had been told this event alone.
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

// readable returns a body as text: unpacked where it came compressed.
func BodyText(body []byte) string {
	if text, err := callback.Unpack(body); err == nil {
		return string(text)
	}
	return string(body)
}
