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

// SchemaVersion is the version in every notification. It changes when a consumer
// written for the previous version would misread a notification; a new field does not
// change it.
const SchemaVersion = 1

// ErrUnpublishable means that no event bus accepts the notification, and that
// retrying does not help. Only a record that was damaged by hand leads to it.
var ErrUnpublishable = errors.New("the notification cannot be published")

// Type says how a payout or batch changed.
type Type string

// The types of notification.
const (
	PayoutSucceeded  Type = "PayoutSucceeded"  // the money arrived
	PayoutFailed     Type = "PayoutFailed"     // the money did not arrive
	PayoutRejected   Type = "PayoutRejected"   // refused before it was sent
	PayoutCancelled  Type = "PayoutCancelled"  // cancelled before it was sent
	PayoutConflicted Type = "PayoutConflicted" // its record is in conflict: a person has to resolve it
	PayoutResolved   Type = "PayoutResolved"   // a person has resolved the conflict; status is the result
	PayoutConfirmed  Type = "PayoutConfirmed"  // a query stated the final status, too; of a batch, the totals
	PayoutOverdue    Type = "PayoutOverdue"    // the deadline of the payout or batch passed without a final status
	BatchUpdated     Type = "BatchUpdated"     // status or totals of a batch changed
)

// Types lists all types of notification.
func Types() []Type {
	return []Type{
		PayoutSucceeded, PayoutFailed, PayoutRejected, PayoutCancelled, PayoutConflicted, PayoutResolved,
		PayoutConfirmed, PayoutOverdue, BatchUpdated,
	}
}

// Notification states what one payout or batch shows at one version. A field is absent
// if no event stated it, or if it is in conflict.
type Notification struct {
	Schema            int             `json:"v"`
	ID                string          `json:"id"` // payout, "#", version
	Type              Type            `json:"type"`
	Payout            payout.ID       `json:"payout"`
	Version           int64           `json:"version"` // number of events and resolutions applied to the payout, 1 or more
	Status            payout.Status   `json:"status"`
	PreviousStatus    payout.Status   `json:"previousStatus,omitzero"` // absent if nothing was known before, and in a notification published by hand
	Confirmed         bool            `json:"confirmed,omitzero"`      // a query stated the status, too; of a batch, the totals
	Expected          bool            `json:"expected,omitzero"`       // our own service ordered it
	Overdue           bool            `json:"overdue,omitzero"`        // it has no final status although its deadline passed
	Sources           []payout.Source `json:"sources,omitempty"`       // of the events, sorted; absent if all are callbacks
	Provider          string          `json:"provider"`
	PayoutType        payout.Type     `json:"payoutType"`
	Account           string          `json:"account"` // our account with the provider
	Reference         string          `json:"reference,omitzero"`
	Amount            payout.Amount   `json:"amount,omitzero"` // of a batch: the sum of its items
	Currency          string          `json:"currency,omitzero"`
	Chain             string          `json:"chain,omitzero"`
	Token             string          `json:"token,omitzero"`
	TxID              string          `json:"txid,omitzero"`
	Reason            string          `json:"reason,omitzero"` // in the provider's words
	ConflictingFields []payout.Field  `json:"conflictingFields,omitempty"`
	Totals            *Totals         `json:"totals,omitempty"`     // of a batch
	UpdatedAt         time.Time       `json:"updatedAt"`            // when the record was last changed
	Republished       string          `json:"republished,omitzero"` // why it was published again, in the words of the actor
}

// Totals counts the settled items of a batch by their status. All other items are
// pending.
type Totals struct {
	Items     int64        `json:"items,omitzero"` // absent if the number is in conflict
	Succeeded payout.Tally `json:"succeeded"`
	Failed    payout.Tally `json:"failed"`
	Cancelled payout.Tally `json:"cancelled"`
}

// FromRecord returns the notification of what the record shows now. It returns false for
// a payout in progress that is not overdue.
func FromRecord(record payout.Record, updatedAt time.Time) (Notification, bool) {
	t := stateType(record)
	if record.IsOverdue() {
		t = PayoutOverdue
	}
	if t == "" {
		return Notification{}, false
	}
	return newNotification(t, record, updatedAt), true
}

