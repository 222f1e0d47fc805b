package cregis_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
)

// forger sees one signed message and may have written the free texts in it. It posts
// every body with the same signed text that it can cut from the message. It knows
// the documentation: the names, and which of them a callback always has.
type forger struct {
	text     string
	required []string
	optional []string
	invented int // length of the longest invented name, at most one in a body; 0 for none
	post     func(pairs []pair)

	pairs []pair
	names []int // positions where a documented name stands
}

func newForger(route payout.Type, text string) *forger {
	f := &forger{
		text:     text,
		required: []string{"address", "amount", "chain_id", "cid", "currency", "nonce", "pid", "status", "third_party_id", "timestamp", "token_id"},
		optional: []string{"block_height", "block_time", "memo", "remark", "txid"},
	}
	if route == payout.TypeSubAddressPayout {
		f.required = append(f.required[1:], "from_address", "to_address")
		slices.Sort(f.required)
	}
	for at := range text {
		if slices.ContainsFunc(slices.Concat(f.required, f.optional), func(name string) bool { return strings.HasPrefix(text[at:], name) }) {
			f.names = append(f.names, at)
		}
	}
	return f
}

// cut continues after a value: with the names that sort after last and omit no
// required name, or with an invented name.
func (f *forger) cut(at int, last string, invented int) {
	missing := ""
	for _, name := range f.required {
		if name > last && missing == "" {
			missing = name
		}
	}
	if at == len(f.text) {
		if missing == "" {
			f.post(f.pairs)
		}
		return
	}
	for _, name := range append(f.optional, missing) {
		if name > last && (missing == "" || name <= missing) && strings.HasPrefix(f.text[at:], name) {
			f.value(at+len(name), name, invented)
		}
	}
	for end := at + 1; end <= min(at+invented, len(f.text)-1); end++ {
		if name := f.text[at:end]; name > last && (missing == "" || name < missing) {
			f.value(end, name, 0)
		}
	}
}

// value ends a value before a name, at the end of the text, or anywhere if an
// invented name may follow.
func (f *forger) value(from int, name string, invented int) {
	for end := from + 1; end <= len(f.text); end++ {
		_, isName := slices.BinarySearch(f.names, end)
		if isName || invented > 0 || end == len(f.text) {
			f.pairs = append(f.pairs, pair{name, f.text[from:end]})
			f.cut(end, name, invented)
			f.pairs = f.pairs[:len(f.pairs)-1]
		}
	}
}

// genuine is a message that the key signs.
type genuine struct {
	route  payout.Type // "" if it is not a payout callback
	pairs  []pair
	broken string // the field outside the schema, which may differ
}

// forgeries counts the bodies that mean something else than the message: those that
// are accepted and, to show that the forger works, those that would be accepted
// without rule 3.
type forgeries struct {
	bodies, forged, forgedWithout int
	example                       string // the last forgery
}

var withoutRule3 = cregis.WithoutNamesInFreeTexts(cregis.Provider{})

// forge posts all cuts of a message on both routes.
func (f *forgeries) forge(g genuine, invented int) {
	text := canonicalOf(g.pairs)
	for _, route := range withoutRule3.Types() {
		forger := newForger(route, text)
		forger.invented = invented
		forger.post = func(pairs []pair) {
			f.bodies++
			name := g.differs(route, pairs)
			if name == "" {
				return
			}
			if _, held := parsePairs(withoutRule3, route, pairs); held != nil {
				return
			}
			f.forgedWithout++
			if _, held := parsePairs(cregis.Provider{}, route, pairs); held == nil {
				f.forged++
				f.example = fmt.Sprintf("%s differs\ngenuine:  %q\naccepted: %q", name, g.pairs, pairs)
			}
		}
		forger.cut(0, "", invented)
	}
}

// differs returns a field that must never differ and does, or "".
func (g genuine) differs(route payout.Type, pairs []pair) string {
	if route != g.route {
		return "route"
	}
	for _, name := range []string{"status", "pid", "cid", "amount", "currency", "chain_id", "address", "to_address"} {
		if name != g.broken && textOf(pairs, name) != textOf(g.pairs, name) {
			return name
		}
	}
	return ""
}

func textOf(pairs []pair, name string) string {
	for _, pair := range pairs {
		if pair.name == name {
			return pair.text
		}
	}
	return ""
}

// schemas returns callbacks that are complete, have a field that Cregis may add, have
// a value of an unknown form, or lack a field.
func schemas() []genuine {
	var all []genuine
	mined := []pair{{"block_height", "34527604"}, {"block_time", "1686814482000"}, {"txid", strings.Repeat("6dd05b09", 8)}}
	for _, base := range []genuine{
		{route: payout.TypePayout, pairs: payoutPairs}, {route: payout.TypePayout, pairs: changed(payoutPairs, mined...)},
		{route: payout.TypeSubAddressPayout, pairs: subAddressPairs}, {route: payout.TypeSubAddressPayout, pairs: changed(subAddressPairs, mined...)},
	} {
		route, pairs := base.route, base.pairs
		add := func(broken string, changes ...pair) {
			all = append(all, genuine{route, changed(pairs, changes...), broken})
		}
		add("")
		add("", pair{"amo", "unt0chain_id195cid9currencyTRXnonceabcdef"})
		for _, name := range []string{
			"account", "actual_amount", "agent", "alias", "amo", "amount_usd", "block_hash", "business_id", "chain_name", "coin", "confirmations", "currency_name",
			"fee", "from_tag", "gas_fee", "id", "label", "memo_type", "network", "network_fee", "order_id", "payout_id", "reason", "remark_code", "sender",
			"stat", "status_text", "sub_status", "symbol", "tag", "third_party_name", "timezone", "to_tag", "token_name", "tx_hash", "type", "version", "wallet", "zone",
		} {
			add("", pair{name, "1"})
			add("", pair{name, "late"})
		}
		for _, broken := range []pair{
			{"currency", "JitoSOL"}, {"currency", "new kind"}, {"address", "a new kind of address"}, {"to_address", "a new kind of address"},
			{"amount", "1,5"}, {"chain_id", "tron"}, {"status", "1"}, {"status", "done"}, {"cid", "c-1"}, {"token_id", "a new kind"},
			{"txid", "a new kind"}, {"nonce", "abcdefgh"}, {"timestamp", "2026-11-20"}, {"block_height", "-"}, {"block_time", "now"},
		} {
			add(broken.name, broken)
		}
		for _, pair := range pairs {
			pair.text = ""
			add(pair.name, pair)
		}
	}
	return all
}

