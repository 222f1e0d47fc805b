package payout

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ErrAgreed means that there is nothing to decide: nothing contradicts what the
// record shows, or the events tell what an earlier decision trusts already.
var ErrNoConflict = errors.New("nothing contradicts what the payout shows")

// UndecidedError says why events cannot be trusted to end a contradiction.
type UndecidedError struct {
	Missing     []Field // fields in contradiction of which none of the events tells anything
	Conflicting []Field // fields on which the events contradict each other
	Overflowed  []Field // fields with more values than are kept: nobody can say what to reject
}

// Error names the fields.
func (e *UndecidedError) Error() string {
	var parts []string
	for _, part := range []struct {
		what   string
		fields []Field
	}{
		{"the trusted receipts tell nothing of", e.Missing},
		{"the trusted receipts contradict each other in", e.Conflicting},
		{"more values were told than are kept of", e.Overflowed},
	} {
		if len(part.fields) > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", part.what, joinFields(part.fields)))
		}
	}
	return strings.Join(parts, "; ")
}

func joinFields(fields []Field) string {
	var names []string
	for _, field := range fields {
		names = append(names, string(field))
	}
	return strings.Join(names, ", ")
}

// Trust returns the decision to believe what these events tell of the fields on
// which the facts contradict each other, and to reject every other value seen.
// It replaces all resolutions now in force and repeats what they decided about
// other fields, so that ending one contradiction does not re-open another.
//
// Where nothing contradicts, it is a change of mind: the events are believed in
// the fields that an earlier decision was about. The error is ErrAgreed or an
// *UndecidedError.
func (r Record) NewResolution(events ...Event) (Resolution, error) {
	fields := r.Conflicts()
	if len(fields) == 0 {
		fields = r.changed(events)
	}
	if len(fields) == 0 {
		return Resolution{}, ErrNoConflict
	}
	decision := Resolution{ID: r.ID, Trusted: map[Field]string{}, Rejected: map[Field][]string{}, Replaces: r.replaceable()}
	for _, field := range r.resolvedFields() {
		if !slices.Contains(fields, field) {
			r.resolveField(&decision, field, r.displayedValue(field))
		}
	}
	if err := r.resolveFields(&decision, fields, events); err != nil {
		return Resolution{}, err
	}
	// Which of two sizes a batch has may decide whether it is overdrawn.
	next, _ := r.Resolve(decision)
	if next.settledExceedsTotal() && !slices.Contains(fields, FieldSettled) {
		if err := r.resolveFields(&decision, []Field{FieldSettled}, events); err != nil {
			return Resolution{}, err
		}
	}
	return decision, nil
}

// believe adds what the events tell of the fields to the decision.
func (r Record) resolveFields(decision *Resolution, fields []Field, events []Event) error {
	undecided := &UndecidedError{}
	for _, field := range fields {
		texts := claimedValues(field, events)
		switch {
		case r.Claims[field].Overflow:
			undecided.Overflowed = append(undecided.Overflowed, field)
		case len(texts) == 0:
			undecided.Missing = append(undecided.Missing, field)
		case len(texts) > 1:
			undecided.Conflicting = append(undecided.Conflicting, field)
		default:
			r.resolveField(decision, field, texts[0])
		}
	}
	if len(undecided.Missing)+len(undecided.Conflicting)+len(undecided.Overflowed) > 0 {
		return undecided
	}
	return nil
}

// decide has the decision trust one value of a field and reject the others.
func (r Record) resolveField(decision *Resolution, field Field, trusted string) {
	seen := r.Claims[field].Seen
	if field == FieldSettled {
		seen = []string{r.Settled.SettledKey()}
	}
	decision.Trusted[field] = trusted
	for _, value := range seen {
		if value != trusted {
			decision.Rejected[field] = append(decision.Rejected[field], value)
		}
	}
}

// decided lists the fields about which a decision in force says something that
// matters to what was seen, sorted.
func (r Record) resolvedFields() []Field {
	fields := map[Field]bool{}
	for _, decision := range r.resolutionsInForce() {
		for field := range decision.Rejected {
			fields[field] = true
		}
	}
	return slices.Sorted(maps.Keys(fields))
}

// changed lists the fields that were decided and of which the events tell
// something else than what is shown.
func (r Record) changed(events []Event) []Field {
	return slices.DeleteFunc(r.resolvedFields(), func(field Field) bool {
		texts := claimedValues(field, events)
		return len(texts) == 0 || len(texts) == 1 && texts[0] == r.displayedValue(field)
	})
}

// shownValue is the value that the record shows of a field that is decided.
func (r Record) displayedValue(field Field) string {
	if field == FieldSettled {
		return r.EffectiveTotals().SettledKey()
	}
	return r.Value(field)
}

func (r Record) replaceable() []string {
	var keys []string
	for _, decision := range r.resolutionsInForce() {
		keys = append(keys, decision.Fingerprint())
	}
	slices.Sort(keys)
	return keys
}

func claimedValues(field Field, events []Event) []string {
	var texts []string
	for _, event := range events {
		if value := event.Claim(field); value != "" {
			texts = append(texts, value)
		}
	}
	return distinct(texts)
}

// Claim returns what the event claims of a field, or "" where it tells nothing
// of it.
func (e Event) Claim(field Field) string {
	if field == FieldSettled {
		if e.ID.Type() != TypeBatch {
			return ""
		}
		return e.Totals.SettledKey()
	}
	return e.claims()[field]
}
