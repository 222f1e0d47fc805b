package notification

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"payout-callbacks/pkg/payout"
)

// SchemaVersion is written to every notice. It changes when a consumer that was
// written for the one before would read a notice wrongly; a new field is no
// such change.
const SchemaVersion = 1

// ErrUnfit means that a notice is one that no bus takes, and will be so whenever
// it is tried again. Only a record that was damaged by hand brings it about.
var ErrUnpublishable = errors.New("no event can be made of it")

// Type says what became of a payout or batch.
type Type string

// The types of notice.
const (
	PayoutSucceeded  Type = "PayoutSucceeded"  // the money arrived
	PayoutFailed     Type = "PayoutFailed"     // the money did not arrive
	PayoutRejected   Type = "PayoutRejected"   // refused before it was sent
	PayoutCancelled  Type = "PayoutCancelled"  // cancelled before it was sent; no provider tells it of a payout yet
	PayoutConflicted Type = "PayoutConflicted" // its facts contradict each other: a person decides
	PayoutResolved   Type = "PayoutResolved"   // a person has decided, and status says how
	BatchUpdated     Type = "BatchUpdated"     // status or totals of a batch
)

// Types lists all types of notice.
func Types() []Type {
	return []Type{
		PayoutSucceeded, PayoutFailed, PayoutRejected, PayoutCancelled, PayoutConflicted, PayoutResolved, BatchUpdated,
	}
}

// Notice tells what one payout or batch shows at one version. A field is absent
// where its value was not told, or where several values contradict each other.
type Notification struct {
	Schema            int            `json:"v"`
	ID                string         `json:"id"` // payout, "#", version
	Type              Type           `json:"type"`
	Payout            payout.ID      `json:"payout"`
	Version           int64          `json:"version"` // number of facts known of the payout, 1 or more
	Status            payout.Status  `json:"status"`
	PreviousStatus    payout.Status  `json:"previousStatus,omitzero"` // absent of the first notice, and of one published by hand
	Provider          string         `json:"provider"`
	PayoutType        payout.Type    `json:"payoutType"`
	Account           string         `json:"account"` // at the provider: whose payout it is
	Reference         string         `json:"reference,omitzero"`
	Amount            payout.Amount  `json:"amount,omitzero"` // of a batch: the sum of its items
	Currency          string         `json:"currency,omitzero"`
	Chain             string         `json:"chain,omitzero"`
	Token             string         `json:"token,omitzero"`
	TxID              string         `json:"txid,omitzero"`
	Reason            string         `json:"reason,omitzero"` // the provider's words
	ConflictingFields []payout.Field `json:"conflictingFields,omitempty"`
	Totals            *Totals        `json:"totals,omitempty"`     // of a batch
	UpdatedAt         time.Time      `json:"updatedAt"`            // when the last fact was applied
	Republished       string         `json:"republished,omitzero"` // why it was published again, in the words of who did it
}

// Totals says how many items of a batch are settled, and how. What is neither
// succeeded nor failed nor cancelled is pending.
type Totals struct {
	Items     int64        `json:"items,omitzero"` // absent where what was told of it contradicts itself
	Succeeded payout.Tally `json:"succeeded"`
	Failed    payout.Tally `json:"failed"`
	Cancelled payout.Tally `json:"cancelled"`
}

// Of returns the notice that tells what the record shows now. There is none for
// a payout that is still on its way.
func FromRecord(record payout.Record, updatedAt time.Time) (Notification, bool) {
	kind := notificationType(record)
	if kind == "" {
		return Notification{}, false
	}
	return Notification{
		Schema:            SchemaVersion,
		ID:                fmt.Sprintf("%s#%d", record.ID, record.Version),
		Type:              kind,
		Payout:            record.ID,
		Version:           record.Version,
		Status:            record.Status(),
		Provider:          record.ID.Provider(),
		PayoutType:        record.ID.Type(),
		Account:           record.ID.Account(),
		Reference:         record.Value(payout.FieldReference),
		Amount:            payout.Amount(record.Value(payout.FieldAmount)),
		Currency:          record.Value(payout.FieldCurrency),
		Chain:             record.Value(payout.FieldChain),
		Token:             record.Value(payout.FieldToken),
		TxID:              record.Value(payout.FieldTxID),
		Reason:            record.Reason(),
		ConflictingFields: record.Conflicts(),
		Totals:            batchTotals(record),
		UpdatedAt:         updatedAt.UTC(),
	}, true
}

// Between returns the notice of a change, where its meaning is another one now:
// of a payout, another status, or in a field of the notice another value than
// was shown before; of a batch, another status or other totals. A record that knows
// nothing comes before the first. What is only told later or in more detail, a
// transaction, a block, a second contradiction beside the first, is no notice:
// who has acted on one is not to be told a second time.
func FromChange(before, after payout.Record, updatedAt time.Time) (Notification, bool) {
	next, ok := FromRecord(after, updatedAt)
	if !ok || !differs(before, after) {
		return Notification{}, false
	}
	next.PreviousStatus = before.Status()
	return next, true
}

func notificationType(record payout.Record) Type {
	status := record.Status()
	switch {
	case status == "":
		return ""
	case record.ID.Type() == payout.TypeBatch:
		return BatchUpdated
	case status == payout.Conflicted:
		return PayoutConflicted
	case len(record.Resolutions) > 0:
		return PayoutResolved
	}
	return typeByStatus[status]
}

var typeByStatus = map[payout.Status]Type{
	payout.Succeeded: PayoutSucceeded,
	payout.Failed:    PayoutFailed,
	payout.Rejected:  PayoutRejected,
	payout.Cancelled: PayoutCancelled,
}

func differs(before, after payout.Record) bool {
	switch {
	case before.Status() != after.Status():
		return true
	case after.ID.Type() == payout.TypeBatch:
		return before.EffectiveTotals() != after.EffectiveTotals() || before.Value(payout.FieldItems) != after.Value(payout.FieldItems) ||
			before.Value(payout.FieldAmount) != after.Value(payout.FieldAmount)
	}
	return after.Status() != payout.Conflicted &&
		slices.ContainsFunc(published, func(field payout.Field) bool { return corrected(before, after, field) })
}

// published are the fields of a payout that a notice holds: who acted on one of
// them hears of it when it was wrong.
var published = []payout.Field{
	payout.FieldReference, payout.FieldAmount, payout.FieldCurrency, payout.FieldChain, payout.FieldToken, payout.FieldTxID,
}

// corrected reports whether a value that was shown is another one now, which
// only a person's second decision can bring about without a conflict between.
func corrected(before, after payout.Record, field payout.Field) bool {
	old, current := before.Value(field), after.Value(field)
	return old != "" && current != "" && old != current
}

func batchTotals(record payout.Record) *Totals {
	if record.ID.Type() != payout.TypeBatch {
		return nil
	}
	// Not told is not zero, and both are no items to a reader.
	items, _ := strconv.ParseInt(record.Value(payout.FieldItems), 10, 64)
	settled := record.EffectiveTotals()
	return &Totals{
		Items:     items,
		Succeeded: zeroAmount(settled.Succeeded),
		Failed:    zeroAmount(settled.Failed),
		Cancelled: zeroAmount(settled.Cancelled),
	}
}

// told writes zero as a number, as every other amount.
func zeroAmount(tally payout.Tally) payout.Tally {
	tally.Amount = cmp.Or(tally.Amount, "0")
	return tally
}
