package display

import (
	"strconv"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/inbox"
)

// heldText tells about a callback that was not understood.
func HeldText(style cli.Style, r inbox.Receipt, now time.Time, self string) string {
	rows := cli.Table{Style: style}
	rows.Add(cli.Cells("held", cli.Clean(r.Key.Payout))...)
	rows.Add(cli.Cell{Text: "why"}, cli.Cell{Text: cli.Clean(r.Reason), Colour: cli.Yellow})
	if r.ProviderID != "" {
		rows.Add(cli.Cells("provider id", cli.Clean(r.ProviderID))...)
	}
	rows.Add(cli.Cells("accepted", cli.FormatTime(r.AcceptedAt)+" UTC, "+cli.FormatAge(now.Sub(r.AcceptedAt))+" ago")...)
	rows.Add(cli.Cells("key", cli.Clean(r.KeyID))...)
	rows.Add(cli.Cells("body", strconv.Itoa(len(r.Body))+" bytes")...)
	if r.State != inbox.Held {
		rows.Add(cli.Cells(string(r.State), FormatChangedBy(style, r.ChangedBy))...)
	}
	out := rows.String() + nextStepText(r, self)
	if !style.Full {
		return out + "--full shows what was met and the body.\n"
	}
	return out + "\n" + cli.PrefixLines(r.Note) + "\n\n" + cli.PrefixLines(BodyText(r.Body)) + "\n"
}

func nextStepText(r inbox.Receipt, self string) string {
	switch r.State {
	case inbox.Released:
		return "It was not understood when it came, and is since: " + self + " show " + cli.Quote(r.ReleasedAs.Payout) + "\n"
	case inbox.Dismissed:
		return "It was not understood, and a person decided that it tells nothing about a payout.\n"
	}
	return "It is authentic and was acknowledged, but not understood: it changed no payout and is kept as it came.\n" +
		"Once this program understands it: " + self + " release " + cli.Quote(r.Key.Payout) + " --dry-run\n"
}
