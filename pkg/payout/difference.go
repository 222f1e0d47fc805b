package payout

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Difference is a part in which two records differ. A part that a record does not
// have is "".
type Difference struct {
	Part  string `json:"part"` // "version", "claims amount", "reasons failed", "resolutions 1abc…"
	Have  string `json:"have"`
	Want  string `json:"want"`
	Field Field  `json:"field,omitzero"` // of a claim
}

// Differences lists the parts in which the record differs from want, by name. Two
// records without a difference are equal.
func (r Record) Differences(want Record) []Difference {
	haveParts, wantParts := r.parts(), want.parts()
	names := slices.AppendSeq(slices.Collect(maps.Keys(haveParts)), maps.Keys(wantParts))
	var differences []Difference
	for _, name := range distinct(names) {
		if haveParts[name] == wantParts[name] {
			continue
		}
		difference := Difference{Part: name, Have: haveParts[name].text, Want: wantParts[name].text}
		if field, ok := strings.CutPrefix(name, claimsPrefix); ok {
			difference.Field = Field(field)
		}
		differences = append(differences, difference)
	}
	return differences
}

const claimsPrefix = "claims "

// part is one part of a record.
type part struct {
	text string // for people: different values may have the same text
	key  string // fingerprint of the value; "" if the record does not have the part
}

func newPart(text string, values ...string) part { return part{text, fingerprint(values...)} }

// newSetPart returns the part of a set.
func newSetPart[E ~string](set []E) part {
	var texts []string
	for _, element := range set {
		texts = append(texts, string(element))
	}
	return newPart(strings.Join(texts, ", "), texts...)
}

// parts returns the parts that the record has, by name.
func (r Record) parts() map[string]part {
	parts := map[string]part{}
	for name, text := range map[string]string{
		"payout": string(r.ID), "version": formatCount(r.Version), "progress": string(r.Progress),
		"block height": strconv.FormatUint(r.BlockHeight, 10), "block time": formatCount(r.BlockTime),
		"settled": r.Settled.SettledKey(), "settled by query": r.SettledByQuery.SettledKey(), "deadline": formatCount(r.Deadline),
	} {
		parts[name] = newPart(text, text)
	}
	parts["sources"], parts["overdue"] = newSetPart(r.Sources), newSetPart(r.Overdue)
	for status, sources := range r.FinalBy {
		parts["final by "+string(status)] = newSetPart(sources)
	}
	for field, values := range r.Claims {
		text := strings.Join(values.Seen, " | ")
		if values.Overflow {
			text += " | and more"
		}
		parts[claimsPrefix+string(field)] = newPart(text, append([]string{strconv.FormatBool(values.Overflow)}, values.Seen...)...)
	}
	for status, reason := range r.Reasons {
		parts["reasons "+string(status)] = newPart(reason, reason)
	}
	for key, resolution := range r.Resolutions {
		fingerprint := resolution.Fingerprint()
		parts["resolutions "+key] = newPart("resolution "+fingerprint, fingerprint)
	}
	return parts
}
