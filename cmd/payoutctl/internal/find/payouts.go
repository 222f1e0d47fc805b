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

// payoutsCommand lists payouts.
type Payouts struct {
	Status       string `help:"Those that show this status: ${statuses}." placeholder:"STATUS"`
	Provider     string `help:"Those of this provider." placeholder:"NAME"`
	Account      string `help:"Those of this account at the provider." placeholder:"ID"`
	Reference    string `help:"Those with this reference of ours." placeholder:"TEXT"`
	UpdatedSince string `help:"Those updated then or later: ${when}." placeholder:"TIME"`
	UpdatedUntil string `help:"Those not updated since then: 3d lists what has been standing for three days." placeholder:"TIME"`
	Limit        int    `help:"Stop after this many." default:"50" placeholder:"N"`
}

// Help gives examples.
func (Payouts) Help() string {
	return `Those that were found are shown last updated first. --status conflicted and --reference are looked up in an index. Any
other list reads the table from wherever it begins until --limit are found: the table is in no order of time, and a
filter that few payouts pass reads all of it, which takes time and costs money on a large one; it says so.

Examples:

	payoutctl --local payouts
	payoutctl --stack payouts-prod payouts --status conflicted
	payoutctl --stack payouts-prod payouts --reference order-4711 --json
	payoutctl --stack payouts-prod payouts --provider pivot --status pending --updated-until 3d

Needs the permissions dynamodb:Scan, dynamodb:Query and dynamodb:GetItem on the payouts table and its indexes, and
cloudformation:DescribeStacks. Exit code 0, also where there are none.`
}

var statuses = []payout.Status{
	payout.Pending, payout.Delayed, payout.Succeeded, payout.Failed, payout.Rejected,
	payout.Done, payout.Cancelled, payout.Conflicted,
}

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
		s.Notef("no index has that: the table is read until %d are found", c.Limit)
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
		s.Notef("there are more than these %d: --limit, or narrow it by --status, --provider, --account, --reference, --updated-since", len(payouts))
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
		return filter, cli.Usagef("", "%q is no status; there are: %s", c.Status, StatusNames())
	}
	if c.Provider != "" {
		if _, err := cli.FindProvider(c.Provider); err != nil {
			return filter, err
		}
	}
	if c.Limit < 1 {
		return filter, cli.Usagef("", "--limit is how many: 1 or more")
	}
	return filter, nil
}
