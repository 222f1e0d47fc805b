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

// Take returns up to limit items that are admitted, and whether there are more.
func Take[T any](limit int, items iter.Seq2[T, error], admits func(T) bool) (taken []T, more bool, err error) {
	for item, err := range items {
		switch {
		case err != nil:
			return nil, false, err
		case !admits(item):
			continue
		case len(taken) == limit:
			return taken, true, nil
		}
		taken = append(taken, item)
	}
	return taken, false, nil
}

// TakePayouts is Take for payouts, last updated first. It prints a note about each
// payout that cannot be read.
func TakePayouts(s *cli.Session, limit int, filter dynamostore.Filter, list iter.Seq2[dynamostore.Stored, error]) ([]dynamostore.Stored, bool, error) {
	readable := func(yield func(dynamostore.Stored, error) bool) {
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
	payouts, more, err := Take(limit, readable, filter.Admits)
	slices.SortStableFunc(payouts, func(a, b dynamostore.Stored) int { return b.UpdatedAt.Compare(a.UpdatedAt) })
	return payouts, more, err
}

// payoutHeader has the id in the last column: it is the longest, and a line that wraps
// there keeps the other columns aligned.
var payoutHeader = []string{"STATUS", "AMOUNT", "CURRENCY", "REFERENCE", "UPDATED (UTC)", "PAYOUT"}

// PrintPayouts prints payouts as a table or as JSON.
func PrintPayouts(s *cli.Session, payouts []dynamostore.Stored) error {
	return cli.PrintList(s, payoutHeader, payouts, addPayout, func(stored dynamostore.Stored) any { return NewPayout(stored) })
}

func addPayout(t *cli.Table, stored dynamostore.Stored) {
	status := cli.Cell{Text: string(stored.Status()), Colour: cli.StatusColour(stored.Status())}
	if checkRecord(stored) != nil {
		status = cli.Cell{Text: "damaged", Colour: cli.Red}
	}
	t.Add(status,
		cli.Cell{Text: cellText(stored, payout.FieldAmount)}, cli.Cell{Text: cellText(stored, payout.FieldCurrency)},
		cli.Cell{Text: cellText(stored, payout.FieldReference)}, cli.Cell{Text: cli.FormatTime(stored.UpdatedAt)}, cli.Cell{Text: string(stored.ID)})
}

// cellText formats the value of a field, or the number of conflicting values.
func cellText(stored dynamostore.Stored, name payout.Field) string {
	if value := stored.Value(name); value != "" {
		return value
	}
	if seen := len(stored.Claims[name].Seen); seen > 0 {
		return fmt.Sprintf("(%d values)", seen)
	}
	return "-"
}
