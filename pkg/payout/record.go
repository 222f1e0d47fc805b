package payout

import (
	"maps"
	"slices"
	"strconv"
)

// Outcome says what merging an event or a resolution did to a record.
type Outcome string

// The outcomes of Apply and Resolve.
const (
	Changed   Outcome = "changed"   // a value that the record shows has changed
	Unchanged Outcome = "unchanged" // the record shows the same values as before
	Conflict  Outcome = "conflict"  // the record is in conflict
)

// Record is everything known about one payout or batch: the fold of the events and
// resolutions applied to it. The zero Record, given an ID, is the record of a
// payout that no event has stated. A Record is a value: Apply and Resolve return a
// new one and leave their receiver as it was.
type Record struct {
	ID          ID
	Version     int64                 // number of events and resolutions applied
	Sources     []Source              // the sources of the events, sorted
	Progress    Status                // the furthest status that is not a claim
	Claims      map[Field]ClaimValues // the claimed values by field
	Reasons     map[Status]string     // the smallest reason by status
	BlockHeight uint64                // greatest seen: a chain reorganisation is not a conflict
	BlockTime   int64                 // greatest seen
	Settled     Totals                // of a batch: greatest seen, part by part; Pending stays zero
	// SettledByQuery is Settled of the events of queries only.
	SettledByQuery Totals
	// FinalBy has the sources other than callbacks that stated a final status, sorted.
	FinalBy     map[Status][]Source
	Deadline    int64                 // the earliest stated, in milliseconds since 1970; 0 if none is
	Overdue     []string              // why the reconciler stated that the payout is overdue, sorted
	Resolutions map[string]Resolution // by fingerprint
}

// Apply merges an event into the record.
func (r Record) Apply(e Event) (Record, Outcome) {
	next := r.clone()
	next.ID = e.ID
	next.Version++
	next.Sources = withElement(r.Sources, e.StatedBy())
	for field, value := range e.claims() {
		next.Claims[field] = next.Claims[field].with(value)
	}
	payoutType := e.ID.Type()
	if e.StatedBy() != SourceResolution && e.Status.rank(payoutType) > next.Progress.rank(payoutType) {
		next.Progress = e.Status
	}
	next.applyReason(e)
	next.BlockHeight = max(next.BlockHeight, e.BlockHeight)
	next.BlockTime = max(next.BlockTime, e.BlockTime)
	next.Settled = next.Settled.max(e.Totals)
	if e.StatedBy() == SourceQuery {
		next.SettledByQuery = next.SettledByQuery.max(e.Totals)
	}
	if e.Status.IsFinal() && e.StatedBy() != SourceCallback {
		next.FinalBy[e.Status] = withElement(r.FinalBy[e.Status], e.StatedBy())
	}
	if e.Deadline != 0 && (r.Deadline == 0 || e.Deadline < r.Deadline) {
		next.Deadline = e.Deadline
	}
	return next, next.outcome(r)
}

// applyReason merges the event's reason: the reconciler's into the set of overdue
// reasons, any other as the smallest of its status.
func (r *Record) applyReason(e Event) {
	switch seen, ok := r.Reasons[e.Status]; {
	case e.Reason == "":
	case e.Status == Overdue:
		r.Overdue = withElement(r.Overdue, e.Reason)
	case !ok || e.Reason < seen:
		r.Reasons[e.Status] = e.Reason
	}
}

// Resolve merges a resolution into the record.
func (r Record) Resolve(resolution Resolution) (Record, Outcome) {
	next := r.clone()
	next.ID = resolution.ID
	next.Version++
	next.Resolutions[resolution.Fingerprint()] = resolution
	return next, next.outcome(r)
}

// Status returns the status that the record shows: conflicted if it has a conflict,
// linked if it is linked to another payout, else the final status if an event stated
// one, else the progress.
func (r Record) Status() Status {
	switch {
	case r.Version == 0:
		return ""
	case len(r.Conflicts()) > 0:
		return Conflicted
	case r.Value(FieldLinkedTo) != "":
		return Linked
	case r.ID.Type() == TypeBatch:
		return r.batchStatus()
	}
	if final := r.Value(FieldStatus); final != "" {
		return Status(final)
	}
	return r.Progress
}

// Reason returns the provider's reason for the status that the record shows, or ""
// if no event stated one.
func (r Record) Reason() string { return r.Reasons[r.Status()] }

// Value returns the live value of a field, or "" if it has none or several.
func (r Record) Value(field Field) string {
	if live := r.live(field); len(live) == 1 && !r.Claims[field].Overflow {
		return live[0]
	}
	return ""
}

