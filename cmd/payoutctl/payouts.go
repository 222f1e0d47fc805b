package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// payoutsCommand lists payouts.
type payoutsCommand struct {
	Status       string `help:"Those that show this status: ${statuses}." placeholder:"STATUS"`
	Provider     string `help:"Those of this provider." placeholder:"NAME"`
	Account      string `help:"Those of this account at the provider." placeholder:"ID"`
	Reference    string `help:"Those with this reference of ours." placeholder:"TEXT"`
	UpdatedSince string `help:"Those updated then or later: ${when}." placeholder:"TIME"`
	UpdatedUntil string `help:"Those not updated since then: 3d lists what has been standing for three days." placeholder:"TIME"`
	Limit        int    `help:"Stop after this many." default:"50" placeholder:"N"`
}

// Help gives examples.
func (payoutsCommand) Help() string {
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

func statusList() string {
	var names []string
	for _, status := range statuses {
		names = append(names, string(status))
	}
	return strings.Join(names, ", ")
}

// Run lists the payouts.
func (c *payoutsCommand) Run(ctx context.Context, s *session) error {
	filter, err := c.filter(s)
	if err != nil {
		return err
	}
	reader, err := s.reader(ctx)
	if err != nil {
		return err
	}
	list := reader.List(ctx, filter)
	switch {
	case c.Reference != "":
		list = reader.ByReference(ctx, c.Reference)
	case filter.Status != payout.Conflicted && filter != (dynamostore.Filter{}):
		s.notef("no index has that: the table is read until %d are found", c.Limit)
	}
	payouts, more, err := first(c.Limit, filter, s.sound(list))
	if err != nil {
		return err
	}
	if err := s.printPayouts(payouts); err != nil {
		return err
	}
	switch {
	case len(payouts) == 0:
		s.notef("no payouts")
	case more:
		s.notef("there are more than these %d: --limit, or narrow it by --status, --provider, --account, --reference, --updated-since", len(payouts))
	}
	return nil
}

// sound leaves out payouts that cannot be read, and says so of each.
func (s *session) sound(list iter.Seq2[dynamostore.Stored, error]) iter.Seq2[dynamostore.Stored, error] {
	return func(yield func(dynamostore.Stored, error) bool) {
		for stored, err := range list {
			switch {
			case errors.Is(err, inbox.ErrDamagedPayout):
				s.notef("%s cannot be read: %s rebuild %s --dry-run", clean(string(stored.ID)), s.self(), quoted(string(stored.ID)))
				continue
			case errors.Is(err, inbox.ErrLaterVersion):
				s.notef("%s", clean(err.Error()))
				continue
			}
			if !yield(stored, err) {
				return
			}
		}
	}
}

func (c *payoutsCommand) filter(s *session) (filter dynamostore.Filter, err error) {
	filter = dynamostore.Filter{Status: payout.Status(c.Status), Provider: c.Provider, Account: c.Account}
	if filter.Since, err = s.when("--updated-since", c.UpdatedSince); err != nil {
		return filter, err
	}
	if filter.Until, err = s.when("--updated-until", c.UpdatedUntil); err != nil {
		return filter, err
	}
	if c.Status != "" && !slices.Contains(statuses, filter.Status) {
		return filter, usage("", "%q is no status; there are: %s", c.Status, statusList())
	}
	if c.Provider != "" {
		if _, err := providerNamed(c.Provider); err != nil {
			return filter, err
		}
	}
	if c.Limit < 1 {
		return filter, usage("", "--limit is how many: 1 or more")
	}
	return filter, nil
}

// first takes up to limit payouts that pass the filter, sorts them, and reports
// whether there are more.
func first(limit int, filter dynamostore.Filter, list iter.Seq2[dynamostore.Stored, error]) ([]dynamostore.Stored, bool, error) {
	var payouts []dynamostore.Stored
	more := false
	for stored, err := range list {
		if err != nil {
			return nil, false, err
		}
		if !filter.Admits(stored) {
			continue
		}
		if more = len(payouts) == limit; more {
			break
		}
		payouts = append(payouts, stored)
	}
	slices.SortStableFunc(payouts, func(a, b dynamostore.Stored) int { return b.UpdatedAt.Compare(a.UpdatedAt) })
	return payouts, more, nil
}

func (s *session) printPayouts(payouts []dynamostore.Stored) error {
	if !s.flags.JSON {
		return s.print(payoutTable(s.style(), payouts))
	}
	for _, stored := range payouts {
		if err := s.printJSON(viewOf(stored)); err != nil {
			return err
		}
	}
	return nil
}

// payoutTable has the id last: it is the longest, and a line that wraps there
// leaves the rest in columns.
func payoutTable(style style, payouts []dynamostore.Stored) string {
	if len(payouts) == 0 {
		return ""
	}
	t := table{style: style, header: []string{"STATUS", "AMOUNT", "CURRENCY", "REFERENCE", "UPDATED (UTC)", "PAYOUT"}}
	for _, stored := range payouts {
		status := cell{text: string(stored.Status()), colour: colourOf(stored.Status())}
		if soundness(stored) != nil {
			status = cell{text: "damaged", colour: red}
		}
		t.add(
			status,
			cell{text: label(stored, payout.FieldAmount)},
			cell{text: label(stored, payout.FieldCurrency)},
			cell{text: label(stored, payout.FieldReference)},
			cell{text: instant(stored.UpdatedAt)},
			cell{text: clean(string(stored.ID))},
		)
	}
	return t.String()
}

// told shows a field's value, or how many contradict each other.
func label(stored dynamostore.Stored, name payout.Field) string {
	if value := stored.Value(name); value != "" {
		return clean(value)
	}
	if seen := len(stored.Claims[name].Seen); seen > 0 {
		return fmt.Sprintf("(%d told)", seen)
	}
	return "-"
}
