package main

import (
	"context"
	"fmt"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/repair"
)

// dismissCommand puts held callbacks aside.
type dismissCommand struct {
	Held   []string `arg:"" name:"held" help:"Ids of held callbacks, as receipts held lists them."`
	Reason string   `help:"Why: recorded with the change." placeholder:"TEXT"`
	DryRun bool     `help:"Say what would be dismissed, and change nothing."`
	Yes    bool     `help:"Do not ask before changing a deployed stack."`
}

// Help gives examples.
func (dismissCommand) Help() string {
	return `For what a person has looked at and found to tell nothing about a payout: a probe, a callback of another family, an
ambiguous one that the provider has explained. It is kept, with who dismissed it and why, and is no longer listed as
held. The same callback, sent again, is acknowledged and stays dismissed. A mistake is undone by release.

Examples:

	payoutctl --local show held/pivot/payout/M/x8Z --full
	payoutctl --local dismiss held/pivot/payout/M/x8Z --reason 'the probe at registration'

Needs the permissions dynamodb:GetItem and dynamodb:UpdateItem on the receipts table, cloudformation:DescribeStacks
and sts:GetCallerIdentity. Exit code 1 where one is not held.`
}

// Run dismisses.
func (c *dismissCommand) Run(ctx context.Context, s *session) error {
	if err := (&releaseCommand{Held: c.Held, Reason: c.Reason, DryRun: c.DryRun}).check(); err != nil {
		return err
	}
	stack, err := s.stack(ctx)
	if err != nil {
		return err
	}
	editor := stack.editor()
	var held []inbox.Receipt
	for receipt, err := range heldNamed(ctx, editor, c.Held) {
		switch {
		case err != nil:
			return err
		case receipt.State == "":
			return no("they are listed by: "+s.self()+" receipts held", "no held callback has the id %s", clean(receipt.Key.Payout))
		case receipt.State != inbox.Held:
			return no("", "%s is %s already: %s", clean(receipt.Key.Payout), receipt.State, changedByText(s.style(), receipt.ChangedBy))
		}
		held = append(held, receipt)
		s.notef("%s: held for %s, %d bytes", clean(receipt.Key.Payout), clean(receipt.Reason), len(receipt.Body))
	}
	if c.DryRun {
		return nil
	}
	by, err := s.changedBy(ctx, stack, c.Reason)
	if err != nil {
		return err
	}
	if err := s.confirm(c.Yes, "dismiss "+count(len(held), "callback")); err != nil {
		return err
	}
	return s.dismiss(ctx, &repair.Repairs{Store: editor}, held, by)
}

func (s *session) dismiss(ctx context.Context, repairs *repair.Repairs, held []inbox.Receipt, changedBy inbox.ChangedBy) error {
	run := releaseRun{session: s}
	for _, receipt := range held {
		outcome, err := repairs.Dismiss(ctx, receipt, changedBy)
		if err != nil {
			return advised("run it again", err)
		}
		if err := run.printHeld(heldView{Held: receipt.Key.Payout, Was: receipt.Reason, Outcome: outcome}); err != nil {
			return err
		}
		if outcome != repair.Dismissed {
			run.left++
		}
	}
	if run.left > 0 {
		return no("", "%s", fmt.Sprintf("%s taken up by somebody else meanwhile", count(run.left, "callback")))
	}
	return nil
}
