package keyring

import (
	"errors"
	"maps"
	"strings"

	"payout-callbacks/pkg/callback"
)

// Errors of a change that is refused. The stored keys are unchanged.
var (
	// ErrRotating means that the account already has a previous key. A third key
	// would drop it, and callbacks may still arrive under it.
	ErrRotating = errors.New("the account already has a previous key")
	// ErrPrevious means that the added key is the previous one.
	ErrPrevious = errors.New("the key is the account's previous key")
	// ErrNoAccount means that the account has no keys.
	ErrNoAccount = errors.New("the account has no keys")
	// ErrNoKey means that no key of the account has the id.
	ErrNoKey = errors.New("the account has no key with this id")
	// ErrInUse means that the key is the current one, and a previous one exists.
	ErrInUse = errors.New("the key is the account's current key")
	// ErrLast means that the account would have no key left.
	ErrLast = errors.New("the key is the account's last key")
	// ErrFlawed means that the stored keys of the account are not usable. Only
	// Replace changes them.
	ErrFlawed = errors.New("the stored keys of the account are not usable")
)

// Add returns the keys with a new current key for the account; its current key
// becomes the previous one. Adding the current key changes nothing.
func Add(keys callback.Keys, account string, key callback.Key) (callback.Keys, error) {
	pair, ok := keys[account]
	switch {
	case !ok:
		return withPair(keys, account, callback.AccountKeys{Current: key}), nil
	case pair.Flawed:
		return nil, ErrFlawed
	case pair.Current == key:
		return keys, nil
	case pair.Previous == key:
		return nil, ErrPrevious
	case pair.Previous != "":
		return nil, ErrRotating
	}
	return withPair(keys, account, callback.AccountKeys{Current: key, Previous: pair.Current}), nil
}

// Replace returns the keys with only this key for the account, because the other
// keys are leaked or not usable. It replaces every spelling of the account.
func Replace(keys callback.Keys, account string, key callback.Key) callback.Keys {
	keys = maps.Clone(keys)
	maps.DeleteFunc(keys, func(name string, pair callback.AccountKeys) bool {
		return pair.Flawed && strings.EqualFold(name, account)
	})
	return withPair(keys, account, callback.AccountKeys{Current: key})
}

// Promote returns the keys with the current and the previous key of the account
// exchanged, if the id is that of the previous key. The id of the current key
// changes nothing.
func Promote(keys callback.Keys, account, id string) (callback.Keys, error) {
	pair, err := findPair(keys, account, id)
	if err != nil || pair.Current.ID() == id {
		return keys, err
	}
	return withPair(keys, account, callback.AccountKeys{Current: pair.Previous, Previous: pair.Current}), nil
}

// Retire returns the keys without the account's previous key. It removes the
// current key only if it is the only one and allowLast is set; the account then
// has no entry.
func Retire(keys callback.Keys, account, id string, allowLast bool) (callback.Keys, error) {
	pair, err := findPair(keys, account, id)
	switch {
	case err != nil:
		return nil, err
	case pair.Previous != "" && pair.Previous.ID() == id:
		return withPair(keys, account, callback.AccountKeys{Current: pair.Current}), nil
	case pair.Previous != "":
		return nil, ErrInUse
	case !allowLast:
		return nil, ErrLast
	}
	remaining := maps.Clone(keys)
	delete(remaining, account)
	return remaining, nil
}

// findPair returns the keys of the account if one of them has the id.
func findPair(keys callback.Keys, account, id string) (callback.AccountKeys, error) {
	pair, ok := keys[account]
	switch {
	case !ok:
		return pair, ErrNoAccount
	case pair.Flawed:
		return pair, ErrFlawed
	case pair.Current.ID() != id && (pair.Previous == "" || pair.Previous.ID() != id):
		return pair, ErrNoKey
	}
	return pair, nil
}

// withPair returns a copy of the keys with other keys for the account.
func withPair(keys callback.Keys, account string, pair callback.AccountKeys) callback.Keys {
	next := maps.Clone(keys)
	if next == nil {
		next = callback.Keys{}
	}
	next[account] = pair
	return next
}
