package display

import (
	"maps"
	"slices"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Changes returns what each applied receipt changed in the payout, by its key: the
// receipts are merged again in the order in which they were applied.
func (t History) Changes() map[inbox.Key]string {
	applied := slices.DeleteFunc(slices.Clone(t.Entries), func(e Entry) bool { return e.State != inbox.Applied || e.Damaged })
	slices.SortStableFunc(applied, func(a, b Entry) int { return a.AppliedAt.Compare(b.AppliedAt) })
	changes := map[inbox.Key]string{}
	before := payout.Record{ID: t.Record.ID}
	for _, e := range applied {
		after, _ := before.Apply(e.Event)
		if e.Resolution != nil {
			after, _ = before.Resolve(*e.Resolution)
		}
		changes[e.Key] = formatChange(before, after)
		before = after
	}
	return changes
}

func formatChange(before, after payout.Record) string {
	var parts []string
	add := func(isNew bool, text string) {
		if isNew {
			parts = append(parts, text)
		}
	}
	from, to := string(before.Status()), string(after.Status())
	add(from == "", "created as "+to)
	add(from != "" && from != to, from+" → "+to)
	add(after.IsExpected() && !before.IsExpected() && to != string(payout.Expected), "expected")
	add(after.IsConfirmed() && !before.IsConfirmed(), "confirmed")
	add(after.IsOverdue() && !before.IsOverdue(), "overdue")
	if conflicts := after.Conflicts(); !slices.Equal(conflicts, before.Conflicts()) && len(conflicts) > 0 {
		parts = append(parts, "conflict in "+cli.JoinNames(conflicts))
	}
	set := newFields(before, after)
	add(from != "" && len(set) > 0, "sets "+strings.Join(set, ", "))
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, "; ")
}

// newFields returns the fields that only the later record shows, except the status.
func newFields(before, after payout.Record) []string {
	var fields []string
	for _, field := range slices.Sorted(maps.Keys(after.Claims)) {
		if field != payout.FieldStatus && before.Value(field) == "" && after.Value(field) != "" {
			fields = append(fields, string(field))
		}
	}
	return fields
}
