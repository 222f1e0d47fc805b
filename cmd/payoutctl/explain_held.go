package main

import (
	"context"
	"errors"
	"fmt"

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
func (c *explainCommand) runHeld(ctx context.Context, s *session) error {
	if c.KeyFile != "" || c.Account != "" || c.Provider != "" {
		return usage("", "a held callback is of a stack, and says itself whose it is: without --provider, --account and --key-file")
	}
	stack, err := s.stack(ctx)
	if err != nil {
		return err
	}
	reader := stack.reader()
	held, err := s.heldCallback(ctx, reader, c.File)
	if err != nil {
		return err
	}
	provider, err := stack.provider(held.Provider())
	if err != nil {
		return err
	}
	e := explanation{Form: "held, its body alone is kept", Provider: provider.Name(), Type: held.Type()}
	in := explain.Input{Provider: provider, Request: callback.NewRequest(held.Type(), nil, held.Body), Now: s.now()}
	if in.Keys, in.Others, err = s.keysToTry(ctx, provider, held); err != nil {
		return err
	}
	e.Report = explainHeld(in, held)
	if e.Effect, err = effectOf(ctx, reader, *e.Receipt); err != nil {
		return err
	}
	if err := s.printExplanation(e); err != nil {
		return err
	}
	if e.Held == nil && held.State == inbox.Held {
		s.notef("it is understood now: %s release %s --reason TEXT", s.self(), quoted(c.File))
	}
	return nil
}

func (s *session) heldCallback(ctx context.Context, reader *dynamostore.Reader, id string) (inbox.Receipt, error) {
	held, item, err := reader.Receipt(ctx, inbox.Key{Payout: id, Receipt: string(inbox.Held)})
	switch {
	case errors.Is(err, inbox.ErrDamagedReceipt):
		return held, no("restore the receipt; what there is of it: "+s.self()+" show "+quoted(id), "what is kept of %s cannot be read", clean(id))
	case err == nil && !item:
		return held, no("they are listed by: "+s.self()+" receipts held", "no held callback has the id %s", clean(id))
	}
	return held, err
}

// keysToTry are none where there is no proof to try them on.
func (s *session) keysToTry(
	ctx context.Context, provider callback.Provider, held inbox.Receipt,
) (callback.Keys, map[string]callback.Keys, error) {
	if !signsBody(provider, held) {
		return nil, nil, nil
	}
	return s.allKeys(ctx, provider.Name())
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
