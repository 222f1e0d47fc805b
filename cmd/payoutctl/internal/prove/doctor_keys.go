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

func (d *doctor) keys(ctx context.Context, provider cli.Provider) (finding, error) {
	store, read, err := d.stack.ReadKeys(ctx, provider)
	if err != nil {
		return finding{}, err
	}
	if f, ok := d.unusableKeys(provider, read); ok {
		return f, nil
	}
	if len(read.Keys) == 0 {
		return bad(failing, d.Program()+" keys add "+string(provider)+" ACCOUNT --key-file FILE --reason TEXT",
			"no keys stored: callbacks are answered 503"), nil
	}
	ages, err := store.Ages(ctx, read)
	if err != nil {
		return finding{}, err
	}
	for _, account := range slices.Sorted(maps.Keys(read.Keys)) {
		keys := read.Keys[account]
		// The rotation started when the current key was stored.
		since := ages[account][keys.Current.ID()].Since
		if keys.Previous != "" && d.Now().Sub(since) > d.oldKey {
			return bad(warn, d.Program()+" keys retire "+string(provider)+" "+account+" "+keys.Previous.ID()+" --reason TEXT, once no callback uses it",
				"account %s has been in rotation for %s", cli.Clean(account), cli.FormatAge(d.Now().Sub(since))), nil
		}
	}
	return ok("%s", cli.Count(len(read.Keys), "account")), nil
}

// unusableKeys reports entries of a secret that cannot verify a callback. It names an
// account only if it has the form of the provider's accounts: anything else may be a
// key in the wrong place.
func (d *doctor) unusableKeys(provider cli.Provider, read keyring.Version) (finding, bool) {
	var problems []string
	next := ""
	for _, flaw := range read.Flaws {
		problems = append(problems, cli.Clean(flaw.Error()))
		next = cmp.Or(next, d.FlawRepair(provider, flaw))
	}
	if len(problems) > 0 {
		return bad(failing, next, "unusable, callbacks of the account get 503: %s", strings.Join(problems, "; ")), true
	}
	invalid := 0
	for account := range read.Keys {
		if cli.CheckAccount(provider, account) != nil {
			invalid++
		}
	}
	if invalid > 0 {
		return bad(warn, "list the accounts with: "+d.Program()+" keys list "+string(provider), "%s that no callback of %s can have: an account is %s",
			cli.Count(invalid, "account name"), provider, cli.AccountForm(provider)), true
	}
	return finding{}, false
}
