package payout

import (
	"maps"
	"slices"
)

// Resolution is a person's decision that ends a contradiction: which value of
// each field to trust, and which to reject. It is a fact like an event, and
// merged by the same law: a rejected value that is told again re-opens
// nothing, a value never seen before does, and two people who decide
// differently contradict each other until one of them replaces both.
type Resolution struct {
	ID       ID                 `json:"payout"`
	Trusted  map[Field]string   `json:"trusted,omitempty"`  // the value to believe
	Rejected map[Field][]string `json:"rejected,omitempty"` // the values not to
	Replaces []string           `json:"replaces,omitempty"` // fingerprints of the resolutions that it supersedes
}

// Fingerprint identifies the decision. Who made it, when and why are kept with
// its receipt and are no part of it.
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

func distinct(values []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(values)))
}
