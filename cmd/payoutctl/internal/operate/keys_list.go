package operate

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/ops/keyring"
)

// keysList lists accounts.
type keysList struct {
	Provider cli.Provider `arg:"" optional:"" help:"Provider. Default: all."`
}

// Help gives examples.
func (keysList) Help() string {
	return `Prints the ids of keys: six hexadecimal digits of a hash, as in receipts, logs and explain. The age of a key counts from
the oldest of the consecutive versions of the secret that contain it; Secrets Manager keeps about a hundred versions.

	payoutctl --stack payouts-prod keys list pivot --json

Needs the permissions secretsmanager:GetSecretValue and secretsmanager:ListSecretVersionIds on the secrets, and
cloudformation:DescribeStacks.`
}

// Run lists the accounts with the ids of their keys.
func (c *keysList) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	for _, provider := range cli.ProviderNames() {
		if c.Provider != "" && c.Provider != provider {
			continue
		}
		if err := listKeys(ctx, s, stack, provider); err != nil {
			return err
		}
	}
	return nil
}

func listKeys(ctx context.Context, s *cli.Session, stack cli.Stack, provider cli.Provider) error {
	store, read, err := stack.ReadKeys(ctx, provider)
	if err != nil {
		return err
	}
	if len(read.Keys) == 0 && len(read.Flaws) == 0 {
		s.Notef("%s has no keys: add one with: %s keys add %s ACCOUNT --key-file FILE --reason TEXT", provider, s.Program(), provider)
		return nil
	}
	ages, err := store.Ages(ctx, read)
	if err != nil {
		return err
	}
	for _, account := range slices.Sorted(maps.Keys(read.Keys)) {
		if keys := read.Keys[account]; keys.Current == "" && keys.Previous == "" {
			continue // printed as a flaw below
		}
		if err := printKeys(s, keyOwner{provider, account}, read.Keys[account], ages[account]); err != nil {
			return err
		}
	}
	// Unusable entries are on standard output as well, so that a script that reads the
	// list does not miss them.
	for _, flaw := range read.Flaws {
		view := keysView{Provider: provider, Problem: flaw.Error(), Next: s.FlawRepair(provider, flaw)}
		text := string(provider) + "  unusable: " + cli.Clean(view.Problem) + "\n" + strings.Repeat(" ", len(provider)) + "  → " + view.Next + "\n"
		if err := s.PrintResult(view, text); err != nil {
			return err
		}
	}
	return nil
}

// keysView is the public part of an account's keys.
type keysView struct {
	Provider      cli.Provider `json:"provider"`
	Account       string       `json:"account,omitzero"`
	Current       string       `json:"current,omitzero"` // ids
	CurrentSince  time.Time    `json:"currentSince,omitzero"`
	Previous      string       `json:"previous,omitzero"`
	PreviousSince time.Time    `json:"previousSince,omitzero"`
	Flawed        bool         `json:"flawed,omitzero"`  // another stored key is unusable
	Problem       string       `json:"problem,omitzero"` // why the entry is unusable; set with Next only
	Next          string       `json:"next,omitzero"`
}

// printKeys prints an account's keys, with their ages if known.
func printKeys(s *cli.Session, owner keyOwner, keys callback.AccountKeys, ages map[string]keyring.Age) error {
	view := keysView{Provider: owner.Provider, Account: owner.Account, Flawed: keys.Flawed}
	line := string(owner.Provider) + "  " + cli.Clean(owner.Account)
	if keys.Current != "" {
		view.Current = keys.Current.ID()
		view.CurrentSince = ages[view.Current].Since.UTC()
		line += "  current " + withAge(s, view.Current, ages)
	}
	if keys.Previous != "" {
		view.Previous = keys.Previous.ID()
		view.PreviousSince = ages[view.Previous].Since.UTC()
		line += "  previous " + withAge(s, view.Previous, ages)
	}
	return s.PrintResult(view, line+"\n")
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

func idsOf(keys callback.AccountKeys) string {
	switch {
	case keys.Flawed:
		return "unusable keys"
	case keys.Current == "":
		return "no keys"
	case keys.Previous == "":
		return keys.Current.ID()
	}
	return keys.Current.ID() + " and " + keys.Previous.ID()
}
