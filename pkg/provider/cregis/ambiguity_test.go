package cregis_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
)

// small is a callback with short values, to be cut exhaustively. A change to ""
// takes a field away.
func small(changes ...pair) []pair {
	return changed([]pair{
		{"address", "TXsmKpEuW7qWnXzJLGP9"}, {"amount", "1"}, {"chain_id", "195"}, {"cid", "13"},
		{"currency", "TRX"}, {"nonce", "ubqso3"}, {"pid", project}, {"remark", "r"}, {"status", "7"},
		{"third_party_id", "REAL"}, {"timestamp", "1687850657960"}, {"token_id", "195"},
	}, changes)
}

// smallSub is the same out of a sub-address.
func smallSub(changes ...pair) []pair {
	from := []pair{{"address", ""}, {"from_address", "rhAZ673nG6fSXovPAkw3"}, {"to_address", "rn5Jyu5J6PG64543KdGv"}}
	return small(append(from, changes...)...)
}

func changed(pairs, changes []pair) []pair {
	for _, change := range changes {
		pairs = slices.DeleteFunc(pairs, func(p pair) bool { return p.name == change.name })
		if change.text != "" {
			pairs = append(pairs, change)
		}
	}
	return pairs
}

// pieces are what an attacker writes into a free text.
var pieces = []string{
	"x", "status6", "third_party_idPAY-9", "timestamp1687850657961", "token_id7", "memo5",
	"nonceabcdef", "pid" + project, "remark", "currencyUSDT",
}

func sequences(most int) []string {
	all, last := []string{""}, []string{""}
	for range most {
		var longer []string
		for _, head := range last {
			for _, piece := range pieces {
				longer = append(longer, head+piece)
			}
		}
		all, last = append(all, longer...), longer
	}
	return all[1:]
}

// All texts that up to three pieces make of a remark, a memo or a reference,
// cut in all ways in documented names.
func TestNoSignedTextIsTakenForTwoThings(t *testing.T) {
	bodies, ambiguous := 0, 0
	texts := freeTexts(sequences(3))
	for _, text := range texts {
		result := (&adversary{text: text}).try()
		result.check(t, text)
		bodies += result.bodies
		if len(result.documented) > 1 {
			ambiguous++
		}
	}
	t.Logf("%d signed texts, %d bodies, %d texts with two readings", len(texts), bodies, ambiguous)
	if ambiguous == 0 {
		t.Error("no text had two readings: the adversary is asleep")
	}
}

// freeTexts returns the signed texts of callbacks of both types with each value
// in each of the fields that people write.
func freeTexts(values []string) []string {
	var texts []string
	for _, value := range values {
		for _, name := range []string{"remark", "memo", "third_party_id"} {
			texts = append(texts, canonicalOf(small(pair{name, value})), canonicalOf(smallSub(pair{name, value})))
		}
	}
	return texts
}

// The texts of the known forgeries, cut in all ways with one name of the
// attacker's own, of any place and of up to 20 bytes.
func TestNoMadeUpNameTurnsOneThingIntoAnother(t *testing.T) {
	bodies := 0
	for _, pairs := range forgeable() {
		text := canonicalOf(pairs)
		result := (&adversary{text: text, made: 1, longest: 20}).try()
		result.check(t, text)
		bodies += result.bodies
	}
	t.Logf("%d signed texts, %d bodies", len(forgeable()), bodies)
}

func forgeable() [][]pair {
	forgery := "xstatus6third_party_idPAY-9"
	return [][]pair{
		small(pair{"remark", forgery}),
		small(pair{"remark", forgery}, pair{"status", "1"}),
		small(pair{"remark", forgery}, pair{"memo", "5"}),
		small(pair{"remark", forgery + "timestamp1687850657961token_id7"}),
		small(pair{"remark", forgery}, pair{"token_id", "a new kind of token"}),
		small(pair{"remark", forgery}, pair{"txid", "a new kind of transaction"}),
		small(pair{"remark", forgery}, pair{"currency", "new kind"}),
		small(pair{"remark", forgery}, pair{"reason", "late"}),
		small(pair{"remark", forgery}, pair{"account", "7"}),
		small(pair{"remark", forgery}, pair{"network", "TON"}),
		small(pair{"remark", forgery}, pair{"zone", "4"}),
		small(pair{"third_party_id", "PAY-9third_party_idx"}),
		small(pair{"memo", "5nonceabcdefpid" + project + "status6third_party_idPAY-9"}),
		small(pair{"memo", "5"}),
	}
}

