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

// receiptsCommand lists the receipts that no payout shows: held ones and what
// became of them, and those that are not applied yet.
type Receipts struct {
	State      string `arg:"" enum:"held,received,released,dismissed" help:"held: authentic and not understood. received: accepted and not applied yet. released, dismissed: was held."`
	Provider   string `help:"Those of this provider." placeholder:"NAME"`
	Account    string `help:"Those of this account at the provider." placeholder:"ID"`
	HeldReason string `help:"Those held for this reason: ${reasons}." placeholder:"WHY"`
	OlderThan  string `help:"Those accepted longer ago than this: 10m, 2h, 3d." placeholder:"SPAN"`
	Body       bool   `help:"With the raw body of each, as it came."`
	Limit      int    `help:"Stop after this many." default:"50" placeholder:"N"`
}

// Help gives examples.
func (Receipts) Help() string {
	return `Of held and received ones the oldest are listed first. A received receipt is applied within seconds on an ordinary
day, and sent again by the sweeper from two minutes on; one that is older than that says that the consumer or the
tables are in trouble. Released and dismissed ones stand in no index: the whole table is read for them, in no order.

Examples:

	payoutctl --local receipts held
	payoutctl --stack payouts-prod receipts received --older-than 10m
	payoutctl --stack payouts-prod receipts held --held-reason unknown-status --body
	payoutctl --stack payouts-prod receipts dismissed --provider pivot --json

Needs the permissions dynamodb:Query and dynamodb:GetItem on the receipts table and its index (released and dismissed
ones: dynamodb:Scan), and cloudformation:DescribeStacks. Exit code 0, also where there are none.`
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
		s.Notef("no index has those: the table is read until %d are found", c.Limit)
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
		s.Notef("there are more than these %d: --limit", len(entries))
	}
	return nil
}

func (c *Receipts) check(s *cli.Session) (before time.Time, err error) {
	if c.Limit < 1 {
		return before, cli.Usagef("", "--limit is how many: 1 or more")
	}
	if err := cli.CheckHeldFilter(c.Provider, c.HeldReason); err != nil {
		return before, err
	}
	if c.OlderThan == "" {
		return before, nil
	}
	span, err := cli.ParseDuration(c.OlderThan)
	if err != nil {
		return before, cli.Usagef("", "--older-than: %q is no span; give 10m, 2h or 3d", c.OlderThan)
	}
	return s.Now().Add(-span), nil
}

// read gets what was asked for.
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

// scans reports whether the receipts stand in no index.
func (c *Receipts) scans() bool {
	return inbox.State(c.State) != inbox.Held && inbox.State(c.State) != inbox.Received
}

// receipts lists the receipts that are in the state.
func (c *Receipts) receipts(ctx context.Context, reader *dynamostore.Reader) iter.Seq2[inbox.Receipt, error] {
	if c.scans() {
		return scanned(ctx, reader, inbox.State(c.State))
	}
	return reader.Unapplied(ctx, inbox.State(c.State))
}

// scanned looks through the whole table, which brings no bodies: each receipt of
// the state is read again by its key.
func scanned(ctx context.Context, reader *dynamostore.Reader, state inbox.State) iter.Seq2[inbox.Receipt, error] {
	return func(yield func(inbox.Receipt, error) bool) {
		for scanReceipt, err := range reader.ScanReceipts(ctx, time.Time{}, time.Time{}) {
			ends := err != nil && !errors.Is(err, inbox.ErrDamagedReceipt) && !errors.Is(err, inbox.ErrIndexMismatch)
			switch {
			case ends:
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

// bodies shows what came, below the table.
func bodies(entries []display.Entry, wanted bool) string {
	var out strings.Builder
	for _, item := range entries {
		if wanted {
			out.WriteString("\n" + cli.Clean(item.Key.Payout) + "\n" + cli.PrefixLines(display.BodyText(item.Body)) + "\n")
		}
	}
	return out.String()
}

// receiptTable has what show wants last, for the reason that payoutTable has.
func receiptTable(style cli.Style, entries []display.Entry, now time.Time) string {
	if len(entries) == 0 {
		return ""
	}
	t := cli.Table{Style: style, Header: []string{"ACCEPTED (UTC)", "AGE", "PROVIDER", "WHY", "PAYOUTCTL SHOW"}}
	for _, item := range entries {
		t.Add(cli.Cells(cli.FormatTime(item.AcceptedAt), cli.FormatAge(now.Sub(item.AcceptedAt)), cli.Clean(item.Provider()), why(item, style), cli.Clean(item.Key.Payout))...)
	}
	return t.String()
}

// why says why a receipt is not applied.
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
