package display

import (
	"cmp"
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

// Text formats the history for a reader who does not know how it is stored. program
// begins the command lines in it.
func (t History) Text(style cli.Style, now time.Time, program string) string {
	facts := t.Facts(style, now, program)
	parts := []string{facts.String()}
	for _, part := range []string{t.conflicts(style, program), t.timeline(style, now), t.decisions(style), t.expectations(style)} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "\n")
}

// Facts returns the fields of the payout, or what is wrong with it and the commands
// that repair it: a name, a value and its colour in each row.
func (t History) Facts(style cli.Style, now time.Time, program string) cli.Table {
	r := t.Record
	rows := cli.Table{Style: style}
	row := rows.AddField
	row("payout", string(r.ID), "")
	fault := ""
	switch {
	case t.Damage != nil:
		fault = "damaged: " + t.Damage.Error()
	case t.IsMissing():
		fault = "missing: it has applied receipts and no record, so the record was deleted"
	}
	if fault != "" {
		rebuild := program + " rebuild " + cli.Quote(string(r.ID))
		row("status", fault, cli.Red)
		row("inspect", rebuild+" --dry-run", "")
		row("repair", rebuild+" --reason '…'", "")
		row("audit all", program+" audit", "")
		return rows
	}
	if !t.Exists {
		row("status", "no receipt is applied yet", cli.Yellow)
		return rows
	}
	row("status", string(r.Status()), cli.StatusColour(r.Status()))
	row("reason", style.Shorten(style.AbbreviateIn(r.Reason())), "")
	t.addReconciliation(&rows, now, program)
	currency := r.Value(payout.FieldCurrency)
	row("amount", cli.FormatAmount(FieldText(r, payout.FieldAmount), currency), "")
	if currency == "" {
		row("currency", FieldText(r, payout.FieldCurrency), "")
	}
	row("items", t.items(), "")
	value := func(field payout.Field) string {
		return cmp.Or(FormatValue(style, field, r.Value(field)), FieldText(r, field))
	}
	row("reference", value(payout.FieldReference), "")
	row("from", value(payout.FieldFrom), "")
	row("to", value(payout.FieldTo), "")
	row("memo", value(payout.FieldMemo), "")
	row("transaction", value(payout.FieldTxID), "")
	row("updated", cli.FormatTime(r.UpdatedAt)+" UTC, by "+cli.Count(int(r.Version), "receipt"), "")
	if by := r.Rebuilt; by != (inbox.ChangedBy{}) {
		row("rebuilt", "from its receipts, "+FormatChangedBy(style, by), cli.Yellow)
	}
	row("missing", t.missing(), cli.Red)
	return rows
}

// missing counts lost receipts. The record was read first, so a complete history has
// at least as many applied receipts as the record counts.
func (t History) missing() string {
	applied := 0
	for _, item := range t.Entries {
		if item.State == inbox.Applied {
			applied++
		}
	}
	if lost := int(t.Record.Version) - applied; lost > 0 {
		return cli.Count(lost, "applied receipt") + ": deleted, or never written"
	}
	return ""
}

// items formats the progress of a batch.
func (t History) items() string {
	if t.Record.ID.Type() != payout.TypeBatch {
		return ""
	}
	settled := t.Record.EffectiveTotals()
	return fmt.Sprintf("%d of %s settled: %d succeeded, %d failed, %d cancelled", settled.Settled().Count,
		cmp.Or(FieldText(t.Record, payout.FieldItems), "-"), settled.Succeeded.Count, settled.Failed.Count, settled.Cancelled.Count)
}

// conflicts lists the conflicting values, the receipts that claim them, and the
// commands that decide between them.
func (t History) conflicts(style cli.Style, program string) string {
	if len(t.Record.Conflicts()) == 0 {
		return ""
	}
	rows := cli.Table{Style: style, Indent: "  "}
	for _, value := range t.ConflictingValues(style) {
		by := value.Note
		if by == "" {
			by = "claimed by #" + strings.Join(value.ClaimedBy, ", #")
		}
		rows.AddTexts(value.Field, value.Value, by)
	}
	return style.Paint(cli.Red, "Conflicting values, all of which are kept:") + "\n" + rows.String() +
		"  Ask the provider which value is correct. Until the conflict is resolved, the status is conflicted.\n" + t.choices(program)
}

// ConflictingValue is a value that statements claim for a field, besides others.
type ConflictingValue struct {
	Field, Value string
	ClaimedBy    []string // numbers of receipts
	Note         string   // if no receipt claims it as it is
}

// ConflictingValues returns the values of the fields in conflict.
func (t History) ConflictingValues(style cli.Style) []ConflictingValue {
	var all []ConflictingValue
	for _, name := range t.Record.Conflicts() {
		field, values := string(name), t.Record.Claims[name]
		for _, value := range values.Seen {
			conflicting := ConflictingValue{Field: field, Value: FormatValue(style, name, value), ClaimedBy: t.claimedBy(name, value)}
			if len(conflicting.ClaimedBy) == 0 {
				conflicting.Note = "claimed by no remaining receipt"
			}
			all = append(all, conflicting)
		}
		if values.Overflow {
			all = append(all, ConflictingValue{Field: field, Value: "…", Note: "more values were received than are stored"})
		}
		if name == payout.FieldSettled {
			all = append(all, ConflictingValue{
				Field: field, Value: t.Record.EffectiveTotals().SettledKey(), Note: "claimed in parts: the settled items exceed the batch",
			})
		}
	}
	return all
}

