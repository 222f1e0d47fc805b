package display

import (
	"strconv"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/inbox"
)

// HeldText formats a held callback.
func HeldText(style cli.Style, r inbox.Receipt, now time.Time, program string) string {
	rows := cli.Table{Style: style}
	rows.Add(cli.Cells("held", cli.Clean(r.Key.Payout))...)
	rows.Add(cli.Cell{Text: "reason"}, cli.Cell{Text: cli.Clean(r.Reason), Colour: cli.Yellow})
	if r.ProviderID != "" {
		rows.Add(cli.Cells("provider id", cli.Clean(r.ProviderID))...)
	}
	rows.Add(cli.Cells("accepted", cli.FormatTime(r.AcceptedAt)+" UTC, "+cli.FormatAge(now.Sub(r.AcceptedAt))+" ago")...)
	rows.Add(cli.Cells("key", cli.Clean(r.KeyID))...)
	rows.Add(cli.Cells("body", strconv.Itoa(len(r.Body))+" bytes")...)
	if r.State != inbox.Held {
		rows.Add(cli.Cells(string(r.State), FormatChangedBy(style, r.ChangedBy))...)
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
