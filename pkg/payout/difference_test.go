package payout_test

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/payout"
)

// I4: each part of a record that only other sources than callbacks state is compared.
func TestDifferences_Sources(t *testing.T) {
	record := fold([]any{ordered(), overdue(paid, "open"), stated(payout.SourceQuery, payout.Succeeded)})
	settled := payout.Totals{Succeeded: payout.Tally{Count: 1, Amount: "5"}}
	for want, change := range map[string]func(*payout.Record){
		"sources":            func(r *payout.Record) { r.Sources = r.Sources[1:] },
		"deadline":           func(r *payout.Record) { r.Deadline = 4 },
		"overdue":            func(r *payout.Record) { r.Overdue = []string{"unasked"} },
		"final by succeeded": func(r *payout.Record) { r.FinalBy = nil },
		"final by failed": func(r *payout.Record) {
			r.FinalBy = map[payout.Status][]payout.Source{payout.Succeeded: {payout.SourceQuery}, payout.Failed: {payout.SourceResolution}}
		},
		"settled by query": func(r *payout.Record) { r.SettledByQuery = settled },
		"claims linkedTo": func(r *payout.Record) {
			r.Claims = maps.Clone(r.Claims)
			r.Claims[payout.FieldLinkedTo] = payout.ClaimValues{Seen: []string{"x"}}
		},
	} {
		changed := record
		change(&changed)
		var got []string
		for _, difference := range changed.Differences(record) {
			got = append(got, difference.Part)
		}
		if diff := cmp.Diff([]string{want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want, diff)
		}
	}
}

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
		"one overdue reason or two":    {{ID: paid, Overdue: []string{"a, b"}}, {ID: paid, Overdue: []string{"a", "b"}}},
		"one source or two":            {{ID: paid, Sources: []payout.Source{"a, b"}}, {ID: paid, Sources: []payout.Source{"a", "b"}}},
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
