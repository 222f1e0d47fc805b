package repair

import (
	"context"
	"fmt"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/inbox"
)

// Sweep runs the sweeper.
type Sweep struct{}

// Help gives examples.
func (Sweep) Help() string {
	return `Runs the sweeper once, even if its schedule is paused: it sends receipts again that were not applied in time, and
recovers dead-letter messages. Several sweeps may run at the same time; each receipt is sent by one of them.

	payoutctl --stack payouts-prod sweep --json

Needs the permissions lambda:InvokeFunction on the sweeper, and cloudformation:DescribeStacks. The command asks for no
reason: the sweeper runs every minute anyway. Exit code 1 if something needs an operator.`
}

// sweepView is the result of a sweep as --json prints it.
type sweepView struct {
	Due           int  `json:"due"`
	Sent          int  `json:"sent"`
	Unsendable    int  `json:"unsendable"`
	Recovered     int  `json:"recovered"`
	Unreadable    int  `json:"unreadable"`
	Damaged       int  `json:"damaged"`
	Skipped       bool `json:"skipped"`
	OldestSeconds int  `json:"oldestSeconds"`
}

// Run invokes the sweeper.
func (c *Sweep) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	var result inbox.SweepResult
	if err := stack.Invoke(ctx, "sweeper", &result); err != nil {
		return err
	}
	if err := printSweep(s, result); err != nil {
		return err
	}
	switch {
	case result.Damaged > 0:
		return cli.Negativef("see them with: "+s.Program()+" audit", "%s cannot be read", cli.Count(result.Damaged, "receipt"))
	case result.Unreadable > 0:
		return cli.Negativef("see them with: "+s.Program()+" dlq list", "%s unreadable", cli.Count(result.Unreadable, "dead-letter message"))
	}
	return nil
}

func printSweep(s *cli.Session, result inbox.SweepResult) error {
	text := fmt.Sprintf("%s due, %d resent\n", cli.Count(result.Due, "receipt"), result.Resent)
	if result.OldestAge > 0 {
		text += "the oldest was accepted " + cli.FormatAge(result.OldestAge) + " ago\n"
	}
	text += fmt.Sprintf("%s recovered, %d unreadable\n", cli.Count(result.Recovered, "dead-letter message"), result.Unreadable)
	if result.Unsendable > 0 {
		text += cli.Count(result.Unsendable, "receipt") + " rejected by the queue, and applied without it\n"
	}
	if result.Skipped {
		text += "nothing was resent: the queue has a backlog\n"
	}
	view := sweepView{
		result.Due, result.Resent, result.Unsendable, result.Recovered, result.Unreadable, result.Damaged, result.Skipped, int(result.OldestAge.Seconds()),
	}
	return s.PrintResult(view, text)
}
