package operate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/ops/keyring"
)

type Keys struct {
	Add     keysAdd     `cmd:"" help:"Store an account's next callback key; the one so far goes on working beside it."`
	Promote keysPromote `cmd:"" help:"Make an account's previous key the current one again: takes a rotation back."`
	Retire  keysRetire  `cmd:"" help:"Believe a key no longer: ends a rotation."`
	List    keysList    `cmd:"" help:"List accounts with the ids and ages of their keys, never the keys."`
}

// keysOf is whose keys a command changes.
type keyOwner struct {
	Provider string `arg:"" help:"Provider."`
	Account  string `arg:"" help:"Account at the provider: Cregis's project id, Pivot's merchant id."`
}

const keysPermissions = `
Needs the permissions secretsmanager:GetSecretValue, PutSecretValue, UpdateSecretVersionStage and TagResource on the
provider's secret, and cloudformation:DescribeStacks. --reason is kept in the secret's tag payout-callbacks:last-change,
and with who did it in CloudTrail. Two people who change one provider's keys at the same moment do not undo each other:
the second one is told, and nothing of his is stored.`

type keysAdd struct {
	keyOwner
	KeyFile string `help:"File with the key; standard input without it." placeholder:"FILE" default:"-"`
	Replace bool   `help:"The keys that the account has are believed no longer: they leaked."`
	cli.ReasonFlags
}

// Help gives examples.
func (keysAdd) Help() string {
	return `Callbacks are believed under the new key and under the one so far, so that none is refused whenever the provider
changes over. To rotate:

	payoutctl --stack payouts-prod keys add pivot MERCHANT --key-file new.key --reason "yearly rotation"
	  now have the provider use the new key; the metric PreviousKey counts callbacks that still come under the old one
	payoutctl --stack payouts-prod keys retire pivot MERCHANT OLD-ID --reason "yearly rotation"

Store a first key before the provider is given the callback URL. Until an account has one, callbacks get 503 or 401.
Functions that are running take a new key up with the first callback that needs it. A key that is replaced or retired
they may believe for up to five minutes more, unless a callback under another key comes before.

Where an account's keys are stored in a way that cannot be used (doctor and list say so), --replace repairs it.

Examples:

	payoutctl --stack payouts-prod keys add cregis 1382528827416576 --key-file cregis.key --reason "first key"
	payoutctl --stack payouts-prod keys add pivot MERCHANT --replace --yes --reason "leaked, INC-12" <pivot.key
` + keysPermissions
}

// Run stores the key.
func (c *keysAdd) Run(ctx context.Context, s *cli.Session) error {
	if err := cli.CheckAccount(c.Provider, c.Account); err != nil {
		return err
	}
	return changeKeys(ctx, s, c.keyOwner, c.ReasonFlags, func(keys callback.Keys) (callback.Keys, string, error) {
		key, err := s.ReadKey(c.KeyFile)
		if err != nil {
			return nil, "", err
		}
		if c.Replace {
			return keyring.Replace(keys, c.Account, key), "replace by " + key.ID(), nil
		}
		next, err := keyring.Add(keys, c.Account, key)
		return next, "add " + key.ID(), err
	})
}

type keysPromote struct {
	keyOwner
	KeyID string `arg:"" help:"Id of the key, as list shows it."`
	cli.ReasonFlags
}

// Help gives examples.
func (keysPromote) Help() string {
	return `Both keys stay; only their parts change. Callbacks under what is the previous key then are counted as such.

Examples:

	payoutctl --stack payouts-prod keys promote pivot MERCHANT 3f9a01 --reason "provider went back to the old key"
` + keysPermissions
}

// Run makes the key the current one.
func (c *keysPromote) Run(ctx context.Context, s *cli.Session) error {
	return changeKeys(ctx, s, c.keyOwner, c.ReasonFlags, func(keys callback.Keys) (callback.Keys, string, error) {
		next, err := keyring.Promote(keys, c.Account, c.KeyID)
		return next, "promote " + c.KeyID, err
	})
}

type keysRetire struct {
	keyOwner
	KeyID string `arg:"" help:"Id of the key, as list shows it."`
	Last  bool   `help:"Even if it is the account's only key: all of its callbacks are refused then."`
	cli.ReasonFlags
}

// Help gives examples.
func (keysRetire) Help() string {
	return `What still comes under a retired key is refused, and of Cregis's callbacks none is sent again by itself: retire a key
when the metric PreviousKey has been 0 for as long as the provider may send again. Functions that are running may
believe it for up to five minutes more.

Examples:

	payoutctl --stack payouts-prod keys retire pivot MERCHANT 3f9a01 --reason "rotation is over"
	payoutctl --stack payouts-prod keys retire cregis 1382528827416576 3f9a01 --last --reason "project closed"
` + keysPermissions
}

