package display

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// text tells the story for somebody who does not know how it is stored. self
// begins the command lines that it advises.
func (t History) Text(style cli.Style, now time.Time, self string) string {
	parts := []string{t.head(style, self)}
	for _, part := range []string{t.conflicts(style, self), t.timeline(style, now), t.decisions(style)} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "\n")
}

// head is what is known of the payout.
func (t History) head(style cli.Style, self string) string {
	r := t.Record
	rows := cli.Table{Style: style}
	row := func(name, value, colour string) {
		if value != "" {
			rows.Add(cli.Cell{Text: name}, cli.Cell{Text: value, Colour: colour})
		}
	}
	row("payout", cli.Clean(string(r.ID)), "")
	wrong := ""
	switch {
	case t.Damage != nil:
		wrong = "damaged: " + cli.Clean(t.Damage.Error())
	case t.IsMissing():
		wrong = "missing: receipts of it are applied, and it is not there: somebody deleted it"
	}
	if wrong != "" {
		rebuild := self + " rebuild " + cli.Quote(string(r.ID))
		row("status", wrong, cli.Red)
		row("look at it", rebuild+" --dry-run", "")
		row("repair it", rebuild+" --reason '…'", "")
		row("see what else", self+" audit", "")
		return rows.String()
	}
	if !t.Exists {
		row("status", "nothing is applied yet", cli.Yellow)
		return rows.String()
	}
	row("status", string(r.Status()), cli.StatusColour(r.Status()))
	row("reason", style.Shorten(r.Reason()), "")
	row("amount", cli.FormatAmount(r.Value(payout.FieldAmount), r.Value(payout.FieldCurrency)), "")
	row("items", t.items(), "")
	row("reference", cli.Clean(r.Value(payout.FieldReference)), "")
	row("from", style.Abbreviate(r.Value(payout.FieldFrom)), "")
	row("to", style.Abbreviate(r.Value(payout.FieldTo)), "")
	row("memo", style.Abbreviate(r.Value(payout.FieldMemo)), "")
	row("transaction", cli.Clean(r.Value(payout.FieldTxID)), "")
	row("updated", cli.FormatTime(r.UpdatedAt)+" UTC, by "+cli.Count(int(r.Version), "receipt"), "")
	if by := r.Rebuilt; by != (inbox.ChangedBy{}) {
		row("written", "by hand, from its receipts, "+FormatChangedBy(style, by), cli.Yellow)
	}
	row("missing", t.missing(), cli.Red)
	return rows.String()
}

// missing says that receipts were lost. The record was read first, so that
// there can be more of them than it counts, but never fewer.
func (t History) missing() string {
	applied := 0
	for _, item := range t.Entries {
		if item.State == inbox.Applied {
			applied++
		}
	}
	if lost := int(t.Record.Version) - applied; lost > 0 {
		return cli.Count(lost, "receipt") + " of those: deleted, or never written"
	}
	return ""
}

// items says how far a batch has come.
func (t History) items() string {
	if t.Record.ID.Type() != payout.TypeBatch {
		return ""
	}
	settled := t.Record.EffectiveTotals()
	return fmt.Sprintf("%d of %s settled: %d succeeded, %d failed, %d cancelled", settled.Settled().Count,
		cellText(t.Record, payout.FieldItems), settled.Succeeded.Count, settled.Failed.Count, settled.Cancelled.Count)
}

// contradictions lists the values that cannot all be true, who told them, and
// the commands that decide between them.
func (t History) conflicts(style cli.Style, self string) string {
	fields := t.Record.Conflicts()
	if len(fields) == 0 {
		return ""
	}
	rows := cli.Table{Style: style, Indent: "  "}
	for _, name := range fields {
		t.addClaims(&rows, name)
	}
	return style.Paint(cli.Red, "These contradict each other, and nothing of it was thrown away:") + "\n" + rows.String() +
		"  Ask the provider which is true. Until that is settled, the status stays conflicted.\n" + t.choices(self)
}

func (t History) addClaims(rows *cli.Table, name payout.Field) {
	values := t.Record.Claims[name]
	for _, value := range values.Seen {
		rows.Add(cli.Cells(string(name), FormatValue(rows.Style, name, value), "told by "+t.receiptsClaiming(name, value))...)
	}
	if values.Overflow {
		rows.Add(cli.Cells(string(name), "…", "more values than are kept")...)
	}
	if name == payout.FieldSettled {
		rows.Add(cli.Cells(string(name), t.Record.EffectiveTotals().SettledKey(), "told part by part: more is settled than the batch has")...)
	}
}

// choices lists a command for each receipt, or each kind of receipt, whose word
// alone ends the conflict.
func (t History) choices(self string) string {
	rows := cli.Table{Indent: "    "}
	seen := map[string]bool{}
	for n, item := range t.Entries {
		if item.State != inbox.Applied || item.Damaged || item.Resolution != nil {
			continue
		}
		decision, err := t.Record.NewResolution(item.Event)
		if err != nil || seen[decision.Fingerprint()] {
			continue
		}
		seen[decision.Fingerprint()] = true
		rows.Add(cli.Cells(fmt.Sprintf("#%d is true:", n+1),
			fmt.Sprintf("%s resolve %s --trust %s --reason '…'", self, cli.Quote(string(t.Record.ID)), cli.Quote(t.ShortReceipt(item))))...)
	}
	if len(rows.Rows) == 0 {
		return "  No receipt alone tells all of it: " + self + " resolve --help\n"
	}
	return "  Then say so:\n" + rows.String()
}

