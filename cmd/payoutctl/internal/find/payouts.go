package find

import (
	"context"
	"slices"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/payout"
)

// Payouts lists payouts.
type Payouts struct {
	Status       string `help:"Only payouts with this status: ${statuses}." placeholder:"STATUS"`
	Provider     string `help:"Only payouts of this provider." placeholder:"NAME"`
	Account      string `help:"Only payouts of this account." placeholder:"ID"`
	Reference    string `help:"Only payouts with this reference." placeholder:"TEXT"`
	UpdatedSince string `help:"Only payouts updated at this time or later: ${when}." placeholder:"TIME"`
	UpdatedUntil string `help:"Only payouts not updated since: 3d lists payouts without an update for three days." placeholder:"TIME"`
	Limit        int    `help:"Maximum number of payouts." default:"50" placeholder:"N"`
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

var statuses = []payout.Status{
	payout.Pending, payout.Delayed, payout.Succeeded, payout.Failed, payout.Rejected,
	payout.Done, payout.Cancelled, payout.Conflicted,
}

// StatusNames lists the statuses of payouts, for help texts.
func StatusNames() string {
	var names []string
	for _, status := range statuses {
		names = append(names, string(status))
	}
	return strings.Join(names, ", ")
}

// Run lists the payouts.
func (c *Payouts) Run(ctx context.Context, s *cli.Session) error {
	filter, err := c.filter(s)
	if err != nil {
		return err
	}
	reader, err := s.OpenReader(ctx)
	if err != nil {
		return err
	}
	list := reader.List(ctx, filter)
	switch {
	case c.Reference != "":
		list = reader.ByReference(ctx, c.Reference)
	case filter.Status != payout.Conflicted && filter != (dynamostore.Filter{}):
		s.Notef("no index for this filter: scanning the table until %d are found", c.Limit)
	}
	payouts, more, err := display.Take(c.Limit, filter, display.SkipDamaged(s, list))
	if err != nil {
		return err
	}
	if err := display.PrintPayouts(s, payouts); err != nil {
		return err
	}
	switch {
	case len(payouts) == 0:
		s.Notef("no payouts")
	case more:
		s.Notef("more than these %d match: raise --limit, or filter by --status, --provider, --account, --reference, --updated-since", len(payouts))
	}
	return nil
}

func (c *Payouts) filter(s *cli.Session) (filter dynamostore.Filter, err error) {
	filter = dynamostore.Filter{Status: payout.Status(c.Status), Provider: c.Provider, Account: c.Account}
	if filter.Since, err = s.ParseTime("--updated-since", c.UpdatedSince); err != nil {
		return filter, err
	}
	if filter.Until, err = s.ParseTime("--updated-until", c.UpdatedUntil); err != nil {
		return filter, err
	}
	if c.Status != "" && !slices.Contains(statuses, filter.Status) {
		return filter, cli.Usagef("", "%q is not a status; the statuses are: %s", c.Status, StatusNames())
	}
	if c.Provider != "" {
		if _, err := cli.FindProvider(c.Provider); err != nil {
			return filter, err
		}
	}
	if c.Limit < 1 {
		return filter, cli.Usagef("", "--limit must be 1 or more")
	}
	return filter, nil
}
