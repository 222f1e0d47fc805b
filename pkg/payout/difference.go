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
		difference := Difference{Part: name, Have: have[name].shown, Want: wanted[name].shown}
		if field, ok := strings.CutPrefix(name, claimsPart); ok {
			difference.Field = Field(field)
		}
		differences = append(differences, difference)
	}
	return differences
}

const claimsPart = "claims "

// part is something that a record knows.
type part struct {
	shown string // for people: different values may look alike
	exact string // the fingerprint of what it is; "" of a part that is not there
}

func partOf(shown string, values ...string) part { return part{shown, fingerprint(values...)} }

// parts are all that a record knows, by name; what it does not know is left out.
func (r Record) parts() map[string]part {
	parts := map[string]part{}
	for name, text := range map[string]string{
		"payout": string(r.ID), "version": formatCount(r.Version), "progress": string(r.Progress),
		"block height": strconv.FormatUint(r.BlockHeight, 10), "block time": formatCount(r.BlockTime),
		"settled": r.Settled.SettledKey(),
	} {
		parts[name] = partOf(text, text)
	}
	for field, values := range r.Claims {
		shown := strings.Join(values.Seen, " | ")
		if values.Overflow {
			shown += " | and more"
		}
		parts[claimsPart+string(field)] = partOf(shown, append([]string{strconv.FormatBool(values.Overflow)}, values.Seen...)...)
	}
	for status, reason := range r.Reasons {
		parts["reasons "+string(status)] = partOf(reason, reason)
	}
	for key, decision := range r.Resolutions {
		decided := decision.Fingerprint()
		parts["resolutions "+key] = partOf("decision "+decided, decided)
	}
	return parts
}
