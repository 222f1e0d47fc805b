package find

import (
	"context"
	"errors"
	"fmt"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/explain"
)

// Causes of findings about held callbacks, beside those of package explain.
const (
	causeCut       = "cut-body"   // too large: the rest was not kept
	causeNoHeaders = "no-headers" // the proof was in a header, which is not kept
	causeKeyGone   = "key-gone"   // no key of today fits
)

// runHeld explains a held callback from what is kept of it: how its body is
// read today. That it is authentic was decided when it came, and stands.
func (c *Explain) runHeld(ctx context.Context, s *cli.Session) error {
	if c.KeyFile != "" || c.Account != "" || c.Provider != "" {
		return cli.Usagef("", "a held callback is of a stack, and says itself whose it is: without --provider, --account and --key-file")
	}
	stack, err := s.OpenStack(ctx)
	if err != nil {
		return err
	}
	reader := stack.Reader()
	held, err := heldCallback(ctx, s, reader, c.File)
	if err != nil {
		return err
	}
	provider, err := stack.Provider(held.Provider())
	if err != nil {
		return err
	}
	e := explanation{Form: "held, its body alone is kept", Provider: provider.Name(), Type: held.Type()}
	in := explain.Input{Provider: provider, Request: callback.NewRequest(held.Type(), nil, held.Body), Now: s.Now()}
	if in.Keys, err = keysToTry(ctx, stack, provider, held); err != nil {
		return err
	}
	e.Report = explainHeld(in, held)
	if e.Effect, err = predictEffect(ctx, reader, *e.Receipt); err != nil {
		return err
	}
	if err := printExplanation(s, e); err != nil {
		return err
	}
	if e.Held == nil && held.State == inbox.Held {
		s.Notef("it is understood now: %s release %s --reason TEXT", s.Program(), cli.Quote(c.File))
	}
	return nil
}

func heldCallback(ctx context.Context, s *cli.Session, reader *dynamostore.Reader, id string) (inbox.Receipt, error) {
	held, item, err := reader.Receipt(ctx, inbox.Key{Payout: id, Receipt: string(inbox.Held)})
	switch {
	case errors.Is(err, inbox.ErrDamagedReceipt):
		return held, cli.Negativef("restore the receipt; what there is of it: "+s.Program()+" show "+cli.Quote(id), "what is kept of %s cannot be read", cli.Clean(id))
	case err == nil && !item:
		return held, cli.Negativef("they are listed by: "+s.Program()+" receipts held", "no held callback has the id %s", cli.Clean(id))
	}
	return held, err
}

// keysToTry returns no keys where the signature or the header's key is not kept.
func keysToTry(ctx context.Context, stack cli.Stack, provider callback.Provider, held inbox.Receipt) (callback.Keys, error) {
	if !signsBody(provider, held) {
		return nil, nil
	}
	return keysOf(ctx, stack, provider.Name())
}

// signsBody reports whether the proof is in what is kept: Cregis signs in the
// body, of which nothing may be missing.
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
				Cause: causeKeyGone, Text: fmt.Sprintf("no key of today fits; the key %s did when it came", held.KeyID),
			})
		}
	case held.Reason == string(callback.ReasonTooLarge):
		report.Findings = []explain.Finding{{Cause: causeCut, Text: "only the beginning of its body is kept: it cannot be proven or read again"}}
	default:
		report.Findings = []explain.Finding{{
			Cause: causeNoHeaders, Text: fmt.Sprintf("its headers are not kept: that the key %s fits was seen when it came", held.KeyID),
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