// short is as much of a receipt's name as it takes to tell it from the others of
// the story.
func (t History) ShortReceipt(item Entry) string {
	name := item.Key.Receipt
	status, _, _ := strings.Cut(name, "/")
	for length := len(status) + 1 + shortest; length < len(name); length++ {
		same := 0
		for _, other := range t.Entries {
			if strings.HasPrefix(other.Key.Receipt, name[:length]) {
				same++
			}
		}
		if same == 1 {
			return name[:length]
		}
	}
	return name
}

// shortest is how much of a fingerprint is shown at least: the next receipt is
// to differ from it, too.
const shortest = 6

// decisions tells who decided what and why.
func (t History) decisions(style cli.Style) string {
	rows := cli.Table{Style: style, Indent: "  "}
	for n, item := range t.Entries {
		if item.Resolution == nil {
			continue
		}
		rows.Add(cli.Cells(fmt.Sprintf("#%d", n+1), cli.FormatTime(item.AcceptedAt)+" UTC", formatResolution(style, *item.Resolution), style.Shorten(item.Note))...)
	}
	if len(rows.Rows) == 0 {
		return ""
	}
	return "What people decided:\n" + rows.String()
}

func formatResolution(style cli.Style, decision payout.Resolution) string {
	var fields []string
	for _, field := range slices.Sorted(maps.Keys(decision.Trusted)) {
		fields = append(fields, string(field)+" is "+FormatValue(style, field, decision.Trusted[field]))
	}
	return strings.Join(fields, ", ")
}

func FormatChangedBy(style cli.Style, changedBy inbox.ChangedBy) string {
	return cli.FormatTime(changedBy.At) + " UTC, by " + cli.Clean(changedBy.By) + ": " + style.Shorten(changedBy.Reason)
}

func FormatValue(style cli.Style, name payout.Field, value string) string {
	switch name {
	case payout.FieldFrom, payout.FieldTo, payout.FieldMemo:
		return style.Abbreviate(value)
	}
	return cli.Clean(value)
}

// tellers names the lines of the timeline that told a value.
func (t History) receiptsClaiming(name payout.Field, value string) string {
	var lines []string
	for n, item := range t.Entries {
		if item.claims()[name] == value {
			lines = append(lines, "#"+strconv.Itoa(n+1))
		}
	}
	if len(lines) == 0 {
		return "no receipt that is still there"
	}
	return strings.Join(lines, ", ")
}

// timeline lists the receipts.
func (t History) timeline(style cli.Style, now time.Time) string {
	rows := cli.Table{Style: style, Indent: "  ", Header: []string{
		"#", "ACCEPTED (UTC)", "TOLD", "AMOUNT", "KEY", "STATE", "WHAT BECAME OF IT", "AFTER", "RECEIPT",
	}}
	for n, item := range t.Entries {
		rows.Add(
			cli.Cell{Text: strconv.Itoa(n + 1)},
			cli.Cell{Text: cli.FormatTime(item.AcceptedAt)},
			cli.Cell{Text: item.status(), Colour: cli.StatusColour(item.Event.Status)},
			cli.Cell{Text: item.amount()},
			cli.Cell{Text: cli.Clean(item.KeyID)},
			cli.Cell{Text: string(item.State)},
			cli.Cell{Text: item.result(now)},
			cli.Cell{Text: item.took()},
			cli.Cell{Text: cli.Clean(t.ShortReceipt(item))},
		)
	}
	if len(t.Entries) == 0 {
		return "There is no receipt of this payout: they were deleted, or something else wrote the payout.\n"
	}
	return "What was told, in the order in which it was first accepted:\n" + rows.String()
}

// took is how long it took until the receipt was applied.
func (e Entry) took() string {
	if e.AppliedAt.IsZero() {
		return ""
	}
	if took := e.AppliedAt.Sub(e.AcceptedAt); took >= time.Second {
		return cli.FormatAge(took)
	}
	return "<1 s"
}

func (e Entry) status() string {
	if e.Resolution != nil {
		return "a person's decision"
	}
	status, _, _ := strings.Cut(e.Key.Receipt, "/")
	return cli.Clean(status)
}

func (e Entry) amount() string {
	if all := e.Event.Totals.All(); all.Count > 0 {
		return fmt.Sprintf("%s for %s", all.Amount, cli.Count(int(all.Count), "item"))
	}
	return cli.FormatAmount(string(e.Event.Amount), e.Event.Currency)
}

// late is how long after its first due time a receipt is no longer a matter of
// waiting: the sweeper has been through several times.
const SweepGrace = 10 * time.Minute

// became says what the receipt did to its payout.
func (e Entry) result(now time.Time) string {
	waiting := now.Sub(e.AcceptedAt)
	switch {
	case e.Damaged:
		return "damaged: it cannot be read"
	case e.State == inbox.Received && waiting > inbox.FirstDue+SweepGrace:
		return "not applied for " + cli.FormatAge(waiting) + ": look at the consumer, the queue and the sweeper"
	case e.State == inbox.Received:
		return "waits to be applied, for " + cli.FormatAge(waiting)
	case e.Outcome == payout.Changed:
		return "changed: the payout shows it"
	case e.Outcome == payout.Unchanged:
		return "unchanged: nothing new to show"
	case e.Outcome == payout.Conflict:
		return "conflict: not all that was told can be true"
	}
	return cli.Clean(string(e.Outcome))
}