// FromChange returns the notification of a change, and false if the change is not
// published. Published is a change of a payout's status, or of a value that a
// notification has shown; of a batch, a change of status or totals; else, that the payout
// or batch becomes confirmed or overdue. A detail that is stated later is not published (a
// transaction, a block, a second conflict), because consumers have acted already. Nor is
// an order: the status expected or linked. The record before the first event is the zero
// Record.
func FromChange(before, after payout.Record, updatedAt time.Time) (Notification, bool) {
	t := changeType(before, after)
	if t == "" {
		return Notification{}, false
	}
	n := newNotification(t, after, updatedAt)
	n.PreviousStatus = before.Status()
	return n, true
}

func newNotification(t Type, record payout.Record, updatedAt time.Time) Notification {
	return Notification{
		Schema:            SchemaVersion,
		ID:                fmt.Sprintf("%s#%d", record.ID, record.Version),
		Type:              t,
		Payout:            record.ID,
		Version:           record.Version,
		Status:            record.Status(),
		Confirmed:         record.IsConfirmed(),
		Expected:          record.IsExpected(),
		Overdue:           record.IsOverdue(),
		Sources:           otherSources(record),
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
	}
}

// otherSources returns the sources of the record, or nil if all events are callbacks.
func otherSources(record payout.Record) []payout.Source {
	if len(record.Sources) == 1 && record.Sources[0] == payout.SourceCallback {
		return nil
	}
	return record.Sources
}

// changeType returns the type of the notification of a change, and "" if the change is
// not published.
func changeType(before, after payout.Record) Type {
	if t := stateType(after); t != "" && differs(before, after) {
		return t
	}
	switch {
	case after.IsConfirmed() && !before.IsConfirmed():
		return PayoutConfirmed
	case after.IsOverdue() && !before.IsOverdue():
		return PayoutOverdue
	}
	return ""
}

// stateType returns the type that a record has by its status, and "" for a payout in
// progress.
func stateType(record payout.Record) Type {
	status := record.Status()
	switch {
	case status == "", isOrder(status) && len(record.Resolutions) == 0:
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

// isOrder reports whether only our own side stated a status.
func isOrder(status payout.Status) bool { return status == payout.Expected || status == payout.Linked }

var typeByStatus = map[payout.Status]Type{
	payout.Succeeded: PayoutSucceeded,
	payout.Failed:    PayoutFailed,
	payout.Rejected:  PayoutRejected,
	payout.Cancelled: PayoutCancelled,
}

// differs reports whether the change from before to after is published.
func differs(before, after payout.Record) bool {
	switch {
	case before.Status() != after.Status():
		return before.Status() == payout.Conflicted || !isOrder(after.Status())
	case after.ID.Type() == payout.TypeBatch:
		return before.EffectiveTotals() != after.EffectiveTotals() || before.Value(payout.FieldItems) != after.Value(payout.FieldItems) ||
			before.Value(payout.FieldAmount) != after.Value(payout.FieldAmount)
	}
	return after.Status() != payout.Conflicted &&
		slices.ContainsFunc(publishedFields, func(field payout.Field) bool { return isCorrected(before, after, field) })
}

// publishedFields are the claim fields in the notification of a payout. Consumers may
// have acted on their values, so a correction is published.
var publishedFields = []payout.Field{
	payout.FieldReference, payout.FieldAmount, payout.FieldCurrency, payout.FieldChain, payout.FieldToken, payout.FieldTxID,
}

// isCorrected reports whether a value that was shown has been replaced by another. Only
// a second resolution does that without a conflict in between.
func isCorrected(before, after payout.Record, field payout.Field) bool {
	old, current := before.Value(field), after.Value(field)
	return old != "" && current != "" && old != current
}

func batchTotals(record payout.Record) *Totals {
	if record.ID.Type() != payout.TypeBatch {
		return nil
	}
	// If the number is not known, items is 0 and left out.
	items, _ := strconv.ParseInt(record.Value(payout.FieldItems), 10, 64)
	settled := record.EffectiveTotals()
	return &Totals{
		Items:     items,
		Succeeded: zeroAmount(settled.Succeeded),
		Failed:    zeroAmount(settled.Failed),
		Cancelled: zeroAmount(settled.Cancelled),
	}
}

// zeroAmount replaces an empty amount by "0".
func zeroAmount(tally payout.Tally) payout.Tally {
	tally.Amount = cmp.Or(tally.Amount, "0")
	return tally
}
