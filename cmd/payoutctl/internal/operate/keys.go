package operate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/ops/keyring"
)

// Keys groups the commands for callback keys.
type Keys struct {
	Add     keysAdd     `cmd:"" help:"Add an account's next callback key; the current key remains valid as the previous one."`
	Promote keysPromote `cmd:"" help:"Make an account's previous key the current one again: reverts a rotation."`
	Retire  keysRetire  `cmd:"" help:"Remove a key: completes a rotation."`
	List    keysList    `cmd:"" help:"List accounts with the ids and ages of their keys, never the keys themselves."`
}

// keyOwner is the account whose keys a command changes.
type keyOwner struct {
	Provider cli.Provider `arg:"" help:"Provider."`
	Account  string       `arg:"" help:"Our account with the provider, such as a project id of Cregis."`
}

const keysPermissions = `
Needs the permissions secretsmanager:GetSecretValue, PutSecretValue, UpdateSecretVersionStage and TagResource on the
provider's secret, and cloudformation:DescribeStacks. --reason is stored in the secret's tag payout-callbacks:last-change,
and CloudTrail records who changed it. If two operators change the keys of a provider at the same time, the second
change is rejected.`

type keysAdd struct {
	keyOwner
	KeyFile string `help:"File with the key; - is standard input." placeholder:"FILE" default:"-"`
	Replace bool   `help:"Remove the keys that the account has, because they leaked."`
	API     bool   `name:"api" help:"Store the credentials of the provider's API, with which the reconciler asks about payouts."`
	cli.ChangeFlags
}

// Help gives examples.
func (keysAdd) Help() string {
	return `Adds a key. Callbacks verify with the new key and with the current one, so none is refused while the provider changes
over. To rotate:

	payoutctl --stack payouts-prod keys add pivot MERCHANT --key-file new.key --reason "yearly rotation"
	  now have the provider use the new key; the metric PreviousKey counts callbacks with the old one
	payoutctl --stack payouts-prod keys retire pivot MERCHANT OLD-ID --reason "yearly rotation"

Add the first key before you give the provider the callback URL: without a key, callbacks get 503 or 401. Running
functions load a new key with the first callback that needs it. They may accept a replaced or retired key for up to five
minutes. If keys leaked, or the stored keys of an account are unusable (see doctor and list), use --replace:

	payoutctl --stack payouts-prod keys add pivot MERCHANT --replace --reason "leaked, INC-12" <pivot.key

With --api, the file holds the credentials of the API instead of a key, as JSON; a terminal is asked for each field:

` + credentialForms() + `
If the API key is the callback key as well, as that of Cregis, both secrets are written. If the parameter <Provider>Queries
is off, reconcile alone uses the credentials.

	payoutctl --stack payouts-prod keys add cregis PROJECT --api --reason "first credentials" <cregis.json
` + keysPermissions
}

// Check returns an error if the account is not of the provider's form, or the reason is missing.
func (c *keysAdd) Check() error {
	return cmp.Or(cli.CheckAccount(c.Provider, c.Account), c.ChangeFlags.Check())
}

// Run adds the key.
func (c *keysAdd) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	if c.API {
		return c.addAPI(ctx, s, stack)
	}
	key, err := s.ReadKey(c.KeyFile)
	if err != nil {
		return err
	}
	return c.add(ctx, s, stack, key)
}

func (c *keysAdd) add(ctx context.Context, s *cli.Session, stack cli.Stack, key callback.Key) error {
	return c.change(ctx, s, stack, c.ChangeFlags, func(keys callback.Keys) (callback.Keys, string, error) {
		if c.Replace {
			return keyring.Replace(keys, c.Account, key), "replace by " + key.ID(), nil
		}
		next, err := keyring.Add(keys, c.Account, key)
		return next, "add " + key.ID(), err
	})
}

type keysPromote struct {
	keyOwner
	KeyID string `arg:"" help:"Id of the key, as list prints it."`
	cli.ChangeFlags
}

// Help gives examples.
func (keysPromote) Help() string {
	return `Swaps the current and the previous key. Both remain valid; callbacks with the previous key are counted.

	payoutctl --stack payouts-prod keys promote pivot MERCHANT 3f9a01 --reason "provider went back to the old key"
` + keysPermissions
}

// Run makes the key the current one.
func (c *keysPromote) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	return c.change(ctx, s, stack, c.ChangeFlags, func(keys callback.Keys) (callback.Keys, string, error) {
		next, err := keyring.Promote(keys, c.Account, c.KeyID)
		return next, "promote " + c.KeyID, err
	})
}

