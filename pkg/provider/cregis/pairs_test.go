package cregis_test

import (
	"encoding/json"
	"slices"
	"strings"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
)

// pair is a field of a body that a test builds. The signature does not cover quotes,
// so that tests quote all values.
type pair struct{ name, text string }

func canonicalOf(pairs []pair) string {
	pairs = slices.SortedFunc(slices.Values(pairs), func(a, b pair) int { return strings.Compare(a.name, b.name) })
	var text strings.Builder
	for _, pair := range pairs {
		text.WriteString(pair.name + pair.text)
	}
	return text.String()
}

func bodyOf(pairs []pair) []byte {
	body := []byte("{")
	for i, pair := range pairs {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendQuoted(append(appendQuoted(body, pair.name), ':'), pair.text)
	}
	return append(body, '}')
}

func appendQuoted(body []byte, text string) []byte {
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		quoted, _ := json.Marshal(text)
		return append(body, quoted...)
	}
	return append(append(append(body, '"'), text...), '"')
}

// changed returns the pairs with changes; a change to "" removes a field.
func changed(pairs []pair, changes ...pair) []pair {
	pairs = slices.Clone(pairs)
	for _, change := range changes {
		pairs = slices.DeleteFunc(pairs, func(p pair) bool { return p.name == change.name })
		if change.text != "" {
			pairs = append(pairs, change)
		}
	}
	return pairs
}

func parsePairs(p cregis.Provider, route payout.Type, pairs []pair) (payout.Event, *callback.Held) {
	return p.Restore(callback.NewRequest(route, nil, bodyOf(pairs)), callback.Sender{Account: project}).Event()
}

// payoutPairs and subAddressPairs are callbacks with their required fields.
var (
	payoutPairs = []pair{
		{"address", "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS"}, {"amount", "1.1"}, {"chain_id", "195"}, {"cid", "1391751691788288"},
		{"currency", "TRX"}, {"nonce", "ubqso3"}, {"pid", project}, {"status", "7"}, {"third_party_id", "REAL-1"},
		{"timestamp", "1687850657960"}, {"token_id", "195"},
	}
	subAddressPairs = changed(payoutPairs, pair{"address", ""}, pair{"from_address", "TVjsyZ7fYF3qLF6BQgPmTEZy1xrNNyVAAA"},
		pair{"to_address", "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS"})
)
