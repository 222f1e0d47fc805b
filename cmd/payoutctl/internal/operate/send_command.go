package operate

import (
	"context"
	"fmt"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/send"
	"payout-callbacks/pkg/callback"
)

// Send sends callbacks. Its flags apply to all of its commands.
type Send struct {
	Repeat  int    `help:"Send it this many times, with a new signature each." default:"1" placeholder:"N"`
	Forge   bool   `help:"Sign it with a random key. Exit code 0 then means that it was refused."`
	KeyFile string `help:"File with the account's key, or - for standard input. A local stack has demo keys." placeholder:"FILE"`
	Yes     bool   `help:"Skip the confirmation on a deployed stack."`

	Cregis sendCregis `cmd:"" help:"As Cregis: payout, sub-address-payout."`
	Pivot  sendPivot  `cmd:"" help:"As Pivot: single, bulk."`
	Files  sendFiles  `cmd:"" default:"withargs" help:"Test vectors of a provider, by path."`
}

// Help gives examples.
func (Send) Help() string {
	return `Sends a callback as a provider does. The callback is the example in the provider's documentation, with the changes of
flags and --set. It is signed with the demo key of the account in the body (--local), or with the key in --key-file.

Examples:

	payoutctl --local send cregis payout --cid 7001 --status 6 --amount 2.50
	payoutctl --local send cregis payout --status 7 --forge
	payoutctl --local send pivot single --event PAYOUT.FAILED --reason "Inactive Account"
	payoutctl --local send pivot bulk --event PAYOUT.PENDING --repeat 3
	payoutctl --local send pkg/provider/cregis/testdata/payout-status-6.txtar
	payoutctl --stack payouts-dev send pivot single --merchant-id MERCHANT --key-file key.txt

Exit code 0: every answer was as expected: an acknowledgement; with --forge a refusal; for a test vector what it states.
1: an answer was different. 3: no answer.`
}

// sendCallback sends a callback --repeat times and prints the answers.
func sendCallback(ctx context.Context, s *cli.Session, flags *Send, out send.Callback) error {
	if flags.Repeat < 1 {
		return cli.Usagef("", "--repeat must be 1 or more")
	}
	if flags.Forge {
		out.Want, out.Unsigned = callback.Unauthenticated, false
	}
	stack, err := s.OpenStack(ctx)
	if err != nil {
		return err
	}
	key, err := keyFor(s, flags, stack, out)
	if err != nil {
		return err
	}
	if err := s.Confirm(flags.Yes || flags.Forge, "send a signed callback to stack "+stack.Name); err != nil {
		return err
	}
	sender := send.Sender{Client: send.NewClient(stack), URL: out.URL(stack.APIURL), Callback: out, Key: key}
	return sendAll(ctx, s, sender, flags.Repeat)
}

func sendAll(ctx context.Context, s *cli.Session, sender send.Sender, times int) error {
	var last send.Answer
	unexpected := 0
	for range times {
		got, err := sender.Send(ctx)
		if err != nil {
			return err
		}
		if last = got; !got.AsExpected {
			unexpected++
		}
		if err := printAnswer(s, got); err != nil {
			return err
		}
	}
	printShowHint(s, last)
	if unexpected > 0 {
		return cli.Negativef("", "%d of %d answers were not as expected (%s)", unexpected, times, sender.Callback.Want)
	}
	return nil
}

// keyFor returns the key to sign with. A forged callback needs no real key.
func keyFor(s *cli.Session, flags *Send, stack cli.Stack, out send.Callback) (callback.Key, error) {
	demo := stack.DemoKeys[out.Provider.Name()]
	switch {
	case out.Unsigned:
		return "", nil
	case flags.Forge:
		return send.RandomKey(s)
	case flags.KeyFile != "":
		return s.ReadKey(flags.KeyFile)
	case demo[out.Account] != "":
		return demo[out.Account], nil
	case demo != nil:
		return "", cli.Usagef("give its key with --key-file FILE", "the local stack has no demo key for %s account %q", out.Provider.Name(), out.Account)
	}
	return "", cli.Usagef("give it with --key-file FILE; --forge needs none", "no key to sign with")
}

func sendExample(ctx context.Context, s *cli.Session, flags *Send, example send.Example) error {
	provider, err := cli.FindProvider(example.Provider)
	if err != nil {
		return err
	}
	body, err := example.Body()
	if err != nil {
		return err
	}
	return sendCallback(ctx, s, flags, send.Callback{
		Provider: provider,
		Kind:     example.Kind,
		Account:  send.FieldText(body, example.Account),
		Want:     callback.Acknowledged,
		Body:     example.Body,
	})
}

func printAnswer(s *cli.Session, got send.Answer) error {
	if s.Flags.JSON {
		return s.PrintJSON(got)
	}
	line := fmt.Sprintf("%d  %s", got.Code, send.FormatVerdict(s.Style(), got))
	if got.Body != "" {
		line += "  " + cli.Clean(got.Body)
	}
	return s.Print(line + "\n")
}

// printShowHint prints the command that shows the payout or the held callback.
func printShowHint(s *cli.Session, got send.Answer) {
	switch {
	case s.Flags.JSON || got.Payout == "":
	case got.Held != "":
		s.Notef("held (%s): %s show %s", got.Held, s.Program(), cli.InQuotes(got.Payout))
	default:
		s.Notef("see: %s show %s", s.Program(), cli.InQuotes(got.Payout))
	}
}
