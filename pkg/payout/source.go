package payout

import "slices"

// Source is who states an event.
type Source string

// The sources.
const (
	SourceCallback    Source = "callback"    // the provider, in a callback
	SourceQuery       Source = "query"       // the provider, in its answer to a query of ours
	SourceExpectation Source = "expectation" // our own service, which ordered the payout
	SourceResolution  Source = "resolution"  // a person who closed the payout
	SourceReconciler  Source = "reconciler"  // the reconciler: a payout is overdue, or linked to another
)

// withElement returns a sorted set with an element added; set does not change.
func withElement[E ~string](set []E, element E) []E {
	i, ok := slices.BinarySearch(set, element)
	if ok {
		return set
	}
	return slices.Insert(slices.Clone(set), i, element)
}

// IsExpected reports whether our own service stated that it ordered the payout.
func (r Record) IsExpected() bool { return slices.Contains(r.Sources, SourceExpectation) }

// IsConfirmed reports whether a query stated the final status that the record shows;
// of a batch, the totals that it shows, with every item settled.
func (r Record) IsConfirmed() bool {
	status := r.Status()
	switch {
	case !status.IsFinal():
		return false
	case r.ID.Type() == TypeBatch:
		return slices.Contains(r.Sources, SourceQuery) && r.isSettled() &&
			r.SettledByQuery.SettledKey() == r.EffectiveTotals().SettledKey()
	}
	return slices.Contains(r.FinalBy[status], SourceQuery)
}

// IsOpen reports whether the payout has neither a final status nor a conflict, and is
// not linked to another.
func (r Record) IsOpen() bool {
	status := r.Status()
	return status != "" && !status.IsFinal() && status != Conflicted && status != Linked
}

// HasEnded reports whether a final status is stated, even if the record is in conflict.
func (r Record) HasEnded() bool {
	if r.ID.Type() == TypeBatch {
		return r.batchStatus().IsFinal() || r.Progress.IsFinal() && r.Value(FieldItems) == "" // two sizes
	}
	return len(r.Claims[FieldStatus].Seen) > 0
}

// IsOverdue reports whether the payout is open although its deadline has passed: the
// reconciler states that only after it has asked, or if it cannot ask.
func (r Record) IsOverdue() bool { return r.IsOpen() && len(r.Overdue) > 0 }
