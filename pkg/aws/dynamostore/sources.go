package dynamostore

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"payout-callbacks/pkg/payout"
)

// encodeSources adds what a record of version 2 has.
func encodeSources(i item, r payout.Record) {
	i["v"] = number(schemaVersion)
	i["sources"] = encodeSet(r.Sources)
	finalBy := item{}
	for status, sources := range r.FinalBy {
		finalBy[string(status)] = encodeSet(sources)
	}
	i.setChild("finalBy", finalBy)
	i.setInt("deadline", r.Deadline)
	if len(r.Overdue) > 0 {
		i["overdueReasons"] = encodeSet(r.Overdue)
	}
	i.setChild("settledByQuery", encodeTotals(r.SettledByQuery))
	i.setFlag("expected", r.IsExpected())
	i.setFlag("confirmed", r.IsConfirmed())
	if r.IsOverdue() {
		i.setText("overdue", string(payout.Overdue))
	}
}

func decodeSources(i item, r *payout.Record) {
	r.Sources = onlyCallbacks
	if i.int("v") < schemaVersion {
		return
	}
	r.Sources = decodeSet[payout.Source](i["sources"])
	finalBy := i.child("finalBy")
	for status := range finalBy {
		r.FinalBy[payout.Status(status)] = decodeSet[payout.Source](finalBy[status])
	}
	r.Deadline = i.int("deadline")
	r.Overdue = decodeSet[string](i["overdueReasons"])
	r.SettledByQuery = decodeTotals(i.child("settledByQuery"))
}

// encodeSet returns a set as a list, so that an empty one can be stored.
func encodeSet[E ~string](set []E) types.AttributeValue {
	list := []types.AttributeValue{}
	for _, element := range set {
		list = append(list, text(string(element)))
	}
	return &types.AttributeValueMemberL{Value: list}
}

func decodeSet[E ~string](value types.AttributeValue) []E {
	list, _ := value.(*types.AttributeValueMemberL)
	if list == nil {
		return nil
	}
	var set []E
	for _, element := range list.Value {
		if s, ok := element.(*types.AttributeValueMemberS); ok {
			set = append(set, E(s.Value))
		}
	}
	return set
}
