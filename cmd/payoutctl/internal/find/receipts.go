package find

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
)

// Receipts lists the receipts that no payout shows: held, released and dismissed
// ones, and those that are not applied yet.
type Receipts struct {
	State      string `arg:"" enum:"held,received,released,dismissed" help:"held: authentic, not understood. received: accepted, not applied yet. released, dismissed: were held before."`
	Provider   string `help:"Only receipts of this provider." placeholder:"NAME"`
	Account    string `help:"Only receipts of this account." placeholder:"ID"`
	HeldReason string `help:"Only callbacks held for this reason: ${reasons}." placeholder:"REASON"`
	OlderThan  string `help:"Only receipts accepted longer ago than this: 10m, 2h, 3d." placeholder:"DURATION"`
	Body       bool   `help:"Print the raw body of each."`
	Limit      int    `help:"Maximum number of receipts." default:"50" placeholder:"N"`
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
func (c *Receipts) Run(ctx context.Context, s *cli.Session) error {
	before, err := c.check(s)
	if err != nil {
		return err
	}
	reader, err := s.OpenReader(ctx)
	if err != nil {
		return err
	}
	if c.scans() {
		s.Notef("no index for this state: scanning the table until %d are found", c.Limit)
	}
	entries, more, err := c.read(ctx, reader, before)
	if err != nil {
		return err
	}
	if err := printReceipts(s, entries, c.Body, s.Now()); err != nil {
		return err
	}
	switch {
	case len(entries) == 0:
		s.Notef("no %s receipts", c.State)
	case more:
		s.Notef("more than these %d match: raise --limit", len(entries))
	}
	return nil
}

func (c *Receipts) check(s *cli.Session) (before time.Time, err error) {
	if c.Limit < 1 {
		return before, cli.Usagef("", "--limit must be 1 or more")
	}
	if err := cli.CheckHeldFilter(c.Provider, c.HeldReason); err != nil {
		return before, err
	}
	if c.OlderThan == "" {
		return before, nil
	}
	span, err := cli.ParseDuration(c.OlderThan)
	if err != nil {
		return before, cli.Usagef("", "--older-than: %q is not a duration; give 10m, 2h or 3d", c.OlderThan)
	}
	return s.Now().Add(-span), nil
}

// read returns the receipts that match, and whether there are more.
func (c *Receipts) read(ctx context.Context, reader *dynamostore.Reader, before time.Time) (entries []display.Entry, more bool, err error) {
	for receipt, err := range c.receipts(ctx, reader) {
		damaged := errors.Is(err, inbox.ErrDamagedReceipt)
		switch {
		case err != nil && !damaged:
			return nil, false, err
		case !damaged && !c.admits(receipt, before):
			continue
		case len(entries) == c.Limit:
			return entries, true, nil
		}
		entries = append(entries, display.Entry{Receipt: receipt, Damaged: damaged})
	}
	return entries, false, nil
}

// scans reports whether no index lists receipts in the state.
func (c *Receipts) scans() bool {
	return inbox.State(c.State) != inbox.Held && inbox.State(c.State) != inbox.Received
}

// receipts lists the receipts in the state.
func (c *Receipts) receipts(ctx context.Context, reader *dynamostore.Reader) iter.Seq2[inbox.Receipt, error] {
	if c.scans() {
		return scanReceipts(ctx, reader, inbox.State(c.State))
	}
	return reader.Unapplied(ctx, inbox.State(c.State))
}

// scanReceipts scans the whole table. A scan returns no bodies, so it reads each
// receipt in the state again by its key.
func scanReceipts(ctx context.Context, reader *dynamostore.Reader, state inbox.State) iter.Seq2[inbox.Receipt, error] {
	return func(yield func(inbox.Receipt, error) bool) {
		for scanReceipt, err := range reader.ScanReceipts(ctx, time.Time{}, time.Time{}) {
			failed := err != nil && !errors.Is(err, inbox.ErrDamagedReceipt) && !errors.Is(err, inbox.ErrIndexMismatch)
			switch {
			case failed:
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

func (c *Receipts) admits(receipt inbox.Receipt, before time.Time) bool {
	return receipt.State == inbox.State(c.State) &&
		(c.Provider == "" || c.Provider == receipt.Provider()) &&
		(c.Account == "" || c.Account == receipt.Account()) &&
		(c.HeldReason == "" || c.HeldReason == receipt.Reason) &&
		(before.IsZero() || receipt.AcceptedAt.Before(before))
}

func printReceipts(s *cli.Session, entries []display.Entry, withBody bool, now time.Time) error {
	if !s.Flags.JSON {
		return s.Print(receiptTable(s.Style(), entries, now) + bodies(entries, withBody))
	}
	for _, item := range entries {
		if err := s.PrintJSON(display.NewReceipt(item, withBody || s.Flags.Full)); err != nil {
			return err
		}
	}
	return nil
}

// bodies formats the raw bodies, below the table.
func bodies(entries []display.Entry, wanted bool) string {
	var out strings.Builder
	for _, item := range entries {
		if wanted {
			out.WriteString("\n" + cli.Clean(item.Key.Payout) + "\n" + cli.PrefixLines(display.BodyText(item.Body)) + "\n")
		}
	}
	return out.String()
}

// receiptTable has the argument of show in the last column, as the table of payouts.
func receiptTable(style cli.Style, entries []display.Entry, now time.Time) string {
	if len(entries) == 0 {
		return ""
	}
	t := cli.Table{Style: style, Header: []string{"ACCEPTED (UTC)", "AGE", "PROVIDER", "REASON", "PAYOUTCTL SHOW"}}
	for _, item := range entries {
		t.Add(cli.Cells(cli.FormatTime(item.AcceptedAt), cli.FormatAge(now.Sub(item.AcceptedAt)), cli.Clean(item.Provider()), why(item, style), cli.Clean(item.Key.Payout))...)
	}
	return t.String()
}

// why formats why a receipt is not applied.
func why(e display.Entry, style cli.Style) string {
	switch {
	case e.Damaged:
		return "damaged: it cannot be read"
	case e.State == inbox.Held:
		return cli.Clean(e.Reason)
	case e.WasHeld():
		return cli.Clean(e.Reason) + ", " + string(e.State) + " " + display.FormatChangedBy(style, e.ChangedBy)
	}
	return "not applied yet; sent again at " + cli.FormatTime(e.DueAt)
}
