package payout_test

import (
	"testing"

	"payout-callbacks/pkg/payout"
)

// I4: no two records that are not alike look so, whatever a provider or a
// person wrote into the values.
func TestADifferenceHidesBehindNoText(t *testing.T) {
	claims := func(field payout.Field, overflow bool, seen ...string) payout.Record {
		return payout.Record{ID: paid, Version: 2, Claims: map[payout.Field]payout.ClaimValues{field: {Seen: seen, Overflow: overflow}}}
	}
	for name, pair := range map[string][2]payout.Record{
		"one value, or two":               {claims(payout.FieldReference, false, "a | b"), claims(payout.FieldReference, false, "a", "b")},
		"a value, or the mark of more":    {claims(payout.FieldMemo, false, "a", "and more"), claims(payout.FieldMemo, true, "a")},
		"a field of no value, or none":    {claims(payout.FieldMemo, false), {ID: paid, Version: 2}},
		"a reason of no words, or none":   {{ID: paid, Reasons: map[payout.Status]string{payout.Failed: ""}}, {ID: paid}},
		"one value, or the one behind it": {claims(payout.FieldMemo, false, "a"), claims(payout.FieldMemo, false, "b")},
	} {
		for _, item := range [][2]payout.Record{pair, {pair[1], pair[0]}} {
			if len(item[0].Differences(item[1])) == 0 {
				t.Errorf("%s: no difference is seen", name)
			}
		}
		if differences := pair[0].Differences(pair[0]); len(differences) > 0 {
			t.Errorf("%s: a record is not itself: %v", name, differences)
		}
	}
}
