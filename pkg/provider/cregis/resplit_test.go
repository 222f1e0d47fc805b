package cregis_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
)

// pair is a field of a body that a test builds. Text in quotes or not is one
// to the signature, so that tests send all of it in quotes.
type pair struct{ name, text string }

// The documented fields of both callbacks and their forms, once more and
// independently of the code: docs/adr/0008-cregis-readings.md.
var wellFormed = map[string]*regexp.Regexp{
	"address":        regexp.MustCompile(`^[A-Za-z0-9:_-]{20,128}$`),
	"amount":         regexp.MustCompile(`^(0|[1-9]\d{0,29})(\.\d{1,30})?$`),
	"block_height":   regexp.MustCompile(`^\d{1,20}$`),
	"block_time":     regexp.MustCompile(`^(0|\d{10,16})$`),
	"chain_id":       regexp.MustCompile(`^\d{1,20}$`),
	"cid":            regexp.MustCompile(`^[1-9]\d{0,18}$`),
	"currency":       regexp.MustCompile(`^([a-z]{2,12}|\$?[a-z]{0,5}[A-Z0-9]{1,20}(\.[a-z])?|[a-z]{0,5}[A-Z0-9]{0,17}USDe)(-[A-Z0-9]{1,20})?$`),
	"from_address":   regexp.MustCompile(`^[A-Za-z0-9:_-]{20,128}$`),
	"memo":           regexp.MustCompile(`(?s)^.{1,128}$`),
	"nonce":          regexp.MustCompile(`^[A-Za-z0-9]{6}$`),
	"pid":            regexp.MustCompile(`^[1-9]\d{0,18}$`),
	"remark":         regexp.MustCompile(`(?s)^.{1,256}$`),
	"status":         regexp.MustCompile(`^[2467]$`),
	"third_party_id": regexp.MustCompile(`^[ -~]{1,128}$`),
	"timestamp":      regexp.MustCompile(`^\d{13}$`),
	"to_address":     regexp.MustCompile(`^[A-Za-z0-9:_-]{20,128}$`),
	"token_id":       regexp.MustCompile(`^(\d{1,20}|[A-Z0-9]{1,12}|0x[0-9a-fA-F]{40}|[1-9A-HJ-NP-Za-km-z]{25,44})$`),
	"txid":           regexp.MustCompile(`^((0x)?[0-9a-fA-F]{64}|[1-9A-HJ-NP-Za-km-z]{80,88})$`),
}

var (
	knownNames = slices.Sorted(maps.Keys(wellFormed))
	required   = map[payout.Type][]string{
		payout.TypePayout: {"address", "amount", "chain_id", "cid", "currency", "nonce", "pid", "status",
			"third_party_id", "timestamp", "token_id"},
		payout.TypeSubAddressPayout: {"amount", "chain_id", "cid", "currency", "from_address", "nonce", "pid", "status",
			"third_party_id", "timestamp", "to_address", "token_id"},
	}
)

// complete returns the type of callback that has all of its fields and none of
// the other's.
func complete(pairs []pair) (payout.Type, bool) {
	has := map[string]bool{}
	for _, pair := range pairs {
		has[pair.name] = true
	}
	for kind, names := range required {
		missing := slices.ContainsFunc(names, func(name string) bool { return !has[name] })
		mixed := has["address"] && has["to_address"] || has["address"] && has["from_address"]
		if !missing && !mixed {
			return kind, true
		}
	}
	return "", false
}

func canonicalOf(pairs []pair) string {
	pairs = slices.SortedFunc(slices.Values(pairs), func(a, b pair) int { return strings.Compare(a.name, b.name) })
	var text strings.Builder
	for _, pair := range pairs {
		text.WriteString(pair.name + pair.text)
	}
	return text.String()
}

func bodyOf(pairs []pair) []byte {
	members := make([]string, 0, len(pairs))
	for _, pair := range pairs {
		name, _ := json.Marshal(pair.name)
		text, _ := json.Marshal(pair.text)
		members = append(members, string(name)+":"+string(text))
	}
	return []byte("{" + strings.Join(members, ",") + "}")
}

// adversary cuts a signed text into all complete bodies whose documented values
// are well formed, with at most so many fields under names of its own.
type adversary struct {
	text     string
	made     int // names of its own allowed
	longest  int // of such a name
	yield    func(pairs []pair)
	pairs    []pair
	patience int // how many values it tries before it gives up; 0 is for ever
	tried    int
	named    []bool // whether a documented name begins here
	begun    []int  // where one that ends here, of more than three letters, began; or -1
}

