package display

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Statement returns what the receipt states, in short: of a held callback, why it is held.
func (e Entry) Statement(style cli.Style) string {
	switch {
	case e.WasHeld():
		return cli.Clean(e.Reason)
	case e.Resolution != nil:
		return formatResolution(style, *e.Resolution)
	}
	return strings.TrimSpace(e.Status() + " " + e.Amount())
}

// StatedBy returns actor and reason of a person, or the caller of an expectation.
func (e Entry) StatedBy(style cli.Style) string {
	switch {
	case !e.WasHeld():
		return cli.Clean(e.Note)
	case e.ChangedBy == inbox.ChangedBy{}:
		return ""
	}
	return FormatChangedBy(style, e.ChangedBy)
}

// Fields returns names and values of the fields that the receipt's event sets; of a held
// callback, the note about what is not understood.
func (e Entry) Fields(style cli.Style) [][2]string {
	if !e.WasHeld() {
		return EventFields(style, e.Event)
	}
	note := HeldNote(style, e.Note)
	if note == "" {
		return nil
	}
	return [][2]string{{"note", cli.Clean(note)}}
}

// HeldNote returns why a callback is held, without the lines of its note that contain the
// signed text, and with what may be an account number or an address shortened.
func HeldNote(style cli.Style, note string) string {
	line, _, _ := strings.Cut(note, "\n")
	return style.AbbreviateIn(line)
}

// EventFields returns names and values of the fields that an event sets.
func EventFields(style cli.Style, e payout.Event) [][2]string {
	number := func(n uint64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatUint(n, 10)
	}
	deadline := ""
	if e.Deadline != 0 {
		deadline = cli.FormatTime(time.UnixMilli(e.Deadline)) + " UTC"
	}
	all := [][2]string{
		{"payout", cli.Clean(string(e.ID))}, {"status", string(e.Status)}, {"reason", style.Shorten(style.AbbreviateIn(e.Reason))},
		{"amount", cli.FormatAmount(string(e.Amount), e.Currency)}, {"reference", cli.Clean(e.Reference)},
		{"chain", cli.Clean(e.Chain)}, {"token", cli.Clean(e.Token)}, {"from", style.Abbreviate(e.From)}, {"to", style.Abbreviate(e.To)},
		{"memo", style.Abbreviate(e.Memo)}, {"transaction", cli.Clean(e.TxID)}, {"block", number(e.BlockHeight)},
		{"block time", number(uint64(max(e.BlockTime, 0)))}, {"items", formatItems(e.Totals)},
		{"deadline", deadline}, {"linked to", cli.Clean(string(e.LinkedTo))},
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

// Latency formats the time from accepting the receipt to applying it.
func (e Entry) Latency() string {
	if e.AppliedAt.IsZero() {
		return ""
	}
	if took := e.AppliedAt.Sub(e.AcceptedAt); took >= time.Second {
		return cli.FormatAge(took)
	}
	return "<1 s"
}

// Status returns the status that the receipt states, or "" for a resolution.
func (e Entry) Status() string {
	if e.Resolution != nil {
		return ""
	}
	_, status := e.Key.Statement()
	return cli.Clean(string(status))
}

// Amount formats the amount that the receipt states.
func (e Entry) Amount() string {
	if all := e.Event.Totals.All(); all.Count > 0 {
		return fmt.Sprintf("%s for %s", all.Amount, cli.Count(int(all.Count), "item"))
	}
	return cli.FormatAmount(string(e.Event.Amount), e.Event.Currency)
}

// SweepGrace is how long after its first due time a receipt may wait: by then, several
// sweeps have run.
const SweepGrace = 10 * time.Minute

// Result formats the effect of the receipt on its payout.
func (e Entry) Result(now time.Time) string {
	waiting := now.Sub(e.AcceptedAt)
	switch {
	case e.Damaged:
		return "damaged: it cannot be read"
	case e.State == inbox.Received && waiting > inbox.FirstDue+SweepGrace:
		return "not applied for " + cli.FormatAge(waiting) + ": check the consumer, the queue and the sweeper"
	case e.State == inbox.Received:
		return "waiting for " + cli.FormatAge(waiting)
	case e.Outcome == payout.Conflict:
		return "conflict with another receipt"
	}
	return cli.Clean(string(e.Outcome))
}
