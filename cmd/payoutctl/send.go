package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/payout"
)

// sendCommand sends callbacks. Its flags are those of all its commands.
type sendCommand struct {
	Repeat  int    `help:"Send it this many times, each freshly signed." default:"1" placeholder:"N"`
	Forge   bool   `help:"Sign it with a made-up key. Exit code 0 then means that it was refused."`
	KeyFile string `help:"File with the account's key, or - for standard input. A local stack has demo keys." placeholder:"FILE"`
	Yes     bool   `help:"Do not ask before sending to a deployed stack."`

	Cregis sendCregisCommand `cmd:"" help:"As Cregis: payout, sub-address-payout."`
	Pivot  sendPivotCommand  `cmd:"" help:"As Pivot: single, bulk."`
	Files  sendFilesCommand  `cmd:"" default:"withargs" help:"Test vectors of a provider, by their paths."`
}

// Help gives examples.
func (sendCommand) Help() string {
	return `Each callback starts from the example in the provider's documentation; flags and --set change it.
What is sent is signed with the demo key of the account that the body names (--local) or the one in --key-file.

Examples:

	payoutctl --local send cregis payout --cid 7001 --status 6 --amount 2.50
	payoutctl --local send cregis payout --status 7 --forge
	payoutctl --local send pivot single --event PAYOUT.FAILED --reason "Inactive Account"
	payoutctl --local send pivot bulk --event PAYOUT.PENDING --repeat 3
	payoutctl --local send pkg/provider/cregis/testdata/payout-status-6.txtar
	payoutctl --stack payouts-dev send pivot single --merchant-id MERCHANT --key-file key.txt

Exit code 0: the answer was the acknowledgement (with --forge: the refusal; a test vector: what it expects), every
time. 1: it was not. 3: there was no answer.`
}

// overrides change the example in ways that no flag has a name for.
type overrides struct {
	Set   []string `help:"Change a field: NAME=VALUE keeps its kind, NAME:=JSON sets any. Points lead inwards: data.uuid=1." placeholder:"FIELD" sep:"none"`
	Unset []string `help:"Leave a field out." placeholder:"NAME" sep:"none"`
}

func (o overrides) changes() ([]change, error) {
	var changes []change
	for _, argument := range o.Set {
		c, err := parseChange(argument)
		if err != nil {
			return nil, usage("", "--set %w", err)
		}
		changes = append(changes, c)
	}
	for _, path := range o.Unset {
		changes = append(changes, change{path: strings.Split(path, "."), remove: true})
	}
	return changes, nil
}

// outgoing is a callback that is about to be sent.
type outgoing struct {
	provider functions.SigningProvider
	kind     payout.Type
	account  string // whose key proves it
	unsigned bool   // it is sent as it stands
	header   http.Header
	want     callback.Verdict
	body     func() ([]byte, error) // before it is signed; anew each time
}

// send sends a callback as often as it is asked to and prints the answers.
func (s *session) send(ctx context.Context, flags *sendCommand, out outgoing) error {
	if flags.Repeat < 1 {
		return usage("", "--repeat is how often: 1 or more")
	}
	if flags.Forge {
		out.want, out.unsigned = callback.Unauthenticated, false
	}
	stack, err := s.stack(ctx)
	if err != nil {
		return err
	}
	key, err := s.keyFor(flags, stack, out)
	if err != nil {
		return err
	}
	if err := s.confirm(flags.Yes || flags.Forge, "send a callback to stack "+stack.name+", signed with a real key"); err != nil {
		return err
	}
	sender := sender{client: callbackClient(stack), url: out.url(stack.apiURL), out: out, key: key}
	return s.sendAll(ctx, sender, flags.Repeat)
}

func (s *session) sendAll(ctx context.Context, sender sender, times int) error {
	var last answer
	unwanted := 0
	for range times {
		got, err := sender.once(ctx)
		if err != nil {
			return err
		}
		if last = got; !got.AsExpected {
			unwanted++
		}
		if err := s.printAnswer(got); err != nil {
			return err
		}
	}
	s.printWhereabouts(last)
	if unwanted > 0 {
		return no("", "%d of %d answers were not the expected one (%s)", unwanted, times, sender.out.want)
	}
	return nil
}

func (o outgoing) url(base string) string {
	return strings.TrimRight(base, "/") + "/callbacks/" + o.provider.Name() + "/" + string(o.kind)
}

// keyFor finds the key to sign with. A forged callback needs none of ours.
func (s *session) keyFor(flags *sendCommand, stack stack, out outgoing) (callback.Key, error) {
	demo := stack.demoKeys[out.provider.Name()]
	switch {
	case out.unsigned:
		return "", nil
	case flags.Forge:
		return s.exampleKey()
	case flags.KeyFile != "":
		return s.readKey(flags.KeyFile)
	case demo[out.account] != "":
		return demo[out.account], nil
	case demo != nil:
		return "", usage("give its key with --key-file FILE", "the local stack has no demo key of %s account %q", out.provider.Name(), out.account)
	}
	return "", usage("give it with --key-file FILE; --forge needs none", "no key to sign with")
}

func (s *session) exampleKey() (callback.Key, error) {
	data := make([]byte, 16)
	if _, err := io.ReadFull(s.random, data); err != nil {
		return "", fmt.Errorf("make up key: %w", err)
	}
	return callback.Key(fmt.Sprintf("%x", data)), nil
}

// maxKey bounds a key before it is read. Known ones have 32 to 64 bytes.
const maxKey = 4096

func providerNamed(name string) (functions.SigningProvider, error) {
	providers := functions.Providers()
	at := slices.IndexFunc(providers, func(p functions.SigningProvider) bool { return p.Name() == name })
	if at < 0 {
		return nil, usage("", "%q is no provider; there are: %s", name, strings.Join(providerNames(), ", "))
	}
	return providers[at], nil
}

func providerNames() []string {
	var names []string
	for _, provider := range functions.Providers() {
		names = append(names, provider.Name())
	}
	return names
}
