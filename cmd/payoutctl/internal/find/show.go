package find

import (
	"context"
	"errors"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
)

// Show shows the history of one payout.
type Show struct {
	Target string `arg:"" name:"payout" help:"Id of the payout, our reference, or the id of a held callback (held/…)."`
}

// Help gives examples.
func (Show) Help() string {
	return `Shows the fields of a payout, its conflicts with the commands that resolve them, and its receipts: one line for each
distinct callback, in the order of acceptance, with the id of the key that verified it and its effect on the payout.
Redeliveries add no line. Resolutions are listed with actor, time and reason.

If several payouts have the reference, they are listed. A reference may begin with held/ as well. A held callback
(authentic, but not understood) belongs to no payout and has its own id; --full shows its body.

Examples:

	payoutctl --local show cregis/payout/1382528827416576/1391751691788288
	payoutctl --stack payouts-prod show order-4711
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
			return s.PrintResult(display.NewReceipt(held, s.Flags.Full), display.HeldText(s.Style(), held.Receipt, s.Now(), s.Program()))
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
