package payout

import (
	"maps"
	"slices"
	"strconv"
)

// Outcome says what merging one fact did to a record.
type Outcome string

// The outcomes of Apply and Resolve.
const (
	Changed   Outcome = "changed"   // what the record shows is another thing now
	Unchanged Outcome = "unchanged" // the fact is kept; what is shown stays
	Conflict  Outcome = "conflict"  // the facts contradict each other
)

// Record is all that is known of one payout or batch: the fold of the facts
// applied to it. The zero Record, given an ID, knows nothing. A Record is a
// value: Apply and Resolve return another one and leave theirs as it was.
type Record struct {
	ID          ID
	Version     int64                 // number of facts applied
	Progress    Status                // the furthest status seen that is no claim
	Claims      map[Field]ClaimValues // what was told, per field
	Reasons     map[Status]string     // the smallest reason told, per status
	BlockHeight uint64                // greatest told: a reorganisation is no contradiction
	BlockTime   int64                 // greatest told
	Settled     Totals                // of a batch: greatest told, part by part; Pending stays zero
	Resolutions map[string]Resolution
}

// Apply merges an event into the record.
func (r Record) Apply(e Event) (Record, Outcome) {
	next := r.clone()
	next.ID = e.ID
	next.Version++
	for field, value := range e.claims() {
		next.Claims[field] = next.Claims[field].with(value)
	}
	kind := e.ID.Type()
	if e.Status.rank(kind) > next.Progress.rank(kind) {
		next.Progress = e.Status
	}
	if seen, ok := next.Reasons[e.Status]; e.Reason != "" && (!ok || e.Reason < seen) {
		next.Reasons[e.Status] = e.Reason
	}
	next.BlockHeight = max(next.BlockHeight, e.BlockHeight)
	next.BlockTime = max(next.BlockTime, e.BlockTime)
	next.Settled = next.Settled.greatest(e.Totals)
	return next, next.outcome(r)
}

// Resolve merges a person's decision into the record.
func (r Record) Resolve(decision Resolution) (Record, Outcome) {
	next := r.clone()
	next.ID = decision.ID
	next.Version++
	next.Resolutions[decision.Fingerprint()] = decision
	return next, next.outcome(r)
}

// Status returns what the record shows: conflicted where its facts contradict
// each other, else the final status where one was told, else the progress.
func (r Record) Status() Status {
	switch {
	case r.Version == 0:
		return ""
	case len(r.Conflicts()) > 0:
		return Conflicted
	case r.ID.Type() == TypeBatch:
		return r.batchStatus()
	}
	if final := r.Value(FieldStatus); final != "" {
		return Status(final)
	}
	return r.Progress
}

// Reason returns why the record has the status it shows, where that was told.
func (r Record) Reason() string { return r.Reasons[r.Status()] }

// Value returns the one live value of a field, or "" where none was told or
// several contradict each other.
func (r Record) Value(field Field) string {
	if live := r.live(field); len(live) == 1 && !r.Claims[field].Overflow {
		return live[0]
	}
	return ""
}

// Contradictions lists the fields on which the facts do not agree, sorted.
func (r Record) Conflicts() []Field {
	var fields []Field
	for field, values := range r.Claims {
		if values.Overflow || len(r.live(field)) != 1 {
			fields = append(fields, field)
		}
	}
	if r.settledExceedsTotal() {
		fields = append(fields, FieldSettled)
	}
	slices.Sort(fields)
	return fields
}

// live returns the values seen and not rejected by a resolution in force.
func (r Record) live(field Field) []string {
	inForce := r.resolutionsInForce()
	return slices.DeleteFunc(slices.Clone(r.Claims[field].Seen), func(value string) bool {
		return slices.ContainsFunc(inForce, func(decision Resolution) bool {
			return slices.Contains(decision.Rejected[field], value)
		})
	})
}

func (r Record) resolutionsInForce() []Resolution {
	replaced := map[string]bool{}
	for _, decision := range r.Resolutions {
		for _, key := range decision.Replaces {
			replaced[key] = true
		}
	}
	var inForce []Resolution
	for key, decision := range r.Resolutions {
		if !replaced[key] {
			inForce = append(inForce, decision)
		}
	}
	return inForce
}

// batchStatus shows a batch's last stage once all of its items are settled; a
// request that is done with items at the partner is still pending.
func (r Record) batchStatus() Status {
	if r.Progress.rank(TypeBatch) < Done.rank(TypeBatch) {
		return r.Progress
	}
	if formatCount(r.EffectiveTotals().Settled().Count) != r.Value(FieldItems) {
		return Pending
	}
	return r.Progress
}

// ShownSettled returns what of a batch counts as settled: the greatest totals
// told, or where the decisions in force reject exactly those and agree on
// others, the others.
func (r Record) EffectiveTotals() Totals {
	text := r.Settled.SettledKey()
	var trusted []string
	for _, decision := range r.resolutionsInForce() {
		if slices.Contains(decision.Rejected[FieldSettled], text) {
			trusted = append(trusted, decision.Trusted[FieldSettled])
		}
	}
	if trusted = distinct(trusted); len(trusted) != 1 {
		return r.Settled
	}
	totals, err := parseSettled(trusted[0])
	if err != nil {
		return r.Settled // nobody can reckon with that: the contradiction stays
	}
	return totals
}

// overdrawn reports whether more of a batch was settled than there is of it,
// which no sequence of true totals can tell.
func (r Record) settledExceedsTotal() bool {
	if r.ID.Type() != TypeBatch {
		return false
	}
	settled := r.EffectiveTotals().Settled()
	items, err := strconv.ParseInt(r.Value(FieldItems), 10, 64)
	return err == nil && settled.Count > items ||
		r.Value(FieldAmount) != "" && settled.Amount.Cmp(Amount(r.Value(FieldAmount))) > 0
}

func (t Totals) greatest(other Totals) Totals {
	return Totals{
		Succeeded: t.Succeeded.greatest(other.Succeeded),
		Failed:    t.Failed.greatest(other.Failed),
		Cancelled: t.Cancelled.greatest(other.Cancelled),
	}
}

func (t Tally) greatest(other Tally) Tally {
	if other.Amount.Cmp(t.Amount) > 0 {
		t.Amount = other.Amount
	}
	t.Count = max(t.Count, other.Count)
	return t
}

func (r Record) outcome(before Record) Outcome {
	switch {
	case r.Status() == Conflicted:
		return Conflict
	case r.displayKey() != before.displayKey():
		return Changed
	}
	return Unchanged
}

// shown is what a reader of the record is told: equal strings look alike.
func (r Record) displayKey() string {
	values := []string{string(r.Status()), r.Reason()}
	for _, field := range slices.Sorted(maps.Keys(r.Claims)) {
		values = append(values, string(field), r.Value(field))
	}
	settled := r.EffectiveTotals()
	values = append(values, strconv.FormatUint(r.BlockHeight, 10), strconv.FormatInt(r.BlockTime, 10),
		settled.Succeeded.text(), settled.Failed.text(), settled.Cancelled.text())
	return fingerprint(values...)
}

func (r Record) clone() Record {
	r.Claims = cloneMap(r.Claims)
	r.Reasons = cloneMap(r.Reasons)
	r.Resolutions = cloneMap(r.Resolutions)
	return r
}

func cloneMap[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return maps.Clone(m)
}

func formatCount(n int64) string { return strconv.FormatInt(n, 10) }
