package prove

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// The checks of queries ask through the reconciler: only it has the API secrets, and the
// address that a provider may admit.

// queryChecks returns the checks of reconciliation, none for a stack of an older version.
func (d *doctor) queryChecks(ctx context.Context) []check {
	if d.stack.Outputs[cli.OutputReconciler] == "" {
		return nil
	}
	accounts := sync.OnceValues(func() ([]reconcile.AccountCheck, error) {
		ctx, cancel := context.WithTimeout(ctx, checkTimeout)
		defer cancel()
		var response reconcile.AskResponse
		err := d.stack.Invoke(ctx, "reconciler", reconcile.AskRequest{Accounts: true}, &response)
		return response.Accounts, err
	})
	checks := []check{{"reconciler", d.part("reconciler")}, {"overdue payouts", d.overdue}, {"keys of expected payouts", d.expectedAccounts}}
	for _, provider := range providers.All() {
		if provider.Queries == nil {
			continue
		}
		checks = append(checks, check{"API of " + provider.Name(), func(ctx context.Context) (finding, error) {
			return d.api(ctx, cli.Provider(provider.Name()), accounts)
		}})
	}
	return checks
}

func (d *doctor) overdue(ctx context.Context) (finding, error) {
	overdue := d.stack.Reader().List(ctx, dynamostore.Filter{Overdue: true})
	return needsOperator(overdue, "payout", d.Program()+" payouts --overdue")
}

// api checks the credentials of a provider's API, and that the provider admits them.
func (d *doctor) api(ctx context.Context, provider cli.Provider, accounts func() ([]reconcile.AccountCheck, error)) (finding, error) {
	mode := queryModes(d.stack)[string(provider)]
	all, err := accounts()
	if err != nil {
		return finding{}, err
	}
	all = slices.DeleteFunc(slices.Clone(all), func(c reconcile.AccountCheck) bool { return !strings.HasPrefix(c.Account, string(provider)+"/") })
	addKey := d.Program() + " keys add " + string(provider) + " ACCOUNT --api"
	switch {
	case !mode.Asks():
		return ok("queries are off: an expected payout without a callback becomes overdue, and nobody asks"), nil
	case len(all) == 0:
		return bad(failing, addKey, "queries are %s, and no API credentials are stored", mode), nil
	}
	for _, c := range all {
		if f, isBad := checkAccountAnswer(c, addKey); isBad {
			return f, nil
		}
	}
	_, keys, err := d.stack.ReadKeys(ctx, provider)
	if err != nil {
		return finding{}, err
	}
	return compareKeys(provider, all, keys.Keys, addKey), nil
}

// checkAccountAnswer reports an account that cannot be asked. A provider that does not
// know the payout that the check asks about has accepted the credentials.
func checkAccountAnswer(c reconcile.AccountCheck, addKey string) (finding, bool) {
	if c.Outcome.IsAnswer() {
		return finding{}, false
	}
	account := cli.Clean(c.Account)
	switch c.Outcome {
	case reconcile.KeyRefused:
		return bad(failing, "store the account's current credentials: "+addKey, "%s: the provider refuses our key", account), true
	case reconcile.AddressRefused:
		return bad(failing, "have the provider admit the address of the NAT gateway, see docs/DEPLOY.md", "%s: the provider refuses our address", account), true
	case reconcile.NoCredentials:
		return bad(failing, addKey, "%s: the stored credentials cannot be used: %s", account, cli.Clean(c.Detail)), true
	default:
		return bad(warn, "it may pass; see the log of the reconciler", "%s: %s %s", account, c.Outcome, cli.Clean(c.Detail)), true
	}
}

// compareKeys compares API keys with callback keys, where a provider has one key for both.
func compareKeys(provider cli.Provider, all []reconcile.AccountCheck, keys callback.Keys, addKey string) finding {
	for _, c := range all {
		account := strings.TrimPrefix(c.Account, string(provider)+"/")
		stored, ok := keys[account]
		if ok && c.KeyID != "" && c.KeyID != stored.Current.ID() && (stored.Previous == "" || c.KeyID != stored.Previous.ID()) {
			return bad(failing, addKey+", which stores both", "account %s: the API key (%s) is not the key that verifies its callbacks, and %s has one key for both",
				cli.Clean(account), c.KeyID, provider)
		}
	}
	for account := range keys {
		if !slices.ContainsFunc(all, func(c reconcile.AccountCheck) bool { return c.Account == string(provider)+"/"+account }) {
			return bad(warn, addKey, "%s; account %s calls back and has no API credentials", cli.Count(len(all), "account"), cli.Clean(account))
		}
	}
	return ok("answers for %s", cli.Count(len(all), "account"))
}

// expectedAccounts checks that the accounts of open payouts have keys: without, their
// callbacks are refused.
func (d *doctor) expectedAccounts(ctx context.Context) (finding, error) {
	accounts := map[cli.Provider]map[string]bool{}
	for stored, err := range d.stack.Reader().Scheduled(ctx, time.UnixMilli(math.MaxInt64), 1) {
		switch {
		case errors.Is(err, inbox.ErrDamagedPayout):
			continue
		case err != nil:
			return finding{}, err
		}
		provider := cli.Provider(stored.ID.Provider())
		if accounts[provider] == nil {
			accounts[provider] = map[string]bool{}
		}
		accounts[provider][stored.ID.Account()] = stored.Status() != payout.Linked
	}
	for provider, expected := range accounts {
		_, keys, err := d.stack.ReadKeys(ctx, provider)
		if err != nil {
			return finding{}, err
		}
		for account := range expected {
			if _, ok := keys.Keys[account]; !ok {
				return bad(failing, d.Program()+" keys add "+string(provider)+" "+cli.Quote(account)+" --key-file FILE --reason TEXT",
					"payouts of account %s of %s are open, and no key verifies its callbacks", cli.Clean(account), provider), nil
			}
		}
	}
	return ok("all scheduled payouts are of accounts with keys"), nil
}
