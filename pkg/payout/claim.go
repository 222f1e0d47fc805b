package payout

import "slices"

// Field is something about a payout on which its facts must agree.
type Field string

// The claim fields. A field with two or more live values is a contradiction.
const (
	FieldStatus    Field = "status" // final statuses only
	FieldAmount    Field = "amount"
	FieldCurrency  Field = "currency"
	FieldChain     Field = "chain"
	FieldToken     Field = "token"
	FieldFrom      Field = "from"
	FieldTo        Field = "to"
	FieldMemo      Field = "memo"
	FieldReference Field = "reference"
	FieldTxID      Field = "txid"
	FieldItems     Field = "items" // of a batch: how many there are; its amount is their sum

	// FieldSettled is of a batch and is never told as such: its one value is the
	// text of the greatest totals seen ([Totals.SettledText]). It is a
	// contradiction where those settle more than there is, and only a decision
	// that rejects exactly that text ends it: greater totals re-open it.
	FieldSettled Field = "settled"
)

// maxValues bounds what is kept of one field.
const maxValues = 8

// Values is the set of distinct values told about one field: the eight
// smallest, sorted, and a mark that there were more. Both parts of it grow
// whatever the order in which values arrive.
type ClaimValues struct {
	Seen     []string
	Overflow bool
}

// with returns the set with one more value in it; v is not changed.
func (v ClaimValues) with(value string) ClaimValues {
	at, ok := slices.BinarySearch(v.Seen, value)
	if ok {
		return v
	}
	seen := slices.Insert(slices.Clone(v.Seen), at, value)
	if len(seen) <= maxValues {
		return ClaimValues{Seen: seen, Overflow: v.Overflow}
	}
	return ClaimValues{Seen: seen[:maxValues], Overflow: true}
}

// claims lists what the event claims, field by field, told values only.
func (e Event) claims() map[Field]string {
	claims := map[Field]string{
		FieldAmount:    string(e.Amount),
		FieldCurrency:  e.Currency,
		FieldChain:     e.Chain,
		FieldToken:     e.Token,
		FieldFrom:      e.From,
		FieldTo:        e.To,
		FieldMemo:      e.Memo,
		FieldReference: e.Reference,
		FieldTxID:      e.TxID,
	}
	switch {
	case e.ID.Type() == TypeBatch:
		all := e.Totals.All()
		claims[FieldItems] = formatCount(all.Count)
		claims[FieldAmount] = string(all.Amount)
	case e.Status.IsFinal():
		claims[FieldStatus] = string(e.Status)
	}
	for field, value := range claims {
		if value == "" {
			delete(claims, field)
		}
	}
	return claims
}