// Run takes the key away.
func (c *keysRetire) Run(ctx context.Context, s *cli.Session) error {
	return changeKeys(ctx, s, c.keyOwner, c.ReasonFlags, func(keys callback.Keys) (callback.Keys, string, error) {
		next, err := keyring.Retire(keys, c.Account, c.KeyID, c.Last)
		return next, "retire " + c.KeyID, err
	})
}

// changeKeys reads a provider's keys, has them changed and writes them back.
func changeKeys(ctx context.Context, s *cli.Session, of keyOwner, on cli.ReasonFlags,
	change func(callback.Keys) (next callback.Keys, what string, err error),
) error {
	if _, err := cli.FindProvider(of.Provider); err != nil {
		return err
	}
	if err := on.Check(); err != nil {
		return err
	}
	stack, err := s.OpenStack(ctx)
	if err != nil {
		return err
	}
	store, err := stack.Keyring(of.Provider)
	if err != nil {
		return err
	}
	read, err := store.Read(ctx)
	if err != nil {
		return cli.KeysError(store, err)
	}
	next, what, err := change(read.Keys)
	if err != nil {
		return refusedKeys(s, of, read.Keys[of.Account], err)
	}
	if next[of.Account] == read.Keys[of.Account] {
		s.Notef("that is so already; nothing was changed")
		return printKeys(s, of.Provider, of.Account, next[of.Account], nil)
	}
	question := fmt.Sprintf("%s: %s account %s in stack %s, which has %s now", what, of.Provider, of.Account, stack.Name, idsOf(read.Keys[of.Account]))
	if err := s.Confirm(on.Yes, question); err != nil {
		return err
	}
	// Noted before it is done: no change is without its reason.
	if err := store.Tag(ctx, cli.ChangeTag, cli.FormatChange(s.Now(), "account "+of.Account+" "+what, on.Reason)); err != nil {
		return err
	}
	if err := store.Write(ctx, read, next); err != nil {
		return refusedKeys(s, of, read.Keys[of.Account], err)
	}
	if gone := removedKeys(read.Keys[of.Account], next[of.Account]); len(gone) > 0 {
		s.Notef("functions that are running may believe %s for up to five minutes more", strings.Join(gone, " and "))
	}
	return printChange(s, of, next)
}

// without lists the ids of keys that were believed and are no longer.
func removedKeys(was, is callback.AccountKeys) []string {
	var gone []string
	for _, key := range []callback.Key{was.Current, was.Previous} {
		if key != "" && key != is.Current && key != is.Previous {
			gone = append(gone, key.ID())
		}
	}
	return gone
}

func printChange(s *cli.Session, of keyOwner, next callback.Keys) error {
	if now, item := next[of.Account]; item {
		return printKeys(s, of.Provider, of.Account, now, nil)
	}
	s.Notef("%s account %s has no keys now: its callbacks are refused", of.Provider, cli.Clean(of.Account))
	return nil
}

// refusedKeys says what to do about a change that is not made.
func refusedKeys(s *cli.Session, of keyOwner, has callback.AccountKeys, err error) error {
	self := s.Program() + " keys"
	whose := " " + of.Provider + " " + of.Account + " "
	hints := map[error]string{
		keyring.ErrRotating: "if nothing comes under it any more: " + self + " retire " + of.Provider + " " + of.Account + " ID; if the keys leaked: add --replace",
		keyring.ErrPrevious: "to make it the current one: " + self + " promote " + of.Provider + " " + of.Account + " ID",
		keyring.ErrInUse: "if it leaked, have the other one take its place first: " + self + " promote" + whose + has.Previous.ID() +
			" --reason TEXT, then: " + self + " retire" + whose + has.Current.ID() + " --reason TEXT",
		keyring.ErrFlawed:    "if you have the key that the provider uses: " + self + " add" + whose + "--replace --key-file FILE --reason TEXT",
		keyring.ErrLast:      "all of its callbacks would be refused; if that is meant, add --last",
		keyring.ErrNoAccount: "see them with: " + self + " list " + of.Provider,
		keyring.ErrNoKey:     "see them with: " + self + " list " + of.Provider,
		keyring.ErrChanged:   "nothing of yours was stored; look at it with: " + self + " list " + of.Provider + ", and try again",
	}
	for known, hint := range hints {
		if errors.Is(err, known) {
			return cli.Negativef(hint, "%s account %s: %w", of.Provider, cli.Clean(of.Account), known)
		}
	}
	return err
}