// Choice is a receipt that resolves the conflicts of its payout alone.
type Choice struct {
	Number  int    // of the receipt in the history, from 1
	Receipt string // its short key
}

// Choices returns the first receipt of each kind that resolves the conflicts alone.
func (t History) Choices() []Choice {
	var choices []Choice
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
		choices = append(choices, Choice{n + 1, t.ShortReceipt(item)})
	}
	return choices
}

// choices lists a command for each receipt that resolves the conflict alone.
func (t History) choices(program string) string {
	rows := cli.Table{Indent: "    "}
	for _, choice := range t.Choices() {
		rows.AddTexts(fmt.Sprintf("trust #%d:", choice.Number),
			fmt.Sprintf("%s resolve %s --trust %s --reason '…'", program, cli.Quote(string(t.Record.ID)), cli.Quote(choice.Receipt)))
	}
	if len(rows.Rows) == 0 {
		return "  No receipt alone resolves it: " + program + " resolve --help\n"
	}
	return "  Then resolve it:\n" + rows.String()
}

// ShortReceipt returns the shortest prefix of a receipt's key that no other receipt of
// the payout has.
func (t History) ShortReceipt(item Entry) string {
	name := item.Key.Receipt
	for length := strings.LastIndex(name, "/") + 1 + shortest; length < len(name); length++ {
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

// shortest is how much of a fingerprint is shown at least, so that later receipts are
// likely to differ from it as well.
const shortest = 6

// decisions lists the resolutions, and who closed the payout, with actor and reason.
func (t History) decisions(style cli.Style) string {
	rows := cli.Table{Style: style, Indent: "  "}
	for n, item := range t.Entries {
		decision := item.Statement(style)
		switch {
		case item.Source() != payout.SourceResolution:
			continue
		case item.Resolution == nil:
			decision = "closed as " + item.Status()
		}
		rows.AddTexts(fmt.Sprintf("#%d", n+1), cli.FormatTime(item.AcceptedAt)+" UTC", decision, style.Shorten(item.Note))
	}
	if len(rows.Rows) == 0 {
		return ""
	}
	return "Resolutions:\n" + rows.String()
}

// formatResolution formats the values that a resolution trusts.
func formatResolution(style cli.Style, decision payout.Resolution) string {
	var fields []string
	for _, field := range slices.Sorted(maps.Keys(decision.Trusted)) {
		fields = append(fields, string(field)+" is "+FormatValue(style, field, decision.Trusted[field]))
	}
	return strings.Join(fields, ", ")
}

// FormatChangedBy formats time, actor and reason of a change.
func FormatChangedBy(style cli.Style, changedBy inbox.ChangedBy) string {
	return cli.FormatTime(changedBy.At) + " UTC, by " + cli.Clean(changedBy.By) + ": " + style.Shorten(changedBy.Reason)
}

// FormatValue formats the value of a field; it abbreviates addresses.
func FormatValue(style cli.Style, name payout.Field, value string) string {
	switch name {
	case payout.FieldFrom, payout.FieldTo, payout.FieldMemo:
		return style.Abbreviate(value)
	}
	return cli.Clean(value)
}

// claimedBy returns the numbers of the receipts that claim a value, from 1.
func (t History) claimedBy(name payout.Field, value string) []string {
	var numbers []string
	for n, item := range t.Entries {
		if item.claims()[name] == value {
			numbers = append(numbers, strconv.Itoa(n+1))
		}
	}
	return numbers
}

// timeline lists the receipts.
func (t History) timeline(style cli.Style, now time.Time) string {
	rows := cli.Table{Style: style, Indent: "  ", Header: []string{
		"#", "ACCEPTED (UTC)", "SOURCE", "STATUS", "AMOUNT", "KEY", "STATE", "RESULT", "LATENCY", "RECEIPT",
	}}
	for n, item := range t.Entries {
		cells := []cli.Cell{
			{Text: strconv.Itoa(n + 1)}, {Text: cli.FormatTime(item.AcceptedAt)}, {Text: string(item.Source())},
			{Text: item.Status(), Colour: cli.StatusColour(item.Event.Status)},
			{Text: item.Amount()}, {Text: item.KeyID}, {Text: string(item.State)},
			{Text: item.Result(now)}, {Text: item.Latency()}, {Text: t.ShortReceipt(item)},
		}
		rows.Add(cells...)
	}
	if len(t.Entries) == 0 {
		return "This payout has no receipts: they were deleted, or another program wrote the payout.\n"
	}
	return "Receipts, in the order of their acceptance:\n" + rows.String()
}
