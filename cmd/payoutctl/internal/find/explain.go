package find

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/explain"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider"
)

// CaptureForms lists the forms of a captured callback, for the help and for errors.
const CaptureForms = "an HTTP request, an API Gateway event, a HAR file, an export of webhook.site, the output of curl -v, or a body alone"

// Explain explains how a callback is handled.
type Explain struct {
	File       string       `arg:"" help:"File with the callback, or - for standard input: ${captures}. Or the id of a held callback (held/…)."`
	Provider   cli.Provider `help:"Provider, if the file contains no route." placeholder:"NAME"`
	Type       payout.Type  `help:"Type of the callback, if the file contains no route: payout, sub-address-payout." default:"payout" placeholder:"TYPE"`
	ReceivedAt cli.Time     `help:"When it was received, for a signature that includes the time of sending: ${when}. An event of API Gateway states it. Default: now." placeholder:"TIME"`
	KeyFile    string       `help:"Try this key; no stack is needed then." placeholder:"FILE"`
	Account    string       `help:"Account of the key in --key-file." placeholder:"ID"`
}

// Help gives examples.
func (Explain) Help() string {
	return `Explains step by step how a callback is handled: the signed text, the key that matches it, the event in the body, its
receipt, and what it would change now. If the signature or the key does not match, the command undoes the usual
alterations (a number or an escape rewritten, whitespace, an encoding, a key of another account, a key in another
header) until the provider's check accepts the callback. Of several requests in a file, the first to a callback route is
used. curl -v does not print the body that it sends: keep the command line with its -d above the output, or write the
body below the request's headers.

A held callback is parsed again as today. Its signature is checked again if the body contains it, as with Cregis; of a
key in a header, as with Pivot, only the id is stored.

The command changes and sends nothing. It prints no key, and only the beginning of an expected signature.

	payoutctl --stack payouts-prod explain request.txt
	payoutctl --stack payouts-prod explain event.json --json
	payoutctl --stack payouts-prod explain held/pivot/payout/M/x8Z
	payoutctl explain body.json --provider cregis --account 1382528827416576 --key-file cregis.key

Needs the permissions secretsmanager:GetSecretValue on the provider's secret, dynamodb:GetItem on both tables, and
cloudformation:DescribeStacks; none with --key-file. Exit code 0: it would be acknowledged. 1: it would be refused.`
}

// Run explains the callback.
func (c *Explain) Run(ctx context.Context, s *cli.Session) error {
	if strings.HasPrefix(c.File, display.HeldPrefix) && !isFile(c.File) {
		return c.runHeld(ctx, s)
	}
	read, provider, err := c.read(s)
	if err != nil {
		return err
	}
	e := explanation{Form: read.Form, Provider: provider.Name(), Type: read.Request.Type}
	in := explain.Input{Provider: provider, Request: read.Request, Now: s.Now()}
	if !c.ReceivedAt.IsZero() {
		in.Request = in.Request.WithReceivedAt(c.ReceivedAt.Time)
	}
	if c.KeyFile != "" {
		if c.Account == "" {
			return cli.Usagef("add --account", "--key-file needs the account of the key")
		}
		key, err := s.ReadKey(c.KeyFile)
		if err != nil {
			return err
		}
		in.Keys = callback.Keys{c.Account: {Current: key}}
		e.Report = explain.Explain(in)
	} else if err := e.explainOnStack(ctx, s, in); err != nil {
		return err
	}
	e.Findings = append(read.Findings, e.Findings...)
	if err := e.print(s); err != nil {
		return err
	}
	if e.Verdict != callback.Acknowledged {
		return cli.Negativef("", "this callback would be refused: %s", e.Verdict)
	}
	return nil
}

// explainOnStack explains with the keys, the provider settings and the tables of the
// stack.
func (e *explanation) explainOnStack(ctx context.Context, s *cli.Session, in explain.Input) error {
	stack, err := s.OpenStack(ctx)
	if err != nil {
		return err
	}
	_, read, err := stack.ReadKeys(ctx, cli.Provider(e.Provider))
	if err != nil {
		return err
	}
	in.Keys = read.Keys
	if in.Provider, err = stack.Provider(e.Provider); err != nil {
		return err
	}
	if e.Report = explain.Explain(in); e.Receipt != nil {
		e.Effect, err = predictEffect(ctx, stack.Reader(), *e.Receipt)
	}
	return err
}

