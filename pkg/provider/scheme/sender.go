package scheme

import (
	"maps"
	"slices"

	"payout-callbacks/pkg/callback"
)

// Claim is the account that a body names. It proves nothing.
type Claim struct {
	// Account returns the account, or "" if the body names none. It is called only if
	// the keys do not decide alone.
	Account func() string
	// IsSame reports whether two texts are the same account. Without it, equal texts are.
	IsSame func(a, b string) bool
}

func (c Claim) isSame(a, b string) bool {
	if c.IsSame == nil {
		return a == b
	}
	return c.IsSame(a, b)
}

// chooseSender returns the owner of the key that the body names, or else one of the
// owners. If the key has no owner and the body names no account, the key may belong to
// any account whose keys cannot be used. It fails with ErrUnauthenticated or
// ErrUnusableKeys.
func chooseSender(owners []callback.Sender, keys callback.Keys, claim Claim) (callback.Sender, error) {
	if len(owners) == 0 && !hasFlawed(keys) {
		return callback.Sender{}, callback.ErrUnauthenticated // without reading the body
	}
	account := claim.Account()
	for _, owner := range owners {
		if claim.isSame(owner.Account, account) {
			return owner, nil
		}
	}
	named := keysOf(account, keys, claim)
	switch {
	case len(owners) == 0 && account == "":
		return callback.Sender{}, callback.ErrUnusableKeys
	case len(owners) == 0, named.Flawed:
		return callback.Sender{}, named.Refusal()
	}
	return chooseOwner(owners), nil
}

// hasFlawed reports whether the keys of some account cannot be used.
func hasFlawed(keys callback.Keys) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(keys)), func(k callback.AccountKeys) bool { return k.Flawed })
}

// keysOf returns the keys of the account that a body names, in any spelling.
func keysOf(named string, keys callback.Keys, claim Claim) callback.AccountKeys {
	for account, accountKeys := range keys {
		if claim.isSame(account, named) {
			return accountKeys
		}
	}
	return callback.AccountKeys{}
}

// findOwners returns the accounts with a key that verifies the request, each once. It
// tries all keys, whatever it finds. An empty key is not set yet and verifies nothing;
// its time may reveal that, which is no secret.
func findOwners(keys callback.Keys, verifies func(callback.Key) bool) []callback.Sender {
	var owners []callback.Sender
	for account, accountKeys := range keys {
		isCurrent := accountKeys.Current != "" && verifies(accountKeys.Current)
		isPrevious := accountKeys.Previous != "" && verifies(accountKeys.Previous)
		switch {
		case isCurrent:
			owners = append(owners, callback.Sender{Account: account, KeyID: accountKeys.Current.ID()})
		case isPrevious:
			owners = append(owners, callback.Sender{Account: account, KeyID: accountKeys.Previous.ID(), Previous: true})
		}
	}
	return owners
}

// chooseOwner chooses among accounts that share a key if the body does not. Any of
// them may have sent it; the choice must be the same each time, or a repeated
// callback would be held twice. An account with the key as its current one comes
// before an account with it as its previous one.
func chooseOwner(owners []callback.Sender) callback.Sender {
	chosen := owners[0]
	for _, owner := range owners[1:] {
		newer := chosen.Previous && !owner.Previous
		if newer || owner.Previous == chosen.Previous && owner.Account < chosen.Account {
			chosen = owner
		}
	}
	return chosen
}
