package keyring

import (
	"errors"
	"maps"
	"strings"

	"payout-callbacks/pkg/callback"
)

// Why a change is refused. Nothing is wrong with the secret then.
var (
	// ErrRotating means that an account has a previous key still: a third one
	// would end the first, under which callbacks may yet come.
	ErrRotating = errors.New("the account has a previous key still")
	// ErrPrevious means that the key to add is the previous one.
	ErrPrevious = errors.New("that is the account's previous key")
	// ErrNoAccount means that the account has no keys.
	ErrNoAccount = errors.New("the account has no keys")
	// ErrNoKey means that no key of the account has that id.
	ErrNoKey = errors.New("the account has no key of that id")
	// ErrInUse means that the key is the current one beside a previous one.
	ErrInUse = errors.New("that is the account's current key")
	// ErrLast means that the account would be left without a key.
	ErrLast = errors.New("that is the account's last key")
	// ErrFlawed means that the keys of the account are stored in a way that cannot
	// be used. Replace is the only change then.
	ErrFlawed = errors.New("the keys stored for the account cannot be used as they are")
)

// Add returns the keys with a new current one for the account; the one so far
// is believed beside it as the previous one. A key that is the current one
// already changes nothing.
func Add(keys callback.Keys, account string, key callback.Key) (callback.Keys, error) {
	of, known := keys[account]
	switch {
	case !known:
		return with(keys, account, callback.AccountKeys{Current: key}), nil
	case of.Flawed:
		return nil, ErrFlawed
	case of.Current == key:
		return keys, nil
	case of.Previous == key:
		return nil, ErrPrevious
	case of.Previous != "":
		return nil, ErrRotating
	}
	return with(keys, account, callback.AccountKeys{Current: key, Previous: of.Current}), nil
}

// Replace returns the keys with one key for the account and none beside it: the
// others leaked, or cannot be used. It replaces each spelling of the account.
func Replace(keys callback.Keys, account string, key callback.Key) callback.Keys {
	keys = maps.Clone(keys)
	maps.DeleteFunc(keys, func(name string, of callback.AccountKeys) bool { return of.Flawed && strings.EqualFold(name, account) })
	return with(keys, account, callback.AccountKeys{Current: key})
}

// Promote returns the keys with the account's previous key as the current one
// and the current one as the previous. The current one's id changes nothing.
func Promote(keys callback.Keys, account, id string) (callback.Keys, error) {
	of, err := find(keys, account, id)
	if err != nil || of.Current.ID() == id {
		return keys, err
	}
	return with(keys, account, callback.AccountKeys{Current: of.Previous, Previous: of.Current}), nil
}

// Retire returns the keys without the account's previous key. Its current one
// goes only where there is no other and last is set, and the account with it.
func Retire(keys callback.Keys, account, id string, last bool) (callback.Keys, error) {
	of, err := find(keys, account, id)
	switch {
	case err != nil:
		return nil, err
	case of.Previous != "" && of.Previous.ID() == id:
		return with(keys, account, callback.AccountKeys{Current: of.Current}), nil
	case of.Previous != "":
		return nil, ErrInUse
	case !last:
		return nil, ErrLast
	}
	rest := maps.Clone(keys)
	delete(rest, account)
	return rest, nil
}

func find(keys callback.Keys, account, id string) (callback.AccountKeys, error) {
	of, known := keys[account]
	switch {
	case !known:
		return of, ErrNoAccount
	case of.Flawed:
		return of, ErrFlawed
	case of.Current.ID() != id && (of.Previous == "" || of.Previous.ID() != id):
		return of, ErrNoKey
	}
	return of, nil
}

func with(keys callback.Keys, account string, of callback.AccountKeys) callback.Keys {
	next := maps.Clone(keys)
	if next == nil {
		next = callback.Keys{}
	}
	next[account] = of
	return next
}
