package keyring_test

import (
	"errors"
	"testing"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/ops/keyring"
)

type pair = callback.AccountKeys

func TestRotation_Steps(t *testing.T) {
	add := func(key callback.Key) func(callback.Keys) (callback.Keys, error) {
		return func(keys callback.Keys) (callback.Keys, error) { return keyring.Add(keys, "7", key) }
	}
	replace := func(key callback.Key) func(callback.Keys) (callback.Keys, error) {
		return func(keys callback.Keys) (callback.Keys, error) { return keyring.Replace(keys, "7", key), nil }
	}
	promote := func(key callback.Key) func(callback.Keys) (callback.Keys, error) {
		return func(keys callback.Keys) (callback.Keys, error) { return keyring.Promote(keys, "7", key.ID()) }
	}
	retire := func(key callback.Key, allowLast bool) func(callback.Keys) (callback.Keys, error) {
		return func(keys callback.Keys) (callback.Keys, error) { return keyring.Retire(keys, "7", key.ID(), allowLast) }
	}
	for name, test := range map[string]struct {
		before pair
		do     func(callback.Keys) (callback.Keys, error)
		want   pair
		err    error
	}{
		"first key":                     {pair{}, add("a"), pair{Current: "a"}, nil},
		"next key":                      {pair{Current: "a"}, add("b"), pair{Current: "b", Previous: "a"}, nil},
		"current key again":             {pair{Current: "b", Previous: "a"}, add("b"), pair{Current: "b", Previous: "a"}, nil},
		"third key":                     {pair{Current: "b", Previous: "a"}, add("c"), pair{}, keyring.ErrRotating},
		"previous key again":            {pair{Current: "b", Previous: "a"}, add("a"), pair{}, keyring.ErrPrevious},
		"leaked":                        {pair{Current: "b", Previous: "a"}, replace("c"), pair{Current: "c"}, nil},
		"only the previous key leaked":  {pair{Current: "b", Previous: "a"}, replace("b"), pair{Current: "b"}, nil},
		"promote the previous key":      {pair{Current: "b", Previous: "a"}, promote("a"), pair{Current: "a", Previous: "b"}, nil},
		"promote the current key":       {pair{Current: "b", Previous: "a"}, promote("b"), pair{Current: "b", Previous: "a"}, nil},
		"promote an unknown key":        {pair{Current: "b", Previous: "a"}, promote("c"), pair{}, keyring.ErrNoKey},
		"promote without an account":    {pair{}, promote("c"), pair{}, keyring.ErrNoAccount},
		"retire the previous key":       {pair{Current: "b", Previous: "a"}, retire("a", false), pair{Current: "b"}, nil},
		"retire the current key":        {pair{Current: "b", Previous: "a"}, retire("b", true), pair{}, keyring.ErrInUse},
		"retire the last key":           {pair{Current: "b"}, retire("b", false), pair{}, keyring.ErrLast},
		"retire the last key, allowed":  {pair{Current: "b"}, retire("b", true), pair{}, nil},
		"retire an unknown key":         {pair{Current: "b"}, retire("a", true), pair{}, keyring.ErrNoKey},
		"retire the empty key":          {pair{Current: "b"}, retire("", true), pair{}, keyring.ErrNoKey},
		"retire without an account":     {pair{}, retire("a", true), pair{}, keyring.ErrNoAccount},
		"promote an empty previous key": {pair{Current: "b"}, promote(""), pair{}, keyring.ErrNoKey},
	} {
		t.Run(name, func(t *testing.T) {
			other := pair{Current: "x", Previous: "y"}
			before := callback.Keys{"8": other}
			if test.before != (pair{}) {
				before["7"] = test.before
			}
			got, err := test.do(before)
			if !errors.Is(err, test.err) {
				t.Fatalf("got %v, want %v", err, test.err)
			}
			if err == nil && (got["7"] != test.want || got["8"] != other) {
				t.Errorf("got current %s, previous %s", got["7"].Current.ID(), got["7"].Previous.ID())
			}
			if before["7"] != test.before || before["8"] != other {
				t.Error("the input was changed")
			}
		})
	}
}
