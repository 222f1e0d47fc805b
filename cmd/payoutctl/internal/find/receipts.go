package find

import (
	"context"
	"errors"
	"iter"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
)

// Receipts lists the receipts that no payout shows: held, released and dismissed
// ones, and those that are not applied yet.
type Receipts struct {
	State      inbox.State    `arg:"" enum:"held,received,released,dismissed" help:"held: authentic, not understood. received: accepted, not applied yet. released, dismissed: were held before."`
	HeldReason cli.HeldReason `help:"Only callbacks held for this reason: ${reasons}." placeholder:"REASON"`
	OlderThan  cli.Age        `help:"Only receipts accepted longer ago than this: 10m, 2h, 3d." placeholder:"DURATION"`
	Body       bool           `help:"Print the raw body of each."`
	cli.ListFlags
}

// Help gives examples.
func (Receipts) Help() string {
	return `Held and received receipts are listed oldest first. A received receipt is normally applied within seconds, and the
sweeper sends it again after two minutes; an older one means that the consumer or the tables have a problem. Released
and dismissed receipts are in no index: the command scans the whole table for them, in no particular order.

Examples:

	payoutctl --local receipts held
	payoutctl --stack payouts-prod receipts received --older-than 10m
	payoutctl --stack payouts-prod receipts held --held-reason unknown-status --body
	payoutctl --stack payouts-prod receipts dismissed --provider pivot --json

Needs the permissions dynamodb:Query and dynamodb:GetItem on the receipts table and its index (released and
dismissed: dynamodb:Scan), and cloudformation:DescribeStacks. Exit code 0, also if there are none.`
}

// Run lists the receipts.
func (c *Receipts) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	receipts := stack.Reader().Unapplied(ctx, c.State)
	if c.State != inbox.Held && c.State != inbox.Received {
		s.Notef("no index for this state: scanning the table until %d are found", c.Limit)
		receipts = scanReceipts(ctx, stack.Reader(), c.State)
	}
	now := s.Now()
	before := now.Add(-time.Duration(c.OlderThan))
	entries, more, err := display.Take(int(c.Limit), display.Entries(receipts), func(e display.Entry) bool {
		return e.Damaged || c.admits(e.Receipt) && (c.OlderThan == 0 || e.AcceptedAt.Before(before))
	})
	if err != nil {
		return err
	}
	noteCount(s, string(c.State)+" receipts", len(entries), more)
	// The argument of show is in the last column, as in the table of payouts.
	header := []string{"ACCEPTED (UTC)", "AGE", "PROVIDER", "REASON", "PAYOUTCTL SHOW"}
	addReceipt := func(t *cli.Table, e display.Entry) {
		t.AddTexts(cli.FormatTime(e.AcceptedAt), cli.FormatAge(now.Sub(e.AcceptedAt)), e.Provider(), why(e, t.Style), e.Key.Payout)
	}
	view := func(e display.Entry) any { return display.NewReceipt(e, c.Body || s.Flags.Full) }
	if err := cli.PrintList(s, header, entries, addReceipt, view); err != nil || !c.Body || s.Flags.JSON {
		return err
	}
	for _, e := range entries {
		if err := s.Print("\n" + cli.Clean(e.Key.Payout) + "\n" + cli.PrefixLines(display.BodyText(e.Body)) + "\n"); err != nil {
			return err
		}
	}
	return nil
}

// scanReceipts scans the whole table. A scan returns no bodies, so it reads each
// receipt in the state again by its key.
func scanReceipts(ctx context.Context, reader *dynamostore.Reader, state inbox.State) iter.Seq2[inbox.Receipt, error] {
	return func(yield func(inbox.Receipt, error) bool) {
		for scanReceipt, err := range reader.ScanReceipts(ctx, time.Time{}, time.Time{}) {
			switch {
			case err != nil && !errors.Is(err, inbox.ErrDamagedReceipt) && !errors.Is(err, inbox.ErrIndexMismatch):
				yield(inbox.Receipt{}, err)
				return
			case scanReceipt.State != state:
				continue
			}
			receipt, _, err := reader.Receipt(ctx, scanReceipt.Key)
			if !yield(receipt, err) {
				return
			}
		}
	}
}

func (c *Receipts) admits(receipt inbox.Receipt) bool {
	return receipt.State == c.State &&
		(c.Provider == "" || string(c.Provider) == receipt.Provider()) &&
		(c.Account == "" || c.Account == receipt.Account()) &&
		(c.HeldReason == "" || string(c.HeldReason) == receipt.Reason)
}

// why formats why a receipt is not applied.
func why(e display.Entry, style cli.Style) string {
	switch {
	case e.Damaged:
		return "damaged: it cannot be read"
	case e.State == inbox.Held:
		return e.Reason
	case e.WasHeld():
		return e.Reason + ", " + string(e.State) + " " + display.FormatChangedBy(style, e.ChangedBy)
	}
	return "not applied yet; sent again at " + cli.FormatTime(e.DueAt)
}
