package repair

import (
	"cmp"
	"context"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/repair"
)

// Dismiss closes held callbacks that say nothing about a payout.
type Dismiss struct {
	Held []string `arg:"" name:"held" help:"Ids of held callbacks, as listed by receipts held."`
	cli.PlannedChangeFlags
}

// Help gives examples.
func (Dismiss) Help() string {
	return `Dismiss callbacks that say nothing about a payout: a probe, a callback of another kind, an ambiguous callback that the
provider has explained. A dismissed callback is kept with actor and reason, and is no longer listed as held. If the same
callback arrives again, it is acknowledged and stays dismissed. A mistake is undone by release.

Examples:

	payoutctl --local show held/pivot/payout/M/x8Z --full
	payoutctl --local dismiss held/pivot/payout/M/x8Z --reason 'the probe at registration'

Needs the permissions dynamodb:GetItem and dynamodb:UpdateItem on the receipts table, cloudformation:DescribeStacks
and sts:GetCallerIdentity. Exit code 1 if a callback is not held.`
}

// Check returns an error if an id is not that of a held callback, or the reason is missing.
func (c *Dismiss) Check() error { return cmp.Or(checkHeldIDs(c.Held), c.PlannedChangeFlags.Check()) }

// Run dismisses the callbacks.
func (c *Dismiss) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	var held []inbox.Receipt
	for _, id := range c.Held {
		receipt, err := display.FindHeld(ctx, s, stack.Reader(), id)
		switch {
		case err != nil:
			return err
		case receipt.State != inbox.Held:
			return cli.Negativef("", "%s is %s already: %s", cli.Clean(id), receipt.State, display.FormatChangedBy(s.Style(), receipt.ChangedBy))
		}
		held = append(held, receipt)
		s.Notef("%s: held for %s, %d bytes", cli.Clean(id), cli.Clean(receipt.Reason), len(receipt.Body))
	}
	if c.DryRun {
		return nil
	}
	by, err := s.Approve(ctx, stack, c.ChangeFlags, "dismiss "+cli.Count(len(held), "callback"))
	if err != nil {
		return err
	}
	repairs, remaining := &repair.Repairs{Store: stack.Editor()}, 0
	for _, receipt := range held {
		outcome, err := repairs.Dismiss(ctx, receipt, by)
		if err != nil {
			return cli.WithHint("run the command again", err)
		}
		if err := printHeld(s, heldView{Held: receipt.Key.Payout, Was: receipt.Reason, Outcome: outcome}); err != nil {
			return err
		}
		if outcome != repair.Dismissed {
			remaining++
		}
	}
	if remaining > 0 {
		return cli.Negativef("", "%s changed by another operator meanwhile", cli.Count(remaining, "callback"))
	}
	return nil
}
