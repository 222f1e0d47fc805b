package pivot

import (
	"cmp"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// expectedTypes are the types of an expectation. Pivot calls a payout single if its
// request has no other.
var expectedTypes = map[string]payout.Type{
	"payout": payout.TypePayout, "single": payout.TypePayout, "batch": payout.TypeBatch,
}

// maxItems is the number of items of the largest request
// (docs/api-references/api-lists/payout-local/create-a-payout).
const maxItems = 1000

// Expect implements [reconcile.Expectations]. All values have the forms that callbacks have.
// The account is spelled as in the keys. Items and amount of a batch state the number of
// its items and their sum.
func (p Provider) Expect(e reconcile.Expectation) (payout.Event, error) {
	if err := checkExpectation(e); err != nil {
		return payout.Event{}, err
	}
	amount, _ := payout.ParseAmount(e.Amount) // "" without one
	id, reference := canonicalID(e.ID), canonicalText(e.Reference)
	event := payout.Event{
		Source:    payout.SourceExpectation,
		Status:    payout.Expected,
		Reference: reference,
		Currency:  e.Currency,
	}
	switch {
	case expectedTypes[e.Type] == payout.TypePayout:
		event.ID = payout.NewID(name, payout.TypePayout, e.Account, id, reference)
		event.Amount = amount
		return event, nil
	case id == "":
		event.ID = payout.NewID(name, payout.TypeBatch, e.Account, "", reference)
	default:
		event.ID = payout.NewID(name, payout.TypeBatch, e.Account, id, "")
	}
	event.Totals.Pending = payout.Tally{Count: e.Items, Amount: amount}
	return event, nil
}

// checkExpectation returns a *FieldError that names the first bad field, or nil.
func checkExpectation(e reconcile.Expectation) error {
	payoutType, isType := expectedTypes[e.Type]
	isBatch := payoutType == payout.TypeBatch
	_, err := payout.ParseAmount(e.Amount)
	return cmp.Or(
		reconcile.Require(isType, "type", "must be payout, single, or batch"),
		reconcile.Require(isUUID.match(e.Account), "account", "must be a merchantId: "+isUUID.want),
		reconcile.Require(e.ID == "" || isUUID.match(e.ID), "id", "must be a uuid: "+isUUID.want),
		reconcile.Require(e.Reference != "" || isBatch && e.ID != "", "reference", "is required: the id names the request, or is not known"),
		reconcile.Require(e.Reference == "" || isReference.match(e.Reference), "reference", "must be "+isReference.want),
		reconcile.Require(e.Amount == "" || err == nil, "amount", "must be a plain decimal of at most 30 digits on either side of the point"),
		reconcile.Require(e.Currency == "" || isCurrency.match(e.Currency), "currency", "must be "+isCurrency.want),
		reconcile.Require(e.To == "", "to", "must be left out: Pivot's callbacks name no recipient"),
		reconcile.Require(e.Memo == "", "memo", "must be left out: Pivot's callbacks have no memo"),
		reconcile.Require(e.Items == 0 || isBatch, "items", "must be left out: only a batch has items"),
		reconcile.Require(0 <= e.Items && e.Items <= maxItems, "items", "must be 1 to 1000"),
	)
}