type keysRetire struct {
	keyOwner
	KeyID string `arg:"" help:"Id of the key, as list prints it."`
	Last  bool   `help:"Allow removing the only key: all callbacks of the account are refused then."`
	cli.ChangeFlags
}

// Help gives examples.
func (keysRetire) Help() string {
	return `Removes a key: callbacks with it are refused, and Cregis does not resend them by itself. Retire a key when the metric
PreviousKey has been 0 for as long as the provider may resend.

	payoutctl --stack payouts-prod keys retire pivot MERCHANT 3f9a01 --reason "rotation is over"
	payoutctl --stack payouts-prod keys retire cregis 1382528827416576 3f9a01 --last --reason "project closed"
` + keysPermissions
}

// Run removes the key.
func (c *keysRetire) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	return c.change(ctx, s, stack, c.ChangeFlags, func(keys callback.Keys) (callback.Keys, string, error) {
		next, err := keyring.Retire(keys, c.Account, c.KeyID, c.Last)
		return next, "retire " + c.KeyID, err
	})
}

// change reads the provider's keys, applies a change and writes them back.
func (o keyOwner) change(ctx context.Context, s *cli.Session, stack cli.Stack, flags cli.ChangeFlags,
	apply func(callback.Keys) (next callback.Keys, what string, err error),
) error {
	store, read, err := stack.ReadKeys(ctx, o.Provider)
	if err != nil {
		return err
	}
	has := read.Keys[o.Account]
	next, what, err := apply(read.Keys)
	if err != nil {
		return o.explainRefusal(s, has, err)
	}
	if next[o.Account] == has {
		s.Notef("no change needed")
		return printKeys(s, o, has, nil)
	}
	question := fmt.Sprintf("%s: %s account %s in stack %s, which has %s now", what, o.Provider, o.Account, stack.Name, idsOf(has))
	if err := s.Confirm(flags.Yes, question); err != nil {
		return err
	}
	// The reason is recorded first, so that a change without a reason cannot remain.
	if err := store.Tag(ctx, cli.ChangeTag, cli.FormatChange(s.Now(), "account "+o.Account+" "+what, flags.Reason)); err != nil {
		return err
	}
	if err := store.Write(ctx, read, next); err != nil {
		return o.explainRefusal(s, has, err)
	}
	keys, ok := next[o.Account]
	if removed := removedKeys(has, keys); len(removed) > 0 {
		s.Notef("running functions may accept %s for up to five minutes", strings.Join(removed, " and "))
	}
	if !ok {
		s.Notef("%s account %s has no keys now: its callbacks are refused", o.Provider, cli.Clean(o.Account))
		return nil
	}
	return printKeys(s, o, keys, nil)
}

// removedKeys lists the ids of keys that are no longer valid.
func removedKeys(before, after callback.AccountKeys) []string {
	var removed []string
	for _, key := range []callback.Key{before.Current, before.Previous} {
		if key != "" && key != after.Current && key != after.Previous {
			removed = append(removed, key.ID())
		}
	}
	return removed
}

// explainRefusal adds a hint to the error of a rejected change.
func (o keyOwner) explainRefusal(s *cli.Session, has callback.AccountKeys, err error) error {
	self := s.Program() + " keys"
	list, account := self+" list "+string(o.Provider), " "+string(o.Provider)+" "+o.Account+" "
	hints := map[error]string{
		keyring.ErrRotating: "if no callback uses it any more: " + self + " retire" + account + "ID; if the keys leaked: add --replace",
		keyring.ErrPrevious: "to make it the current one: " + self + " promote" + account + "ID",
		keyring.ErrInUse: "if it leaked, promote the other key first: " + self + " promote" + account + has.Previous.ID() +
			" --reason TEXT, then: " + self + " retire" + account + has.Current.ID() + " --reason TEXT",
		keyring.ErrFlawed:    "if you have the key that the provider uses: " + self + " add" + account + "--replace --key-file FILE --reason TEXT",
		keyring.ErrLast:      "all callbacks of the account would be refused; to do it anyway, add --last",
		keyring.ErrNoAccount: "list them with: " + list,
		keyring.ErrNoKey:     "list them with: " + list,
		keyring.ErrChanged:   "your change was not stored; see: " + list + ", and try again",
	}
	for known, hint := range hints {
		if errors.Is(err, known) {
			return cli.Negativef(hint, "%s account %s: %w", o.Provider, cli.Clean(o.Account), known)
		}
	}
	return err
}

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
	return listAPI(ctx, s, stack, provider)
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
