// Package find holds the commands that find and explain payouts, receipts and
// callbacks. They change nothing.
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
	"payout-callbacks/pkg/payout"
)

// Show shows the history of one payout.
type Show struct {
	Target string `arg:"" name:"payout" help:"Id of the payout, our reference, or the id of a held callback (held/…)."`
}

// Help gives examples.
func (Show) Help() string {
	return `Shows the fields of a payout, its conflicts with the commands that resolve them, and its receipts: one line for each
distinct callback, in the order of acceptance, with the id of the key that verified it and its effect on the payout.
Redeliveries add no line. Resolutions are listed with actor, time and reason. If several payouts have the reference,
they are listed. A held callback belongs to no payout and has its own id; --full shows its body.

	payoutctl --local show cregis/payout/1382528827416576/1391751691788288
	payoutctl --stack payouts-prod show order-4711 --json

Needs the permissions dynamodb:Query and dynamodb:GetItem on both tables and their indexes, and
cloudformation:DescribeStacks. Exit code 1 if the payout does not exist.`
}

// Check returns an error if the payout is not named.
func (c *Show) Check() error { return display.CheckTarget(c.Target) }

// Run shows the payout or the held callback.
func (c *Show) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	if strings.HasPrefix(c.Target, display.HeldPrefix) {
		held, ok, err := display.ReadHeld(ctx, stack.Reader(), c.Target)
		switch {
		case err != nil:
			return err
		case ok:
			return s.PrintResult(display.NewReceipt(held, s.Flags.Full), display.HeldText(s.Style(), held, s.Now(), s.Program()))
		}
		// It may be a reference of ours.
	}
	history, err := display.FindPayout(ctx, s, stack.Reader(), c.Target)
	switch {
	case errors.Is(err, display.ErrAmbiguous):
		return nil // they were listed
	case err != nil:
		return err
	}
	shown := struct {
		Payout   *display.Payout   `json:"payout"` // null if it does not exist or cannot be read
		Damaged  bool              `json:"damaged,omitzero"`
		Missing  bool              `json:"missing,omitzero"` // it has applied receipts and no record
		Receipts []display.Receipt `json:"receipts"`
	}{Damaged: history.Damage != nil, Missing: history.IsMissing()}
	if history.Damage == nil && history.Exists {
		view := display.NewPayout(history.Record)
		shown.Payout = &view
	}
	for _, item := range history.Entries {
		shown.Receipts = append(shown.Receipts, display.NewReceipt(item, s.Flags.Full))
	}
	return s.PrintResult(shown, history.Text(s.Style(), s.Now(), s.Program()))
}

// Payouts lists payouts.
type Payouts struct {
	Status       status   `help:"Only payouts with this status: ${statuses}." placeholder:"STATUS"`
	Reference    string   `help:"Only payouts with this reference." placeholder:"TEXT"`
	UpdatedSince cli.Time `help:"Only payouts updated at this time or later: ${when}." placeholder:"TIME"`
	UpdatedUntil cli.Time `help:"Only payouts not updated since: 3d lists payouts without an update for three days." placeholder:"TIME"`
	Overdue      bool     `help:"Only open payouts whose deadline has passed, although the provider answered or cannot be asked."`
	Unconfirmed  bool     `help:"Only payouts with a final status that no query states."`
	Unexpected   bool     `help:"Only payouts that none of our services stated that it ordered."`
	cli.ListFlags
}

// Help gives examples.
func (Payouts) Help() string {
	return `Prints the payouts, last updated first. --status conflicted, --overdue and --reference use an index. Every other list
scans the table, which is not ordered by time, until --limit payouts are found, which takes time and costs money on a
large table. The age of an overdue payout counts from its deadline, that of any other from its last update.

	payoutctl --stack payouts-prod payouts --status conflicted
	payoutctl --stack payouts-prod payouts --overdue --account 1382528827416576
	payoutctl --stack payouts-prod payouts --provider pivot --status pending --updated-until 3d --json

Needs the permissions dynamodb:Scan, dynamodb:Query and dynamodb:GetItem on the payouts table and its indexes, and
cloudformation:DescribeStacks. Exit code 0, also if there are no payouts.`
}

// Statuses are the statuses of payouts.
var Statuses = []payout.Status{
	payout.Expected, payout.Pending, payout.Delayed, payout.Succeeded, payout.Failed, payout.Rejected,
	payout.Done, payout.Cancelled, payout.Conflicted, payout.Linked,
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
		Overdue: c.Overdue, Unconfirmed: c.Unconfirmed, Unexpected: c.Unexpected,
	}
	list := stack.Reader().List(ctx, filter)
	switch {
	case c.Reference != "":
		list = stack.Reader().ByReference(ctx, c.Reference)
	case !filter.HasIndex() && filter != (dynamostore.Filter{}):
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

// Receipts lists the receipts that no payout shows: held, released and dismissed
// ones, and those that are not applied yet.
type Receipts struct {
	State      inbox.State    `arg:"" enum:"held,received,released,dismissed,answered" help:"held: authentic, not understood. received: accepted, not applied yet. released, dismissed, answered: were held before."`
	HeldReason cli.HeldReason `help:"Only callbacks held for this reason: ${reasons}." placeholder:"REASON"`
	OlderThan  cli.Age        `help:"Only receipts accepted longer ago than this: 10m, 2h, 3d." placeholder:"DURATION"`
	Body       bool           `help:"Print the raw body of each."`
	cli.ListFlags
}

// Help gives examples.
func (Receipts) Help() string {
	return `Held and received receipts are listed oldest first. A received receipt is normally applied within seconds, and the
sweeper sends it again after two minutes; an older one means that the consumer or the tables have a problem. Released,
dismissed and answered receipts are in no index: the command scans the whole table for them, in no particular order.

	payoutctl --stack payouts-prod receipts received --older-than 10m
	payoutctl --stack payouts-prod receipts held --held-reason unknown-status --body

Needs the permissions dynamodb:Query and dynamodb:GetItem on the receipts table and its index (released, dismissed and
answered: dynamodb:Scan), and cloudformation:DescribeStacks. Exit code 0, also if there are none.`
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
	header := []string{"ACCEPTED (UTC)", "AGE", "PROVIDER", "SOURCE", "REASON", "PAYOUTCTL SHOW"}
	addReceipt := func(t *cli.Table, e display.Entry) {
		t.AddTexts(cli.FormatTime(e.AcceptedAt), cli.FormatAge(now.Sub(e.AcceptedAt)), e.Provider(), string(e.Source()), why(e, t.Style), e.Key.Payout)
	}
	view := func(e display.Entry) any { return display.NewReceipt(e, c.Body || s.Flags.Full) }
	if err := cli.PrintList(s, header, entries, addReceipt, view); err != nil || !c.Body || s.Flags.JSON {
		return err
	}
	return printBodies(s, entries)
}

func printBodies(s *cli.Session, entries []display.Entry) error {
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