func (a *adversary) givesUp() bool { return a.patience > 0 && a.tried > a.patience }

// cut goes on from position at, behind a value; all names still to come sort
// after last.
func (a *adversary) cut(at int, last string, made int) {
	if at == len(a.text) {
		if _, ok := complete(a.pairs); ok {
			a.yield(a.pairs)
		}
		return
	}
	for _, name := range knownNames {
		if name > last && strings.HasPrefix(a.text[at:], name) {
			a.value(name, at+len(name), made)
		}
	}
	if made == 0 {
		return
	}
	for end := at + 1; end < len(a.text) && end <= at+a.longest; end++ {
		if name := a.text[at:end]; name > last && !slices.Contains(knownNames, name) {
			a.value(name, end, made-1)
		}
	}
}

func (a *adversary) value(name string, from, made int) {
	for end := from + 1; end <= len(a.text) && !a.givesUp(); end++ {
		a.tried++
		if end-from > 256 || !isFree(name) && a.begun[end] >= from {
			return // and no longer value is well formed either
		}
		cuts := end == len(a.text) || made > 0 || a.named[end]
		if form := wellFormed[name]; cuts && (form == nil || form.MatchString(a.text[from:end])) {
			a.pairs = append(a.pairs, pair{name, a.text[from:end]})
			a.cut(end, name, made)
			a.pairs = a.pairs[:len(a.pairs)-1]
		}
	}
}

// isFree reports whether people write the field. The value of another field
// holds no field's name, or one of three letters by chance.
func isFree(name string) bool {
	return name == "remark" || name == "memo" || name == "third_party_id"
}

// look notes where names stand in the text.
func (a *adversary) look() {
	a.named, a.begun = make([]bool, len(a.text)), make([]int, len(a.text)+1)
	for at := range a.begun {
		a.begun[at] = -1
	}
	for _, name := range knownNames {
		for at := range a.named {
			stands := strings.HasPrefix(a.text[at:], name)
			a.named[at] = a.named[at] || stands
			if stands && len(name) > 3 {
				a.begun[at+len(name)] = max(at, a.begun[at+len(name)])
			}
		}
	}
}

// verdicts is what became of all bodies that share one signed text.
type verdicts struct {
	bodies     int
	documented map[string][]pair // meanings of readings in documented names only
	applied    map[string][]pair // meanings of the bodies that were taken
}

// try posts every body that the adversary finds, on both routes.
func (a *adversary) try() verdicts {
	result := verdicts{documented: map[string][]pair{}, applied: map[string][]pair{}}
	a.yield = func(pairs []pair) {
		kind, _ := complete(pairs)
		if !slices.ContainsFunc(pairs, func(p pair) bool { return wellFormed[p.name] == nil }) {
			result.documented[meaning(kind, pairs)] = slices.Clone(pairs)
		}
		for _, route := range (cregis.Provider{}).Types() {
			result.bodies++
			request := callback.NewRequest(route, nil, bodyOf(pairs))
			if _, held := (cregis.Provider{}).Parse(request, callback.Sender{}); held == nil {
				result.applied[meaning(route, pairs)] = slices.Clone(pairs)
			}
		}
	}
	a.look()
	a.cut(0, "", a.made)
	return result
}

// meaning leaves out what says nothing of the payout.
func meaning(kind payout.Type, pairs []pair) string {
	text := string(kind)
	for _, pair := range pairs {
		if wellFormed[pair.name] != nil && pair.name != "nonce" && pair.name != "timestamp" && pair.name != "remark" {
			text += "|" + pair.name + "=" + pair.text
		}
	}
	return text
}

// failer is what testing.T and rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// check holds the property of docs/adr/0008-cregis-readings.md, and one more: no two
// bodies with one signed text are taken for two things.
func (v verdicts) check(t failer, text string) {
	t.Helper()
	for said, pairs := range v.applied {
		for other, documented := range v.documented {
			if other != said {
				t.Fatalf("signed text: %s\ntaken:       %q\nalso reads:  %q", text, pairs, documented)
			}
		}
	}
	if len(v.applied) > 1 {
		t.Fatalf("signed text: %s\ntaken for %d things: %q", text, len(v.applied), slices.Collect(maps.Values(v.applied)))
	}
}