// isFile reports whether a file has the name: a directory may be called held.
func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// maxCapture bounds what is read of a file: a body in base64, escaped, with headers.
const maxCapture = 8 << 20

func (c *Explain) read(s *cli.Session) (explain.Capture, provider.Description, error) {
	from, err := s.Open(c.File, "callback")
	if err != nil {
		hint := "a file holds " + CaptureForms + "\n  without a file, paste it to standard input: " + s.Program() + " explain -"
		return explain.Capture{}, provider.Description{}, cli.WithHint(hint, err)
	}
	defer from.Close()
	text, err := io.ReadAll(io.LimitReader(from, maxCapture))
	if err != nil {
		return explain.Capture{}, provider.Description{}, cli.Usagef("", "read callback: %w", err)
	}
	read, err := explain.Read(text, c.Type)
	if err != nil {
		return read, provider.Description{}, cli.Usagef("see: payoutctl explain --help", "read callback: %w", err)
	}
	name := cmp.Or(cli.Provider(read.Provider), c.Provider)
	if name == "" {
		return read, provider.Description{}, cli.Usagef("add --provider, and --type if it is not payout", "unknown provider: the file contains no callback route")
	}
	provider, err := cli.FindProvider(name)
	return read, provider, err
}

// effect is what applying a callback would change now.
type effect struct {
	Known    bool              `json:"known"` // its receipt exists
	State    inbox.State       `json:"state,omitzero"`
	KeyID    string            `json:"keyId,omitzero"` // of the first delivery
	Before   payout.Status     `json:"before,omitzero"`
	After    payout.Status     `json:"after,omitzero"`
	Outcome  inbox.ApplyResult `json:"outcome,omitzero"`
	Conflict []payout.Field    `json:"conflict,omitempty"`
}

// predictEffect applies the callback's event to a copy of the payout.
func predictEffect(ctx context.Context, reader *dynamostore.Reader, receipt inbox.Receipt) (*effect, error) {
	r, known, err := reader.Receipt(ctx, receipt.Key)
	if err != nil && !errors.Is(err, inbox.ErrDamagedReceipt) {
		return nil, err
	}
	e := &effect{Known: known, State: r.State, KeyID: r.KeyID}
	if receipt.State == inbox.Held {
		return e, nil
	}
	record, _, err := reader.Record(ctx, receipt.Event.ID)
	if err != nil {
		return nil, err
	}
	e.Before = record.Status()
	if known && r.State == inbox.Applied {
		e.After, e.Outcome = e.Before, inbox.ApplyDuplicate
		return e, nil
	}
	next, outcome := record.Apply(receipt.Event)
	e.After, e.Outcome, e.Conflict = next.Status(), inbox.ApplyResult(outcome), next.Conflicts()
	return e, nil
}

// explanation is a report with the effect on the stack.
type explanation struct {
	Form     string      `json:"form"`
	Provider string      `json:"provider"`
	Type     payout.Type `json:"type"`
	explain.Report
	Effect *effect `json:"effect,omitempty"`
}

// print prints the explanation.
func (e explanation) print(s *cli.Session) error {
	view := struct {
		explanation
		KeyID        string           `json:"keyId,omitzero"`
		ResponseCode int              `json:"responseCode"`
		ResponseBody string           `json:"responseBody,omitzero"`
		Held         callback.Reason  `json:"held,omitzero"`
		Note         string           `json:"note,omitzero"`
		Receipt      *display.Receipt `json:"receipt,omitempty"`
	}{explanation: e, KeyID: e.Sender.KeyID, ResponseCode: e.Reply.Code, ResponseBody: e.Reply.Body}
	if e.Held != nil {
		view.Held, view.Note = e.Held.Reason, e.Held.Note
	}
	if e.Receipt != nil {
		receipt := display.NewReceipt(display.Entry{Receipt: *e.Receipt}, false)
		view.Receipt = &receipt
	}
	return s.PrintResult(view, e.text(s.Style()))
}

