package payout

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Difference is one part in which two records are not alike. A value that a
// record does not have is "".
type Difference struct {
	Part  string // "version", "claims amount", "reasons failed", "resolutions 1abc…"
	Have  string
	Want  string
	Field Field // of a claim
}

// Differences lists in what a record is not the wanted one, by part. Records
// without a difference are equal in everything that the fold knows.
func (r Record) Differences(want Record) []Difference {
	have, wanted := r.parts(), want.parts()
	names := slices.AppendSeq(slices.Collect(maps.Keys(have)), maps.Keys(wanted))
	var differences []Difference
	for _, name := range distinct(names) {
		if have[name] == wanted[name] {
			continue
		}
		one := Difference{Part: name, Have: have[name], Want: wanted[name]}
		if field, ok := strings.CutPrefix(name, claimsPart); ok {
			one.Field = Field(field)
		}
		differences = append(differences, one)
	}
	return differences
}

const claimsPart = "claims "

// parts are all that a record knows, each as a text; what it does not know is
// left out.
func (r Record) parts() map[string]string {
	parts := map[string]string{
		"payout": string(r.ID), "version": formatCount(r.Version), "progress": string(r.Progress),
		"block height": strconv.FormatUint(r.BlockHeight, 10), "block time": formatCount(r.BlockTime),
		"settled": r.Settled.SettledText(),
	}
	for field, values := range r.Claims {
		text := strings.Join(values.Seen, " | ")
		if values.Overflow {
			text += " | and more"
		}
		parts[claimsPart+string(field)] = text
	}
	for status, reason := range r.Reasons {
		parts["reasons "+string(status)] = reason
	}
	for key, decision := range r.Resolutions {
		parts["resolutions "+key] = "decision " + decision.Fingerprint()
	}
	return parts
}
