package payout

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Resolution is a person's decision that ends a conflict: which value of each field
// to trust, and which to reject. It is merged like an event: an event that repeats
// a rejected value does not open the conflict again, a value never seen before
// does, and two people who decide differently are in conflict until one of them
// replaces both resolutions.
type Resolution struct {
	ID       ID                 `json:"payout"`
	Trusted  map[Field]string   `json:"trusted,omitempty"`
	Rejected map[Field][]string `json:"rejected,omitempty"`
	Replaces []string           `json:"replaces,omitempty"` // fingerprints of the resolutions that it supersedes
}

// Fingerprint identifies the resolution. Who decided, when and why are stored with
// its receipt and are not part of it.
func (r Resolution) Fingerprint() string {
	values := []string{"resolution", string(r.ID)}
	for _, field := range slices.Sorted(maps.Keys(r.Trusted)) {
		values = append(values, "trusted", string(field), r.Trusted[field])
	}
	for _, field := range slices.Sorted(maps.Keys(r.Rejected)) {
		for _, value := range distinct(r.Rejected[field]) {
			values = append(values, "rejected", string(field), value)
		}
	}
	for _, replaced := range distinct(r.Replaces) {
		values = append(values, "replaces", replaced)
	}
	return fingerprint(values...)
}

// ErrNoConflict means that there is nothing to resolve: the payout has no conflict,
// or the trusted events state what an earlier resolution trusts already.
var ErrNoConflict = errors.New("no conflict to resolve and no resolution to change")

// UndecidedError says why trusting some events does not resolve a conflict.
type UndecidedError struct {
	Missing     []Field // none of the events states a value
	Conflicting []Field // the events state different values
	Overflowed  []Field // the field has more values than are kept, so not all can be rejected
}

// Error names the fields.
func (e *UndecidedError) Error() string {
	var parts []string
	for _, part := range []struct {
		problem string
		fields  []Field
	}{
		{"the trusted receipts state no value for", e.Missing},
		{"the trusted receipts state different values for", e.Conflicting},
		{"there are more values than are kept for", e.Overflowed},
	} {
		if len(part.fields) > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", part.problem, joinFields(part.fields)))
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

// NewResolution returns the resolution that trusts what the events state for the
// fields in conflict, and rejects every other value seen. It replaces all
// resolutions in force and repeats what they decided about other fields, so that
// it does not open their conflicts again.
//
// If the record has no conflict, the events change an earlier resolution: they are
// trusted in the fields that it decided. The error is ErrNoConflict or an
// *UndecidedError.
func (r Record) NewResolution(events ...Event) (Resolution, error) {
	fields := r.Conflicts()
	if len(fields) == 0 {
		fields = r.changedFields(events)
	}
	if len(fields) == 0 {
		return Resolution{}, ErrNoConflict
	}
	resolution := Resolution{ID: r.ID, Trusted: map[Field]string{}, Rejected: map[Field][]string{}, Replaces: r.keysInForce()}
	for _, field := range r.resolvedFields() {
		if !slices.Contains(fields, field) {
			r.resolveField(&resolution, field, r.displayedValue(field))
		}
	}
	if err := r.resolveFields(&resolution, fields, events); err != nil {
		return Resolution{}, err
	}
	// The smaller of two sizes of a batch may be less than what is settled.
	next, _ := r.Resolve(resolution)
	if next.settledExceedsTotal() && !slices.Contains(fields, FieldSettled) {
		if err := r.resolveFields(&resolution, []Field{FieldSettled}, events); err != nil {
			return Resolution{}, err
		}
	}
	return resolution, nil
}

// resolveFields has the resolution trust what the events state for the fields.
func (r Record) resolveFields(resolution *Resolution, fields []Field, events []Event) error {
	undecided := &UndecidedError{}
	for _, field := range fields {
		values := claimedValues(field, events)
		switch {
		case r.Claims[field].Overflow:
			undecided.Overflowed = append(undecided.Overflowed, field)
		case len(values) == 0:
			undecided.Missing = append(undecided.Missing, field)
		case len(values) > 1:
			undecided.Conflicting = append(undecided.Conflicting, field)
		default:
			r.resolveField(resolution, field, values[0])
		}
	}
	if len(undecided.Missing)+len(undecided.Conflicting)+len(undecided.Overflowed) > 0 {
		return undecided
	}
	return nil
}

// resolveField has the resolution trust one value of a field and reject the others.
func (r Record) resolveField(resolution *Resolution, field Field, trusted string) {
	seen := r.Claims[field].Seen
	if field == FieldSettled {
		seen = []string{r.Settled.SettledKey()}
	}
	resolution.Trusted[field] = trusted
	for _, value := range seen {
		if value != trusted {
			resolution.Rejected[field] = append(resolution.Rejected[field], value)
		}
	}
}

// resolvedFields lists the fields of which a resolution in force rejects a value,
// sorted.
func (r Record) resolvedFields() []Field {
	fields := map[Field]bool{}
	for _, resolution := range r.resolutionsInForce() {
		for field := range resolution.Rejected {
			fields[field] = true
		}
	}
	return slices.Sorted(maps.Keys(fields))
}

// changedFields lists the resolved fields for which the events state another value
// than the record shows.
func (r Record) changedFields(events []Event) []Field {
	return slices.DeleteFunc(r.resolvedFields(), func(field Field) bool {
		values := claimedValues(field, events)
		return len(values) == 0 || len(values) == 1 && values[0] == r.displayedValue(field)
	})
}

// displayedValue returns the value that the record shows for a resolved field.
func (r Record) displayedValue(field Field) string {
	if field == FieldSettled {
		return r.EffectiveTotals().SettledKey()
	}
	return r.Value(field)
}

// keysInForce returns the fingerprints of the resolutions in force, sorted.
func (r Record) keysInForce() []string {
	var keys []string
	for _, resolution := range r.resolutionsInForce() {
		keys = append(keys, resolution.Fingerprint())
	}
	slices.Sort(keys)
	return keys
}

func claimedValues(field Field, events []Event) []string {
	var values []string
	for _, event := range events {
		if value := event.Claim(field); value != "" {
			values = append(values, value)
		}
	}
	return distinct(values)
}

func distinct(values []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(values)))
}