// Causes of findings about held callbacks, beside those of package explain.
const (
	causeCut       = "cut-body"   // too large: only the beginning is stored
	causeNoHeaders = "no-headers" // the key was in a header, which is not stored
	causeKeyGone   = "key-gone"   // no current key matches
)

// runHeld explains a held callback from its stored body, as it is parsed today. It
// does not question the verification at the time of acceptance.
func (c *Explain) runHeld(ctx context.Context, s *cli.Session) error {
	if c.KeyFile != "" || c.Account != "" || c.Provider != "" {
		return cli.Usagef("", "a held callback names its provider and account: omit --provider, --account and --key-file")
	}
	stack, err := s.OpenStack(ctx)
	if err != nil {
		return err
	}
	held, provider, err := findCallback(ctx, s, stack, c.File)
	if err != nil {
		return err
	}
	e := explanation{Form: "a held callback, stored without headers", Provider: provider.Name(), Type: held.Type()}
	in := explain.Input{Provider: provider, Request: callback.NewRequest(held.Type(), nil, held.Body).WithReceivedAt(held.AcceptedAt), Now: s.Now()}
	if signsBody(provider, held) {
		_, read, err := stack.ReadKeys(ctx, cli.Provider(provider.Name()))
		if err != nil {
			return err
		}
		in.Keys = read.Keys
	}
	e.Report = explainHeld(in, held)
	if e.Effect, err = predictEffect(ctx, stack.Reader(), *e.Receipt); err != nil {
		return err
	}
	if err := e.print(s); err != nil {
		return err
	}
	if e.Held == nil && held.State == inbox.Held {
		s.Notef("this program understands it: %s release %s --reason TEXT", s.Program(), cli.Quote(c.File))
	}
	return nil
}

// findCallback returns a held callback and its provider. A held answer has no signature
// to explain.
func findCallback(ctx context.Context, s *cli.Session, stack cli.Stack, id string) (inbox.Receipt, provider.Description, error) {
	held, err := display.FindHeld(ctx, s, stack.Reader(), id)
	switch {
	case err != nil:
		return held, provider.Description{}, err
	case held.Source() != payout.SourceCallback:
		return held, provider.Description{}, cli.Usagef("see: "+s.Program()+" show "+cli.Quote(id)+" --full", "%s is an answer to a query, and not a callback", cli.Clean(id))
	}
	provider, err := stack.Provider(held.Provider())
	return held, provider, err
}

// signsBody reports whether the stored body contains the signature, and is complete.
func signsBody(d provider.Description, held inbox.Receipt) bool {
	return d.ProofHeader == "" && held.Reason != string(callback.ReasonTooLarge)
}

func explainHeld(in explain.Input, held inbox.Receipt) explain.Report {
	report := explain.Report{Size: len(held.Body), Account: held.Account()}
	switch {
	case signsBody(in.Provider, held):
		report = explain.Explain(in)
		if report.Verdict != callback.Acknowledged {
			report.Findings = append(report.Findings, explain.Finding{
				Cause: causeKeyGone, Text: fmt.Sprintf("no current key matches; key %s matched when the callback was accepted", held.KeyID),
			})
		}
	case held.Reason == string(callback.ReasonTooLarge):
		report.Findings = []explain.Finding{{Cause: causeCut, Text: "only the beginning of the body is stored: it cannot be verified or parsed again"}}
	default:
		report.Findings = []explain.Finding{{
			Cause: causeNoHeaders, Text: fmt.Sprintf("its headers are not stored: key %s matched when the callback was accepted", held.KeyID),
		}}
	}
	report.Verdict, report.Reply = callback.Acknowledged, in.Provider.Reply(callback.Acknowledged)
	report.Sender = callback.Sender{Account: held.Account(), KeyID: held.KeyID}
	receipt := callback.Reparse(in.Provider, held, in.Now)
	report.Receipt, report.Event, report.Held = &receipt, nil, nil
	if receipt.WasHeld() {
		report.Held = &callback.Held{Reason: callback.Reason(receipt.Reason), Note: receipt.Note}
	} else {
		report.Event = &receipt.Event
	}
	return report
}
