package operate

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/send"
	"payout-callbacks/pkg/callback"
)

// Send sends callbacks. Its flags apply to all of its commands.
type Send struct {
	PrintEvent bool      `help:"Print the event of API Gateway with the callback, for make invoke and sam local invoke, and send nothing."`
	Repeat     cli.Limit `help:"Send it this many times, with a new signature each." default:"1" placeholder:"N"`
	Forge      bool      `help:"Sign it with a random key. Exit code 0 then means that it was refused."`
	KeyFile    string    `help:"File with the account's key, or - for standard input. A local stack has demo keys." placeholder:"FILE"`
	Yes        bool      `help:"Skip the confirmation on a deployed stack."`

	Cregis sendCregis `cmd:"" help:"As Cregis: payout, sub-address-payout."`
	Pivot  sendPivot  `cmd:"" help:"As Pivot: single, bulk."`
	Files  sendFiles  `cmd:"" default:"withargs" help:"Test vectors of a provider, by path; - reads a vector from standard input."`
}

// Help gives examples.
func (Send) Help() string {
	return `Sends a callback as a provider does: the example in the provider's documentation, with the changes of flags and --set,
signed with the demo key of the account in the body (--local), or with the key in --key-file.

	payoutctl --local send cregis payout --cid 7001 --status 6 --amount 2.50
	payoutctl --local send pivot single --event PAYOUT.FAILED --reason "Inactive Account"
	payoutctl --local send pivot bulk --event PAYOUT.PENDING --repeat 3
	payoutctl --local send pkg/provider/cregis/testdata/payout-status-6.txtar
	payoutctl --stack payouts-dev send pivot single --merchant-id MERCHANT --key-file key.txt
	payoutctl --local send --print-event cregis payout --status 6 | make invoke FUNCTION=cregis EVENT=-

` + sendPermissions + ` Exit code 0: every answer was as expected: an
acknowledgement; with --forge a refusal; for a test vector what it states. 1: an answer was different. 3: no answer.`
}

const sendPermissions = "Needs the permission cloudformation:DescribeStacks; none with --local."

// sendHelp is the help of each command of send.
type sendHelp struct{}

// Help lists the permissions.
func (sendHelp) Help() string { return sendPermissions + " For examples see: payoutctl send --help" }

type sendCregis struct {
	Payout           cregisPayout           `cmd:"" help:"A payout. The documented example has the unknown status 0, so it is held."`
	SubAddressPayout cregisSubAddressPayout `cmd:"" help:"A payout from a sub-address."`
}

// cregisFields are fields of both callbacks.
type cregisFields struct {
	PID       string `name:"pid" field:"pid" help:"Project id: the account." placeholder:"ID"`
	CID       string `name:"cid" field:"cid" help:"Cregis's id of the payout." placeholder:"ID"`
	Status    string `field:"status" help:"2 and 4 rejected, 6 succeeded, 7 failed; other values are held." placeholder:"N"`
	Amount    string `field:"amount" help:"Amount." placeholder:"DECIMAL"`
	Currency  string `field:"currency" help:"Currency." placeholder:"TEXT"`
	Reference string `field:"third_party_id" help:"Our reference: third_party_id." placeholder:"TEXT"`
	send.Overrides
	sendHelp
}

type cregisPayout struct{ cregisFields }

// Run sends the callback.
func (c *cregisPayout) Run(ctx context.Context, s *cli.Session, flags *Send) error {
	return sendExample(ctx, s, flags, send.CregisPayout.With(send.Assignments(*c), c.Overrides))
}

type cregisSubAddressPayout struct{ cregisFields }

// Run sends the callback.
func (c *cregisSubAddressPayout) Run(ctx context.Context, s *cli.Session, flags *Send) error {
	return sendExample(ctx, s, flags, send.CregisSubAddressPayout.With(send.Assignments(*c), c.Overrides))
}

type sendPivot struct {
	Single pivotSingle `cmd:"" help:"One payout: PAYOUT.SUCCESS, PAYOUT.FAILED or PAYOUT.DELAYED."`
	Bulk   pivotBulk   `cmd:"" help:"The totals of a bulk request: PAYOUT.DONE, PAYOUT.PENDING, PAYOUT.DELAYED or PAYOUT.CANCELLED."`
}

// pivotFields are fields of both callbacks.
type pivotFields struct {
	Event      string `field:"event" help:"Event, such as PAYOUT.FAILED; it also sets the status." placeholder:"NAME"`
	Status     string `help:"Status, if it differs from the event." placeholder:"TEXT"`
	UUID       string `name:"uuid" field:"data.uuid" help:"Pivot's id of the request." placeholder:"TEXT"`
	MerchantID string `field:"data.merchantId" help:"Merchant: the account." placeholder:"TEXT"`
	send.Overrides
	sendHelp
}

