package find

import (
	"context"
	"fmt"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/explain"
)

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
	held, err := display.FindHeld(ctx, s, stack.Reader(), c.File)
	if err != nil {
		return err
	}
	provider, err := stack.Provider(held.Provider())
	if err != nil {
		return err
	}
	e := explanation{Form: "a held callback, stored without headers", Provider: provider.Name(), Type: held.Type()}
	in := explain.Input{Provider: provider, Request: callback.NewRequest(held.Type(), nil, held.Body), Now: s.Now()}
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

// signsBody reports whether the stored body contains the signature: Cregis signs in
// the body, which must be complete.
func signsBody(provider callback.Provider, held inbox.Receipt) bool {
	return provider.Name() == "cregis" && held.Reason != string(callback.ReasonTooLarge)
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
