package display

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

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

// EventFields returns names and values of the fields that an event sets.
func EventFields(style cli.Style, e payout.Event) [][2]string {
	number := func(n uint64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatUint(n, 10)
	}
	all := [][2]string{
		{"payout", cli.Clean(string(e.ID))}, {"status", string(e.Status)}, {"reason", style.Shorten(e.Reason)},
		{"amount", cli.FormatAmount(string(e.Amount), e.Currency)}, {"reference", cli.Clean(e.Reference)},
		{"chain", cli.Clean(e.Chain)}, {"token", cli.Clean(e.Token)}, {"from", style.Abbreviate(e.From)}, {"to", style.Abbreviate(e.To)},
		{"memo", style.Abbreviate(e.Memo)}, {"transaction", cli.Clean(e.TxID)}, {"block", number(e.BlockHeight)},
		{"block time", number(uint64(max(e.BlockTime, 0)))}, {"items", formatItems(e.Totals)},
	}
	return slices.DeleteFunc(all, func(f [2]string) bool { return f[1] == "" })
}

func formatItems(totals payout.Totals) string {
	if totals.All().Count == 0 {
		return ""
	}
	return fmt.Sprintf("%d: %d pending, %d succeeded, %d failed, %d cancelled", totals.All().Count,
		totals.Pending.Count, totals.Succeeded.Count, totals.Failed.Count, totals.Cancelled.Count)
}

// HeldText formats a held callback.
func HeldText(style cli.Style, r inbox.Receipt, now time.Time, program string) string {
	rows := cli.Table{Style: style}
	rows.AddField("held", r.Key.Payout, "")
	rows.AddField("reason", r.Reason, cli.Yellow)
	rows.AddField("provider id", r.ProviderID, "")
	rows.AddField("accepted", cli.FormatTime(r.AcceptedAt)+" UTC, "+cli.FormatAge(now.Sub(r.AcceptedAt))+" ago", "")
	rows.AddField("key", r.KeyID, "")
	rows.AddField("body", strconv.Itoa(len(r.Body))+" bytes", "")
	if r.State != inbox.Held {
		rows.AddField(string(r.State), FormatChangedBy(style, r.ChangedBy), "")
	}
	out := rows.String() + nextStepText(r, program)
	if !style.Full {
		return out + "--full shows the details and the body.\n"
	}
	return out + "\n" + cli.PrefixLines(r.Note) + "\n\n" + cli.PrefixLines(BodyText(r.Body)) + "\n"
}

// nextStepText describes the state of the callback and the command that follows.
func nextStepText(r inbox.Receipt, program string) string {
	switch r.State {
	case inbox.Released:
		return "It was held at first and understood later: " + program + " show " + cli.Quote(r.ReleasedAs.Payout) + "\n"
	case inbox.Dismissed:
		return "An operator dismissed it: it says nothing about a payout.\n"
	}
	return "It is authentic and was acknowledged, but not understood: it changed no payout, and its body is kept unchanged.\n" +
		"Once this program understands it: " + program + " release " + cli.Quote(r.Key.Payout) + " --dry-run\n"
}