// withStatus returns the assignments with that of the status.
func (f pivotFields) withStatus(path string, assignments []send.Assignment) []send.Assignment {
	_, text, _ := strings.Cut(f.Event, ".")
	return append(assignments, send.Assignment{path, cmp.Or(f.Status, text)})
}

type pivotSingle struct {
	Reference string `field:"data.payouts.referenceId" help:"Our reference: referenceId." placeholder:"TEXT"`
	Amount    string `field:"data.payouts.amount.value" help:"Amount." placeholder:"DECIMAL"`
	Currency  string `field:"data.payouts.amount.currency" help:"Currency." placeholder:"TEXT"`
	Reason    string `field:"data.payouts.reason" help:"Reason of a failure." placeholder:"TEXT"`
	pivotFields
}

// Run sends the callback.
func (c *pivotSingle) Run(ctx context.Context, s *cli.Session, flags *Send) error {
	return sendExample(ctx, s, flags, send.PivotSingle.With(c.withStatus("data.payouts.status", send.Assignments(*c)), c.Overrides))
}

type pivotBulk struct {
	PendingCount  string `field:"data.payoutResults.totalPendingCount" help:"Items pending." placeholder:"N"`
	PendingAmount string `field:"data.payoutResults.totalPendingAmount" help:"Sum of their amounts." placeholder:"N"`
	SuccessCount  string `field:"data.payoutResults.totalSuccessCount" help:"Items that succeeded." placeholder:"N"`
	SuccessAmount string `field:"data.payoutResults.totalSuccessAmount" help:"Sum of their amounts." placeholder:"N"`
	pivotFields
}

// Run sends the callback.
func (c *pivotBulk) Run(ctx context.Context, s *cli.Session, flags *Send) error {
	return sendExample(ctx, s, flags, send.PivotBulk.With(c.withStatus("data.status", send.Assignments(*c)), c.Overrides))
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
		Provider: provider, Kind: example.Kind, Account: send.FieldText(body, example.Account), Want: callback.Acknowledged, Body: example.Body,
	})
}

// sendCallback sends a callback --repeat times and prints the answers, or prints its event.
func sendCallback(ctx context.Context, s *cli.Session, flags *Send, out send.Callback) error {
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
	sender := send.NewSender(stack, stack.APIURL, out, key)
	if flags.PrintEvent {
		event, err := sender.Event()
		if err != nil {
			return err
		}
		return s.PrintJSON(event)
	}
	if err := s.Confirm(flags.Yes || flags.Forge, "send a signed callback to stack "+stack.Name); err != nil {
		return err
	}
	return sendRepeatedly(ctx, s, sender, int(flags.Repeat))
}

// sendRepeatedly sends a callback some times and prints the answers.
func sendRepeatedly(ctx context.Context, s *cli.Session, sender send.Sender, times int) (err error) {
	var got send.Answer
	unexpected := 0
	for range times {
		if got, err = sender.Send(ctx); err != nil {
			return err
		}
		if !got.AsExpected {
			unexpected++
		}
		if err := printAnswer(s, got); err != nil {
			return err
		}
	}
	printShowHint(s, got)
	if unexpected > 0 {
		return cli.Negativef("", "%d of %d answers were not as expected (%s)", unexpected, times, sender.Callback.Want)
	}
	return nil
}

// keyFor returns the key to sign with: of a local stack, a demo key. A forged callback needs
// no real key.
func keyFor(s *cli.Session, flags *Send, stack cli.Stack, out send.Callback) (callback.Key, error) {
	name, demo := out.Provider.Name(), out.Provider.Demo[out.Account]
	key, kind := demo.Current, ""
	if out.Previous {
		key, kind = demo.Previous, "previous "
	}
	switch {
	case out.Unsigned:
		return "", nil
	case flags.Forge:
		return callback.Key(rand.Text()), nil
	case flags.KeyFile != "":
		return s.ReadKey(flags.KeyFile)
	case stack.Local && stack.DemoKeys[name] == nil:
		return "", cli.Usagef("end and start it again: make run", "the local stack has no demo keys of %s: it was started by an older version of this repository", name)
	case stack.Local && key != "":
		return key, nil
	case stack.Local:
		return "", cli.Usagef("give its key with --key-file FILE", "the local stack has no %sdemo key for %s account %q", kind, name, out.Account)
	}
	return "", cli.Usagef("give it with --key-file FILE; --forge needs none", "no key to sign with")
}

func printAnswer(s *cli.Session, got send.Answer) error {
	colour := cli.Red
	if got.AsExpected {
		colour = cli.Green
	}
	line := fmt.Sprintf("%d  %s", got.Code, s.Style().Paint(colour, string(got.Verdict)))
	if got.Body != "" {
		line += "  " + cli.Clean(got.Body)
	}
	return s.PrintResult(got, line+"\n")
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
