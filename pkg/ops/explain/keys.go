package explain

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"payout-callbacks/pkg/callback"
)

// accountKey is a key of an account.
type accountKey struct {
	key      callback.Key
	previous bool
}

// keysOf returns the keys of the account, the current key first.
func keysOf(keys callback.Keys, account string) []accountKey {
	all := []accountKey{{keys[account].Current, false}, {keys[account].Previous, true}}
	return slices.DeleteFunc(all, func(k accountKey) bool { return k.key == "" })
}

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
