package operate

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/aws/secrets"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/ops/keyring"
)

// keysListCommand lists accounts.
type keysList struct {
	Provider string `arg:"" optional:"" help:"Provider; all of them without it."`
}

// Help gives examples.
func (keysList) Help() string {
	return `A key's id is six digits of a hash: the same in receipts, logs and explain. Its age counts from the oldest version of
the secret that has it in one piece; Secrets Manager keeps about a hundred.

Examples:

	payoutctl --stack payouts-prod keys list
	payoutctl --stack payouts-prod keys list pivot --json

Needs the permissions secretsmanager:GetSecretValue and secretsmanager:ListSecretVersionIds on the secrets, and
cloudformation:DescribeStacks.`
}

// Run lists the accounts with the ids of their keys.
func (c *keysList) Run(ctx context.Context, s *cli.Session) error {
	providers := cli.ProviderNames()
	if c.Provider != "" {
		if _, err := cli.FindProvider(c.Provider); err != nil {
			return err
		}
		providers = []string{c.Provider}
	}
	stack, err := s.OpenStack(ctx)
	if err != nil {
		return err
	}
	for _, provider := range providers {
		if err := listKeys(ctx, s, stack, provider); err != nil {
			return err
		}
	}
	return nil
}

func listKeys(ctx context.Context, s *cli.Session, stack cli.Stack, provider string) error {
	store, err := stack.Keyring(provider)
	if err != nil {
		return err
	}
	read, err := store.Read(ctx)
	if err != nil {
		return cli.KeysError(store, err)
	}
	if len(read.Keys) == 0 && len(read.Flaws) == 0 {
		s.Notef("%s has no keys: store one with: %s keys add %s ACCOUNT --key-file FILE --reason TEXT", provider, s.Program(), provider)
		return nil
	}
	ages, err := store.Ages(ctx, read)
	if err != nil {
		return err
	}
	for _, account := range slices.Sorted(maps.Keys(read.Keys)) {
		if of := read.Keys[account]; of.Current == "" && of.Previous == "" {
			continue // below
		}
		if err := printKeys(s, provider, account, read.Keys[account], ages[account]); err != nil {
			return err
		}
	}
	for _, flaw := range read.Flaws {
		if err := printFlaw(s, provider, flaw); err != nil {
			return err
		}
	}
	return nil
}

// printFlaw prints an entry that cannot be used, on standard output like the
// others: a script that reads the list must not miss it.
func printFlaw(s *cli.Session, provider string, flaw secrets.Flaw) error {
	next := s.FlawRepair(provider, flaw)
	if s.Flags.JSON {
		return s.PrintJSON(keysView{Provider: provider, Problem: flaw.Error(), Next: next})
	}
	return s.Print(provider + "  cannot be used: " + cli.Clean(flaw.Error()) + "\n" + strings.Repeat(" ", len(provider)) + "  → " + next + "\n")
}

// keysView is what may be told of an account's keys.
type keysView struct {
	Provider      string    `json:"provider"`
	Account       string    `json:"account,omitzero"`
	Current       string    `json:"current,omitzero"` // ids
	CurrentSince  time.Time `json:"currentSince,omitzero"`
	Previous      string    `json:"previous,omitzero"`
	PreviousSince time.Time `json:"previousSince,omitzero"`
	Flawed        bool      `json:"flawed,omitzero"`  // another key of it is stored and cannot be used
	Problem       string    `json:"problem,omitzero"` // why an entry cannot be used; then only Next stands beside it
	Next          string    `json:"next,omitzero"`
}

// printKeys prints an account's keys, with their ages where those are known.
func printKeys(s *cli.Session, provider, account string, of callback.AccountKeys, ages map[string]keyring.Age) error {
	view := keysView{Provider: provider, Account: account, Flawed: of.Flawed}
	line := provider + "  " + cli.Clean(account)
	if of.Current != "" {
		view.Current = of.Current.ID()
		view.CurrentSince = ages[view.Current].Since.UTC()
		line += "  current " + withAge(s, view.Current, ages)
	}
	if of.Previous != "" {
		view.Previous = of.Previous.ID()
		view.PreviousSince = ages[view.Previous].Since.UTC()
		line += "  previous " + withAge(s, view.Previous, ages)
	}
	if s.Flags.JSON {
		return s.PrintJSON(view)
	}
	return s.Print(line + "\n")
}

func withAge(s *cli.Session, id string, ages map[string]keyring.Age) string {
	stored, known := ages[id]
	switch {
	case !known:
		return id
	case stored.AtLeast:
		return id + " (for " + cli.FormatAge(s.Now().Sub(stored.Since)) + " at least)"
	}
	return id + " (for " + cli.FormatAge(s.Now().Sub(stored.Since)) + ")"
}

func idsOf(of callback.AccountKeys) string {
	switch {
	case of.Flawed:
		return "keys that cannot be used"
	case of.Current == "":
		return "no keys"
	case of.Previous == "":
		return of.Current.ID()
	}
	return of.Current.ID() + " and " + of.Previous.ID()
}
