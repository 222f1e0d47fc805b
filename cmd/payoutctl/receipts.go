package main

import (
	"context"
	"errors"
	"time"

	"payout-callbacks/pkg/dynamostore"
	"payout-callbacks/pkg/inbox"
)

// receiptsCommand lists the receipts that no payout shows: held ones, and those
// that are not applied yet.
type receiptsCommand struct {
	State string `arg:"" enum:"held,received" help:"held: authentic and not understood. received: accepted and not applied yet."`
	Limit int    `help:"Stop after this many." default:"50" placeholder:"N"`
}

// Help gives examples.
func (receiptsCommand) Help() string {
	return `The oldest are listed first. A received receipt is applied within seconds on an ordinary day, and sent again by the
sweeper from two minutes on; one that is older than that says that the consumer or the tables are in trouble.

Examples:

	payoutctl --local receipts held
	payoutctl --stack payouts-prod receipts received --limit 10
	payoutctl --stack payouts-prod receipts held --json

Needs the permissions dynamodb:Query and dynamodb:GetItem on the receipts table and its index, and
cloudformation:DescribeStacks. Exit code 0, also where there are none.`
}

// Run lists the receipts.
func (c *receiptsCommand) Run(ctx context.Context, s *session) error {
	if c.Limit < 1 {
		return usage("", "--limit is how many: 1 or more")
	}
	reader, err := s.reader(ctx)
	if err != nil {
		return err
	}
	found, more, err := c.read(ctx, reader)
	if err != nil {
		return err
	}
	if err := s.printReceipts(found, time.Now()); err != nil {
		return err
	}
	switch {
	case len(found) == 0:
		s.notef("no %s receipts", c.State)
	case more:
		s.notef("there are more than these %d: --limit", len(found))
	}
	return nil
}

// read gets what the index names. The index may be a moment behind: what was
// applied since is left out.
func (c *receiptsCommand) read(ctx context.Context, reader *dynamostore.Reader) (found []entry, more bool, err error) {
	for due, err := range reader.Unapplied(ctx, inbox.State(c.State)) {
		if err != nil {
			return nil, false, err
		}
		if len(found) == c.Limit {
			return found, true, nil
		}
		receipt, there, err := reader.Receipt(ctx, due.Key)
		switch {
		case errors.Is(err, inbox.ErrDamaged):
			found = append(found, entry{Receipt: receipt, damaged: true})
		case err != nil:
			return nil, false, err
		case there && receipt.State == inbox.State(c.State):
			found = append(found, entry{Receipt: receipt})
		}
	}
	return found, false, nil
}

func (s *session) printReceipts(found []entry, now time.Time) error {
	if !s.flags.JSON {
		return s.print(receiptTable(s.style(), found, now))
	}
	for _, one := range found {
		if err := s.printJSON(receiptViewOf(one, s.flags.Full)); err != nil {
			return err
		}
	}
	return nil
}

// receiptTable has what show wants last, for the reason that payoutTable has.
func receiptTable(style style, found []entry, now time.Time) string {
	if len(found) == 0 {
		return ""
	}
	t := table{style: style, header: []string{"ACCEPTED (UTC)", "AGE", "PROVIDER", "WHY", "PAYOUTCTL SHOW"}}
	for _, one := range found {
		t.add(plain(instant(one.AcceptedAt), age(now.Sub(one.AcceptedAt)), clean(one.Provider()), one.why(), clean(one.Key.Payout))...)
	}
	return t.String()
}

// why says why a receipt is not applied.
func (e entry) why() string {
	switch {
	case e.damaged:
		return "damaged: it cannot be read"
	case e.State == inbox.Held:
		return clean(e.Reason)
	}
	return "not applied yet; sent again at " + instant(e.DueAt)
}
