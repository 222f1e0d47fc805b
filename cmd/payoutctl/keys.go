package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/secret"
)

// keysSetCommand stores a key.
type keysSetCommand struct {
	Provider string `arg:"" help:"Provider."`
	Account  string `arg:"" help:"Account at the provider: Cregis's project id, Pivot's merchant id."`
	KeyFile  string `help:"File with the key; standard input without it." placeholder:"FILE" default:"-"`
	Replace  bool   `help:"The key it has now stops working at once: it leaked, or the rotation is over."`
	Yes      bool   `help:"Do not ask before changing a deployed stack."`
}

// Help gives examples.
func (keysSetCommand) Help() string {
	return `The account's key so far goes on working beside the new one, so that no callback is refused during a rotation.
To rotate: set the new key, have the provider use it, then set the same key again with --replace.

Store a key before the provider is given the callback URL. Until an account has one, callbacks get 503 or 401.
Functions that are running take it up with the first callback that needs it.

Examples:

	payoutctl --stack payouts-prod keys set cregis 1382528827416576 --key-file cregis.key
	payoutctl --stack payouts-prod keys set pivot MERCHANT --yes <pivot.key
	payoutctl --stack payouts-prod keys set pivot MERCHANT --replace --key-file pivot.key

Needs the permissions secretsmanager:GetSecretValue and secretsmanager:PutSecretValue on the provider's secret, and
cloudformation:DescribeStacks. Two people who do this for one provider at the same moment undo each other: list afterwards.`
}

// Run stores the key.
func (c *keysSetCommand) Run(ctx context.Context, s *session) error {
	if _, err := providerNamed(c.Provider); err != nil {
		return err
	}
	stack, err := s.stack(ctx)
	if err != nil {
		return err
	}
	name, err := stack.secretOf(c.Provider)
	if err != nil {
		return err
	}
	key, err := s.readKey(c.KeyFile)
	if err != nil {
		return err
	}
	client := stack.secretsManager()
	keys, err := readKeys(ctx, client, name)
	if err != nil {
		return err
	}
	next, changed := rotate(keys, c.Account, key, c.Replace)
	if !changed {
		s.notef("that key is the current one already; nothing was changed")
		return s.printKeys(c.Provider, c.Account, next[c.Account])
	}
	if err := s.confirm(c.Yes, fmt.Sprintf("change the key of %s account %s in stack %s", c.Provider, c.Account, stack.name)); err != nil {
		return err
	}
	if err := writeKeys(ctx, client, name, next); err != nil {
		return err
	}
	return s.printKeys(c.Provider, c.Account, next[c.Account])
}

// rotate returns the keys with one account's key set, and whether they are
// others now. The key so far becomes the previous one, unless it is replaced.
func rotate(keys callback.Keys, account string, key callback.Key, replace bool) (callback.Keys, bool) {
	next := maps.Clone(keys)
	if next == nil {
		next = callback.Keys{}
	}
	of := next[account]
	if of.Current != key {
		of = callback.AccountKeys{Current: key, Previous: of.Current}
	}
	if replace {
		of.Previous = ""
	}
	next[account] = of
	return next, of != keys[account]
}

// keysListCommand lists accounts.
type keysListCommand struct {
	Provider string `arg:"" optional:"" help:"Provider; all of them without it."`
}

// Run lists the accounts with the ids of their keys.
func (c *keysListCommand) Run(ctx context.Context, s *session) error {
	providers := providerNames()
	if c.Provider != "" {
		if _, err := providerNamed(c.Provider); err != nil {
			return err
		}
		providers = []string{c.Provider}
	}
	stack, err := s.stack(ctx)
	if err != nil {
		return err
	}
	for _, provider := range providers {
		if err := s.listKeys(ctx, stack, provider); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) listKeys(ctx context.Context, stack stack, provider string) error {
	name, err := stack.secretOf(provider)
	if err != nil {
		return err
	}
	keys, err := readKeys(ctx, stack.secretsManager(), name)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		s.notef("%s has no keys: store one with: %s keys set %s ACCOUNT --key-file FILE", provider, s.self(), provider)
	}
	for _, account := range slices.Sorted(maps.Keys(keys)) {
		if err := s.printKeys(provider, account, keys[account]); err != nil {
			return err
		}
	}
	return nil
}

// keysView is what may be told of an account's keys.
type keysView struct {
	Provider string `json:"provider"`
	Account  string `json:"account"`
	Current  string `json:"current"` // ids
	Previous string `json:"previous,omitzero"`
}

func (s *session) printKeys(provider, account string, of callback.AccountKeys) error {
	view := keysView{Provider: provider, Account: account, Current: of.Current.ID()}
	if of.Previous != "" {
		view.Previous = of.Previous.ID()
	}
	if s.flags.JSON {
		return s.printJSON(view)
	}
	line := fmt.Sprintf("%s  %s  current %s", provider, clean(account), view.Current)
	if view.Previous != "" {
		line += "  previous " + view.Previous
	}
	return s.print(line + "\n")
}

// readKeys returns the keys in a secret: none where it has no value yet.
func readKeys(ctx context.Context, client *secretsmanager.Client, name string) (callback.Keys, error) {
	out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	switch {
	case absentSecret(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	keys, err := secret.Parse(aws.ToString(out.SecretString))
	if err != nil {
		return nil, failure("mend it with: aws secretsmanager put-secret-value --secret-id "+name, "read secret %s: %w", name, err)
	}
	return keys, nil
}

func writeKeys(ctx context.Context, client *secretsmanager.Client, name string, keys callback.Keys) error {
	value, err := json.Marshal(keys)
	if err != nil {
		return fmt.Errorf("encode keys: %w", err)
	}
	_, err = client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: aws.String(string(value))})
	return err
}