// What the same key signs besides callbacks of payouts, with free texts that
// hold all that these lack: no part of it becomes a payout, whatever it is cut
// into.
func TestNothingElseThatIsSignedBecomesAPayout(t *testing.T) {
	before := "addressTXsmKpEuW7qWnXzJLGP9amount9chain_id195cid99currencyUSDT"
	after := "nonceabcdefpid" + project + "status6third_party_idPAY-9"
	behind := "timestamp1687850657961token_id7"
	texts := []string{after, "1" + after, before + after, before + after + behind, "x" + after + behind, behind, "PAY-9" + behind}
	var sources [][]pair
	for _, text := range texts {
		deposit := []pair{{"third_party_id", ""}, {"remark", ""}, {"status", "1"}, {"txid", strings.Repeat("a", 64)}}
		request := []pair{{"chain_id", ""}, {"cid", ""}, {"status", ""}, {"token_id", ""}, {"currency", "195@195"}}
		verification := []pair{{"currency", ""}, {"status", ""}}
		sources = append(sources,
			changed(small(deposit...), []pair{{"memo", text}}),
			changed(small(deposit...), []pair{{"memo", text}, {"new", "1"}}),
			changed(small(deposit...), []pair{{"real_amount", "1"}, {"third_party_id", "PAY-9"}, {"status", "2"}, {"memo", text}}),
			changed(small(request...), []pair{{"remark", text}}),
			changed(small(request...), []pair{{"remark", text}, {"callback_url", "https://x.example/" + text}}),
			changed(small(request...), []pair{{"third_party_id", text}}),
			changed(smallSub(request...), []pair{{"memo", text}, {"remark", text}}),
			changed(smallSub(verification...), []pair{{"remark", text}}),
			changed(smallSub(verification...), []pair{{"memo", text}, {"third_party_id", text}}),
		)
	}
	bodies := 0
	for _, pairs := range sources {
		text := canonicalOf(pairs)
		result := (&adversary{text: text, made: 1, longest: 14}).try()
		for _, taken := range result.applied {
			t.Errorf("signed text: %s\ntaken: %q", text, taken)
		}
		bodies += result.bodies
	}
	t.Logf("%d signed texts, %d bodies", len(sources), bodies)
}

// A random attacker: free texts out of pieces and words, a genuine body with or
// without a field that we do not know, two names of its own.
func TestPropertyNoCutTurnsOneThingIntoAnother(t *testing.T) {
	words := append(slices.Clone(pieces), "r", "-", " ", "third_party_id", "tx", "id", "s", "tatus", "memo", "amount1", "cid9")
	free := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 6).Draw(t, "pieces"), "")
	})
	rapid.Check(t, func(t *rapid.T) {
		changes := []pair{
			{"remark", free.Draw(t, "remark")},
			{"memo", free.Draw(t, "memo")},
			{"status", rapid.SampledFrom([]string{"1", "6", "7"}).Draw(t, "status")},
			{"currency", rapid.SampledFrom([]string{"TRX", "usdt", "new kind"}).Draw(t, "currency")},
			{"txid", rapid.SampledFrom([]string{"", "a new kind"}).Draw(t, "txid")},
		}
		if reference := free.Draw(t, "reference"); reference != "" {
			changes = append(changes, pair{"third_party_id", reference})
		}
		if name := rapid.SampledFrom([]string{"", "account", "fee", "reason", "sub", "zone"}).Draw(t, "unknown"); name != "" {
			changes = append(changes, pair{name, rapid.SampledFrom([]string{"1", "late"}).Draw(t, "value")})
		}
		text := canonicalOf(small(changes...))
		a := &adversary{text: text, made: rapid.SampledFrom([]int{0, 1, 1, 1, 1, 1, 1, 2}).Draw(t, "made"), longest: 3, patience: 100_000}
		a.try().check(t, text)
	})
}

// The short way says that there are no other readings only where the long way
// finds none.
func TestPropertyShortWayAgreesWithLongWay(t *testing.T) {
	words := append(slices.Clone(pieces), "r", " ", "memo", "cid", "amount", "from_", "addres", "s") //nolint:misspell // a name cut short
	check := func(t *rapid.T) {
		free := func(label string) string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 3).Draw(t, label), "")
		}
		pairs := small(pair{"remark", free("remark")}, pair{"memo", free("memo")})
		if reference := free("reference"); reference != "" {
			pairs = append(small(pairs...), pair{"third_party_id", reference})
			pairs = slices.DeleteFunc(pairs, func(p pair) bool { return p.text == "REAL" })
		}
		short, long := cregis.OtherReadings(payout.TypePayout, bodyOf(pairs))
		if short && long > 0 {
			t.Fatalf("%s: the short way says none, the long way has %d", canonicalOf(pairs), long)
		}
	}
	for range 20 {
		rapid.Check(t, check)
	}
}

// Whatever a text holds, the work on it is bounded: over the bound it is held.
func TestWhatWouldTakeTooLongIsHeld(t *testing.T) {
	hostile := map[string][]pair{
		"names of its own without end": small(pair{"o", "1"}, pair{"i", "1"}, pair{"remark", strings.Repeat("oi", 128)}),
		"60 KiB":                       small(pair{"z", strings.Repeat("z", 60<<10)}),
		"too many fields":              small(others(17)...),
	}
	for name, pairs := range hostile {
		request := callback.NewRequest(payout.TypePayout, nil, bodyOf(pairs))
		_, held := cregis.Provider{}.Parse(request, callback.Sender{})
		if held == nil || held.Reason != callback.ReasonAmbiguous {
			t.Errorf("%s: got %+v, want it held as %s", name, held, callback.ReasonAmbiguous)
		}
	}
}

// Names in every free text, as many as fit, stay within the bound.
func TestFreeTextsFullOfNamesAreRead(t *testing.T) {
	pairs := small(pair{"remark", strings.Repeat("cid", 85)}, pair{"memo", strings.Repeat("pid", 42)})
	request := callback.NewRequest(payout.TypePayout, nil, bodyOf(pairs))
	if _, held := (cregis.Provider{}).Parse(request, callback.Sender{}); held != nil {
		t.Error(held.Note)
	}
}

func others(count int) []pair {
	var pairs []pair
	for i := range count {
		pairs = append(pairs, pair{fmt.Sprintf("zz%02d", i), "1"})
	}
	return pairs
}
