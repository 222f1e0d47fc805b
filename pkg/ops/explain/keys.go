package explain

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"payout-callbacks/pkg/callback"
)

// accountKey is a key and its account.
type accountKey struct {
	account  string
	previous bool
	key      callback.Key
}

// keysFor returns all keys, those of the account first.
func keysFor(keys callback.Keys, account string) []accountKey {
	var all []accountKey
	for name, pair := range keys {
		all = append(all, accountKey{name, false, pair.Current})
		if pair.Previous != "" {
			all = append(all, accountKey{name, true, pair.Previous})
		}
	}
	rank := func(k accountKey) int {
		switch {
		case k.account != account:
			return 2
		case k.previous:
			return 1
		}
		return 0
	}
	slices.SortFunc(all, func(a, b accountKey) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.account, b.account), cmp.Compare(a.key.ID(), b.key.ID()))
	})
	return all
}

// keysOf returns the keys of the account alone, the current key first.
func keysOf(keys callback.Keys, account string) []accountKey {
	pair, ok := keys[account]
	if !ok {
		return nil
	}
	return keysFor(callback.Keys{account: pair}, account)
}

func (k accountKey) String() string { return keyName(k.key.ID(), k.previous) }

// keyName returns the name of a key in a finding.
func keyName(id string, isPrevious bool) string {
	if isPrevious {
		return id + " (previous)"
	}
	return id + " (current)"
}

// accountNames lists the accounts that have keys.
func accountNames(keys callback.Keys) string {
	return cmp.Or(strings.Join(slices.Sorted(maps.Keys(keys)), ", "), "no account")
}

// abbreviate returns the start of a signature: enough to compare by eye, and
// useless for a forger.
func abbreviate(signature string) string {
	const length = 8
	if len(signature) <= length {
		return signature
	}
	return signature[:length] + "…"
}