// Conflicts lists the fields that are in conflict, sorted.
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

// live returns the values that no resolution in force rejects.
func (r Record) live(field Field) []string {
	if len(r.Resolutions) == 0 {
		return r.Claims[field].Seen
	}
	inForce := r.resolutionsInForce()
	return slices.DeleteFunc(slices.Clone(r.Claims[field].Seen), func(value string) bool {
		return slices.ContainsFunc(inForce, func(resolution Resolution) bool {
			return slices.Contains(resolution.Rejected[field], value)
		})
	})
}

// resolutionsInForce returns the resolutions that no other one replaces.
func (r Record) resolutionsInForce() []Resolution {
	if len(r.Resolutions) == 0 {
		return nil
	}
	replaced := map[string]bool{}
	for _, resolution := range r.Resolutions {
		for _, key := range resolution.Replaces {
			replaced[key] = true
		}
	}
	var inForce []Resolution
	for key, resolution := range r.Resolutions {
		if !replaced[key] {
			inForce = append(inForce, resolution)
		}
	}
	return inForce
}

// batchStatus returns the last status of a batch once all of its items are settled.
// Until then it returns the status with which a person closed the batch, if somebody did.
// A batch that is done while the payment partner still processes items is pending.
func (r Record) batchStatus() Status {
	isProcessed := r.Progress.rank(TypeBatch) >= Done.rank(TypeBatch)
	switch closed := Status(r.Value(FieldStatus)); {
	case isProcessed && r.isSettled():
		return r.Progress
	case closed != "":
		return closed
	case isProcessed:
		return Pending
	}
	return r.Progress
}

// isSettled reports whether all items of a batch are settled.
func (r Record) isSettled() bool {
	return formatCount(r.EffectiveTotals().Settled().Count) == r.Value(FieldItems)
}

// EffectiveTotals returns the settled items of a batch: the greatest totals seen,
// or, if the resolutions in force reject exactly those and agree on others, the
// others.
func (r Record) EffectiveTotals() Totals {
	if len(r.Resolutions) == 0 {
		return r.Settled
	}
	key := r.Settled.SettledKey()
	var trusted []string
	for _, resolution := range r.resolutionsInForce() {
		if slices.Contains(resolution.Rejected[FieldSettled], key) {
			trusted = append(trusted, resolution.Trusted[FieldSettled])
		}
	}
	if trusted = distinct(trusted); len(trusted) != 1 {
		return r.Settled
	}
	totals, err := parseSettledKey(trusted[0])
	if err != nil {
		return r.Settled // not totals: the conflict stays
	}
	return totals
}

// settledExceedsTotal reports whether more of a batch is settled than the batch
// has, in items or in money. No sequence of true totals does that.
func (r Record) settledExceedsTotal() bool {
	if r.ID.Type() != TypeBatch {
		return false
	}
	settled := r.EffectiveTotals().Settled()
	items, err := strconv.ParseInt(r.Value(FieldItems), 10, 64)
	return err == nil && settled.Count > items ||
		r.Value(FieldAmount) != "" && settled.Amount.Cmp(Amount(r.Value(FieldAmount))) > 0
}

func (r Record) outcome(before Record) Outcome {
	switch {
	case r.Status() == Conflicted:
		return Conflict
	case !r.ShowsSame(before):
		return Changed
	}
	return Unchanged
}

// ShowsSame reports whether both records show the same values.
func (r Record) ShowsSame(other Record) bool { return r.displayKey() == other.displayKey() }

// displayKey returns a fingerprint of the values that the record shows.
func (r Record) displayKey() string {
	values := []string{
		string(r.Status()), r.Reason(),
		strconv.FormatBool(r.IsExpected()), strconv.FormatBool(r.IsConfirmed()), strconv.FormatBool(r.IsOverdue()),
	}
	for _, field := range slices.Sorted(maps.Keys(r.Claims)) {
		values = append(values, string(field), r.Value(field))
	}
	settled := r.EffectiveTotals()
	values = append(values, strconv.FormatUint(r.BlockHeight, 10), formatCount(r.BlockTime),
		settled.Succeeded.text(), settled.Failed.text(), settled.Cancelled.text())
	return fingerprint(values...)
}

func (r Record) clone() Record {
	r.Claims = cloneMap(r.Claims)
	r.Reasons = cloneMap(r.Reasons)
	r.Resolutions = cloneMap(r.Resolutions)
	r.FinalBy = cloneMap(r.FinalBy)
	return r
}

func cloneMap[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return maps.Clone(m)
}
