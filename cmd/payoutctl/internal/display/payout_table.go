package display

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// SkipDamaged leaves out payouts that cannot be read, and prints a note about each.
func SkipDamaged(s *cli.Session, list iter.Seq2[dynamostore.Stored, error]) iter.Seq2[dynamostore.Stored, error] {
	return func(yield func(dynamostore.Stored, error) bool) {
		for stored, err := range list {
			switch {
			case errors.Is(err, inbox.ErrDamagedPayout):
				s.Notef("%s cannot be read: %s rebuild %s --dry-run", cli.Clean(string(stored.ID)), s.Program(), cli.Quote(string(stored.ID)))
				continue
			case errors.Is(err, inbox.ErrLaterVersion):
				s.Notef("%s", cli.Clean(err.Error()))
				continue
			}
			if !yield(stored, err) {
				return
			}
		}
	}
}

// Take returns up to limit payouts that pass the filter, last updated first, and
// whether there are more.
func Take(limit int, filter dynamostore.Filter, list iter.Seq2[dynamostore.Stored, error]) ([]dynamostore.Stored, bool, error) {
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

// PrintPayouts prints payouts as a table or as JSON.
func PrintPayouts(s *cli.Session, payouts []dynamostore.Stored) error {
	if !s.Flags.JSON {
		return s.Print(payoutTable(s.Style(), payouts))
	}
	for _, stored := range payouts {
		if err := s.PrintJSON(NewPayout(stored)); err != nil {
			return err
		}
	}
	return nil
}

// payoutTable has the id in the last column: it is the longest, and a line that wraps
// there keeps the other columns aligned.
func payoutTable(style cli.Style, payouts []dynamostore.Stored) string {
	if len(payouts) == 0 {
		return ""
	}
	t := cli.Table{Style: style, Header: []string{"STATUS", "AMOUNT", "CURRENCY", "REFERENCE", "UPDATED (UTC)", "PAYOUT"}}
	for _, stored := range payouts {
		status := cli.Cell{Text: string(stored.Status()), Colour: cli.StatusColour(stored.Status())}
		if checkRecord(stored) != nil {
			status = cli.Cell{Text: "damaged", Colour: cli.Red}
		}
		t.Add(
			status,
			cli.Cell{Text: cellText(stored, payout.FieldAmount)},
			cli.Cell{Text: cellText(stored, payout.FieldCurrency)},
			cli.Cell{Text: cellText(stored, payout.FieldReference)},
			cli.Cell{Text: cli.FormatTime(stored.UpdatedAt)},
			cli.Cell{Text: cli.Clean(string(stored.ID))},
		)
	}
	return t.String()
}

// cellText formats the value of a field, or the number of conflicting values.
func cellText(stored dynamostore.Stored, name payout.Field) string {
	if value := stored.Value(name); value != "" {
		return cli.Clean(value)
	}
	if seen := len(stored.Claims[name].Seen); seen > 0 {
		return fmt.Sprintf("(%d values)", seen)
	}
	return "-"
}
