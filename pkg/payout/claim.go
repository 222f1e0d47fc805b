package payout

import (
	"maps"
	"slices"
)

// Field names a field of a payout on whose value all statements must agree.
type Field string

// The claim fields. A field with two or more live values is in conflict.
const (
	FieldStatus    Field = "status" // final statuses only; of a batch, those with which persons closed it
	FieldAmount    Field = "amount"
	FieldCurrency  Field = "currency"
	FieldChain     Field = "chain"
	FieldToken     Field = "token"
	FieldFrom      Field = "from"
	FieldTo        Field = "to"
	FieldMemo      Field = "memo"
	FieldReference Field = "reference"
	FieldTxID      Field = "txid"
	FieldItems     Field = "items"    // of a batch: the number of items; the batch's amount is their sum
	FieldLinkedTo  Field = "linkedTo" // of an expected payout without a provider's id: the payout with the id

	// FieldSettled belongs to a batch. No event claims it; its only value is the
	// text of the greatest totals seen ([Totals.SettledKey]). It is in conflict when
	// those totals settle more than the batch has. Only a resolution that rejects
	// exactly that text ends the conflict, so greater totals open it again.
	FieldSettled Field = "settled"
)

// maxValues limits the values that are kept of one field.
const maxValues = 8

// ClaimValues is the set of distinct values claimed for one field: the eight
// smallest, sorted, and a flag that there were more. Both only grow, whatever the
// order in which values arrive.
type ClaimValues struct {
	Seen     []string
	Overflow bool
}

// with returns the set with value added; v does not change.
func (v ClaimValues) with(value string) ClaimValues {
	i, ok := slices.BinarySearch(v.Seen, value)
	if ok {
		return v
	}
	seen := slices.Insert(slices.Clone(v.Seen), i, value)
	if len(seen) <= maxValues {
		return ClaimValues{Seen: seen, Overflow: v.Overflow}
	}
	return ClaimValues{Seen: seen[:maxValues], Overflow: true}
}

// Claim returns the value that the event claims for a field, or "" if it claims
// none.
func (e Event) Claim(field Field) string {
	if field == FieldSettled {
		if e.ID.Type() != TypeBatch {
			return ""
		}
		return e.Totals.SettledKey()
	}
	return e.claims()[field]
}

// claims returns the event's claims by field, without empty values.
func (e Event) claims() map[Field]string {
	claims := map[Field]string{}
	for _, field := range e.TextFields() {
		claims[field.Name] = *field.Value
	}
	delete(claims, fieldReason) // reasons are free text and cannot conflict
	claims[FieldLinkedTo] = string(e.LinkedTo)
	isBatch := e.ID.Type() == TypeBatch
	if !e.Status.IsFinal() || isBatch && e.StatedBy() != SourceResolution {
		delete(claims, FieldStatus) // of a batch, the totals decide
	}
	switch {
	case isBatch && e.StatedBy() == SourceExpectation:
		ordered := e.Totals.Pending // a sum with the other tallies would read no amount as 0
		claims[FieldAmount] = string(ordered.Amount)
		if ordered.Count > 0 {
			claims[FieldItems] = formatCount(ordered.Count)
		}
	case isBatch && (e.Totals != Totals{} || e.StatedBy() == SourceCallback): // else it states no totals
		all := e.Totals.All()
		claims[FieldItems] = formatCount(all.Count)
		claims[FieldAmount] = string(all.Amount)
	}
	maps.DeleteFunc(claims, func(_ Field, value string) bool { return value == "" })
	return claims
}
