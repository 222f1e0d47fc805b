package prove

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/ops/keyring"
)

func (d *doctor) keys(ctx context.Context, provider string) (finding, error) {
	store, err := d.stack.Keyring(provider)
	if err != nil {
		return finding{}, err
	}
	read, err := store.Read(ctx)
	if err != nil {
		return finding{}, cli.KeysError(store, err)
	}
	if f, ok := d.unusableKeys(provider, read); ok {
		return f, nil
	}
	if len(read.Keys) == 0 {
		return bad(failing, d.Program()+" keys add "+provider+" ACCOUNT --key-file FILE --reason TEXT",
			"none is stored: its callbacks are answered 503"), nil
	}
	ages, err := store.Ages(ctx, read)
	if err != nil {
		return finding{}, err
	}
	for _, account := range slices.Sorted(maps.Keys(read.Keys)) {
		of := read.Keys[account]
		// The rotation began when the current key came.
		since := ages[account][of.Current.ID()].Since
		if of.Previous != "" && d.Now().Sub(since) > d.oldKey {
			return bad(warn, d.Program()+" keys retire "+provider+" "+account+" "+of.Previous.ID()+" --reason TEXT, once nothing comes under it",
				"account %s has been in a rotation for %s", cli.Clean(account), cli.FormatAge(d.Now().Sub(since))), nil
		}
	}
	return ok("of %s", cli.Count(len(read.Keys), "account")), nil
}

// unusableKeys reports entries of a secret that no callback can be verified with.
// It names an account only where that has the form of the provider's accounts:
// anything else may be a key in the wrong place.
func (d *doctor) unusableKeys(provider string, read keyring.Version) (finding, bool) {
	var problems []string
	next := ""
	for _, flaw := range read.Flaws {
		problems = append(problems, cli.Clean(flaw.Error()))
		next = cmp.Or(next, d.FlawRepair(provider, flaw))
	}
	if len(problems) > 0 {
		return bad(failing, next, "cannot be used, and callbacks of that account get 503: %s", strings.Join(problems, "; ")), true
	}
	strange := 0
	for account := range read.Keys {
		if cli.CheckAccount(provider, account) != nil {
			strange++
		}
	}
	if strange > 0 {
		return bad(warn, "see the names with: "+d.Program()+" keys list "+provider, "%s that no callback of %s has: an account is %s",
			cli.Count(strange, "account name"), provider, cli.AccountForms[provider].Description), true
	}
	return finding{}, false
}