// otherMessages returns what the key signs besides payout callbacks.
func otherMessages() []genuine {
	request := []pair{{"chain_id", ""}, {"cid", ""}, {"status", ""}, {"token_id", ""}, {"currency", "195@195"}}
	var all []genuine
	for _, pairs := range [][]pair{
		changed(subAddressPairs, pair{"currency", ""}, pair{"status", ""}), // external verification
		changed(payoutPairs, pair{"third_party_id", ""}, pair{"status", "1"}),
		changed(payoutPairs, pair{"real_amount", "1"}, pair{"status", "2"}),
		changed(payoutPairs, request...),
		changed(payoutPairs, append(request, pair{"callback_url", "https://x.example/status"})...),
		changed(subAddressPairs, request...),
		changed(subAddressPairs, append(request, pair{"callback_url", "https://x.example/"}, pair{"wallet_id", "7"})...),
	} {
		all = append(all, genuine{pairs: pairs})
	}
	return all
}

// bestAttacks are those that succeed most often without rule 3.
var bestAttacks = []string{
	"xstatus6third_party_idPAY-9", "PAY-9status6third_party_id", "5nonceabcdefpid" + project + "status6third_party_idPAY-9",
	"xnonceabcdefpid" + project + "remarkxstatus6third_party_idPAY-9", "xpid" + project + "remarkxstatus6third_party_idPAY-9",
	"xstatus6third_party_idPAY-9timestamp1687850657961", "xremarkxstatus6third_party_idPAY-9timestamp1687850657961",
}

// attacks returns what a forger writes into a free text: the rest of a body.
func attacks() []string {
	var (
		head = []string{"amount9", "chain_id195", "cid99", "currencyUSDT"}
		tail = []string{"nonceabcdef", "pid" + project, "remarkx", "status6", "third_party_idPAY-9", "timestamp1687850657961", "to_addressTXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS", "token_id195", "txid"}
		all  = append(head, tail...)
		list []string
	)
	for from := range all {
		if 0 < from && from < len(head) {
			continue
		}
		for to := max(from+1, len(all)-5); to <= len(all); to++ {
			list = append(list, "x"+strings.Join(all[from:to], ""))
		}
	}
	return append(list,
		"statu", "xstatus6", "status 6", "addressTXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS", "x third_party_id", "address"[:6], "rapid1", "xmemo5", "remark", "memo")
}

// messagesWith returns the messages with each attack in each free text.
func messagesWith(messages []genuine, attacks []string) []genuine {
	var all []genuine
	for _, message := range messages {
		for _, attack := range attacks {
			for _, name := range []string{"remark", "memo", "third_party_id"} {
				if message.broken != name {
					all = append(all, genuine{message.route, changed(message.pairs, pair{name, attack}), message.broken})
				}
			}
		}
	}
	return all
}

// sample returns every nth message, and with CREGIS_DECIDE=all every message. If n
// has no common factor with the number of attacks and fields, each attack remains in
// each field.
func sample(messages []genuine, n int) []genuine {
	if decideAll {
		return messages
	}
	var sampled []genuine
	for i := 0; i < len(messages); i += n {
		sampled = append(sampled, messages[i])
	}
	return sampled
}

func TestParse_Forgeries(t *testing.T) {
	t.Parallel()

	var result forgeries
	all := append(schemas(), otherMessages()...)
	messages := append(messagesWith(all, bestAttacks), sample(messagesWith(all, attacks()), 97)...)
	for _, message := range messages {
		result.forge(message, 0)
	}
	t.Logf("%d messages, %d bodies; without the rule on free texts %d forgeries", len(messages), result.bodies, result.forgedWithout)
	if result.forged > 0 {
		t.Errorf("%d forgeries, the last: %s", result.forged, result.example)
	}
	if result.forgedWithout < 1_000 {
		t.Errorf("without the rule %d forgeries, want at least 1,000", result.forgedWithout)
	}
}

// With one invented name of up to 12 bytes, cut at every byte.
func TestParse_ForgeriesWithInventedName(t *testing.T) {
	t.Parallel()

	var result forgeries
	messages := messagesWith(append(schemas(), otherMessages()...), []string{"xstatus6third_party_idPAY-9"})
	for i := 0; i < len(messages); i += 40 {
		result.forge(messages[i], 12)
	}
	t.Logf("%d messages, %d bodies", len(messages)/40, result.bodies)
	if result.forged > 0 || result.bodies == 0 {
		t.Errorf("%d forgeries, the last: %s", result.forged, result.example)
	}
}
