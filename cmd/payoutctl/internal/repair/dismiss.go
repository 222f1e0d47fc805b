package repair

import (
	"context"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/repair"
)

// Dismiss closes held callbacks that say nothing about a payout.
type Dismiss struct {
	Held   []string `arg:"" name:"held" help:"Ids of held callbacks, as listed by receipts held."`
	DryRun bool     `help:"Print the callbacks and change nothing."`
	cli.ReasonFlags
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

// Run dismisses the callbacks.
func (c *Dismiss) Run(ctx context.Context, s *cli.Session) error {
	if err := (&Release{Held: c.Held, ReasonFlags: c.ReasonFlags, DryRun: c.DryRun}).check(); err != nil {
		return err
	}
	stack, err := s.OpenStack(ctx)
	if err != nil {
		return err
	}
	editor := stack.Editor()
	var held []inbox.Receipt
	for receipt, err := range readHeldByID(ctx, editor, c.Held) {
		switch {
		case err != nil:
			return err
		case receipt.State == "":
			return cli.Negativef("list them with: "+s.Program()+" receipts held", "no held callback has the id %s", cli.Clean(receipt.Key.Payout))
		case receipt.State != inbox.Held:
			return cli.Negativef("", "%s is %s already: %s", cli.Clean(receipt.Key.Payout), receipt.State, display.FormatChangedBy(s.Style(), receipt.ChangedBy))
		}
		held = append(held, receipt)
		s.Notef("%s: held for %s, %d bytes", cli.Clean(receipt.Key.Payout), cli.Clean(receipt.Reason), len(receipt.Body))
	}
	if c.DryRun {
		return nil
	}
	by, err := s.ChangedBy(ctx, stack, c.Reason)
	if err != nil {
		return err
	}
	if err := s.Confirm(c.Yes, "dismiss "+cli.Count(len(held), "callback")); err != nil {
		return err
	}
	return dismiss(ctx, s, &repair.Repairs{Store: editor}, held, by)
}

// dismiss marks the callbacks as dismissed.
func dismiss(ctx context.Context, s *cli.Session, repairs *repair.Repairs, held []inbox.Receipt, changedBy inbox.ChangedBy) error {
	run := releaseRun{Session: s}
	for _, receipt := range held {
		outcome, err := repairs.Dismiss(ctx, receipt, changedBy)
		if err != nil {
			return cli.WithHint("run the command again", err)
		}
		if err := run.printHeld(heldView{Held: receipt.Key.Payout, Was: receipt.Reason, Outcome: outcome}); err != nil {
			return err
		}
		if outcome != repair.Dismissed {
			run.remaining++
		}
	}
	if run.remaining > 0 {
		return cli.Negativef("", "%s changed by another operator meanwhile", cli.Count(run.remaining, "callback"))
	}
	return nil
}
