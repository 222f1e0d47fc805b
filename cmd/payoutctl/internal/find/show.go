package find

import (
	"context"
	"errors"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
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

// Run shows the payout or the held callback.
func (c *Show) Run(ctx context.Context, s *cli.Session) error {
	if c.Target == "" {
		return display.ErrNoTarget
	}
	reader, err := s.OpenReader(ctx)
	if err != nil {
		return err
	}
	if strings.HasPrefix(c.Target, display.HeldPrefix) {
		if err := showHeld(ctx, s, reader, c.Target); !errors.Is(err, errNotHeld) {
			return err
		}
		// It may be a reference of ours.
	}
	history, err := display.FindPayout(ctx, s, reader, c.Target)
	switch {
	case errors.Is(err, display.ErrAmbiguous):
		return nil // they were listed
	case err != nil:
		return err
	}
	return showHistory(s, history)
}

// errNotHeld means that no held callback has the id.
var errNotHeld = errors.New("no held callback has the id")

func showHistory(s *cli.Session, history display.History) error {
	if !s.Flags.JSON {
		return s.Print(history.Text(s.Style(), s.Now(), s.Program()))
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
	return s.PrintJSON(shown)
}

func showHeld(ctx context.Context, s *cli.Session, reader *dynamostore.Reader, id string) error {
	receipt, ok, err := reader.Receipt(ctx, inbox.Key{Payout: id, Receipt: string(inbox.Held)})
	damaged := errors.Is(err, inbox.ErrDamagedReceipt)
	switch {
	case err != nil && !damaged:
		return err
	case !ok:
		return errNotHeld
	case s.Flags.JSON:
		return s.PrintJSON(display.NewReceipt(display.Entry{Receipt: receipt, Damaged: damaged}, s.Flags.Full))
	}
	return s.Print(display.HeldText(s.Style(), receipt, s.Now(), s.Program()))
}
