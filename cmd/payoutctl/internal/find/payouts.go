package find

import (
	"context"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/payout"
)

// Payouts lists payouts.
type Payouts struct {
	Status       status   `help:"Only payouts with this status: ${statuses}." placeholder:"STATUS"`
	Reference    string   `help:"Only payouts with this reference." placeholder:"TEXT"`
	UpdatedSince cli.Time `help:"Only payouts updated at this time or later: ${when}." placeholder:"TIME"`
	UpdatedUntil cli.Time `help:"Only payouts not updated since: 3d lists payouts without an update for three days." placeholder:"TIME"`
	cli.ListFlags
}

// Help gives examples.
func (Payouts) Help() string {
	return `Prints the payouts, last updated first. --status conflicted and --reference use an index. Every other list scans the
table, which is not ordered by time, until --limit payouts are found: a filter that few payouts pass scans all of it,
which takes time and costs money on a large table. The command prints a note then.

Examples:

	payoutctl --local payouts
	payoutctl --stack payouts-prod payouts --status conflicted
	payoutctl --stack payouts-prod payouts --reference order-4711 --json
	payoutctl --stack payouts-prod payouts --provider pivot --status pending --updated-until 3d

Needs the permissions dynamodb:Scan, dynamodb:Query and dynamodb:GetItem on the payouts table and its indexes, and
cloudformation:DescribeStacks. Exit code 0, also if there are no payouts.`
}

// Statuses are the statuses of payouts.
var Statuses = []payout.Status{
	payout.Pending, payout.Delayed, payout.Succeeded, payout.Failed, payout.Rejected,
	payout.Done, payout.Cancelled, payout.Conflicted,
}

// status is the value of a flag.
type status payout.Status

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *status) UnmarshalText(text []byte) error {
	*v = status(text)
	return cli.CheckName(payout.Status(text), "status; the statuses", Statuses)
}

// Run lists the payouts.
func (c *Payouts) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	filter := dynamostore.Filter{
		Status: payout.Status(c.Status), Provider: string(c.Provider), Account: c.Account, Since: c.UpdatedSince.Time, Until: c.UpdatedUntil.Time,
	}
	list := stack.Reader().List(ctx, filter)
	switch {
	case c.Reference != "":
		list = stack.Reader().ByReference(ctx, c.Reference)
	case filter.Status != payout.Conflicted && filter != (dynamostore.Filter{}):
		s.Notef("no index for this filter: scanning the table until %d are found", c.Limit)
	}
	payouts, more, err := display.TakePayouts(s, int(c.Limit), filter, list)
	if err != nil {
		return err
	}
	noteCount(s, "payouts", len(payouts), more)
	return display.PrintPayouts(s, payouts)
}

// noteCount prints a note about a list that is empty or cut.
func noteCount(s *cli.Session, noun string, n int, more bool) {
	switch {
	case n == 0:
		s.Notef("no %s", noun)
	case more:
		s.Notef("more than these %d match: raise --limit, or filter", n)
	}
}
