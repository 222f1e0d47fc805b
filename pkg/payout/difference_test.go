package payout_test

import (
	"testing"

	"payout-callbacks/pkg/payout"
)

// I4: two different records always have a difference, whatever a provider or a
// person wrote into the values.
func TestDifferences_AmbiguousText(t *testing.T) {
	claims := func(field payout.Field, overflow bool, seen ...string) payout.Record {
		return payout.Record{ID: paid, Version: 2, Claims: map[payout.Field]payout.ClaimValues{field: {Seen: seen, Overflow: overflow}}}
	}
	for name, pair := range map[string][2]payout.Record{
		"one value or two":             {claims(payout.FieldReference, false, "a | b"), claims(payout.FieldReference, false, "a", "b")},
		"a value or the overflow flag": {claims(payout.FieldMemo, false, "a", "and more"), claims(payout.FieldMemo, true, "a")},
		"an empty field or none":       {claims(payout.FieldMemo, false), {ID: paid, Version: 2}},
		"an empty reason or none":      {{ID: paid, Reasons: map[payout.Status]string{payout.Failed: ""}}, {ID: paid}},
		"two single values":            {claims(payout.FieldMemo, false, "a"), claims(payout.FieldMemo, false, "b")},
	} {
		for _, item := range [][2]payout.Record{pair, {pair[1], pair[0]}} {
			if len(item[0].Differences(item[1])) == 0 {
				t.Errorf("%s: got no difference", name)
			}
		}
		if differences := pair[0].Differences(pair[0]); len(differences) > 0 {
			t.Errorf("%s: a record differs from itself: %v", name, differences)
		}
	}
}
