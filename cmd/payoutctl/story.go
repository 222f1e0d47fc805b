package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// text tells the story for somebody who does not know how it is stored. self
// begins the command lines that it advises.
func (t payoutHistory) text(style style, now time.Time, self string) string {
	parts := []string{t.head(style, self)}
	for _, part := range []string{t.contradictions(style, self), t.timeline(style, now), t.decisions(style)} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "\n")
}

// head is what is known of the payout.
func (t payoutHistory) head(style style, self string) string {
	r := t.record
	rows := table{style: style}
	row := func(name, value, colour string) {
		if value != "" {
			rows.add(cell{text: name}, cell{text: value, colour: colour})
		}
	}
	row("payout", clean(string(r.ID)), "")
	wrong := ""
	switch {
	case t.damage != nil:
		wrong = "damaged: " + clean(t.damage.Error())
	case t.gone():
		wrong = "missing: receipts of it are applied, and it is not there: somebody deleted it"
	}
	if wrong != "" {
		rebuild := self + " rebuild " + quoted(string(r.ID))
		row("status", wrong, red)
		row("look at it", rebuild+" --dry-run", "")
		row("repair it", rebuild+" --reason '…'", "")
		row("see what else", self+" audit", "")
		return rows.String()
	}
	if !t.exists {
		row("status", "nothing is applied yet", yellow)
		return rows.String()
	}
	row("status", string(r.Status()), colourOf(r.Status()))
	row("reason", style.brief(r.Reason()), "")
	row("amount", money(r.Value(payout.FieldAmount), r.Value(payout.FieldCurrency)), "")
	row("items", t.items(), "")
	row("reference", clean(r.Value(payout.FieldReference)), "")
	row("from", style.private(r.Value(payout.FieldFrom)), "")
	row("to", style.private(r.Value(payout.FieldTo)), "")
	row("memo", style.private(r.Value(payout.FieldMemo)), "")
	row("transaction", clean(r.Value(payout.FieldTxID)), "")
	row("updated", instant(r.UpdatedAt)+" UTC, by "+count(int(r.Version), "receipt"), "")
	if by := r.Rebuilt; by != (inbox.ChangedBy{}) {
		row("written", "by hand, from its receipts, "+changedByText(style, by), yellow)
	}
	row("missing", t.missing(), red)
	return rows.String()
}

// missing says that receipts were lost. The record was read first, so that
// there can be more of them than it counts, but never fewer.
func (t payoutHistory) missing() string {
	applied := 0
	for _, item := range t.entries {
		if item.State == inbox.Applied {
			applied++
		}
	}
	if lost := int(t.record.Version) - applied; lost > 0 {
		return count(lost, "receipt") + " of those: deleted, or never written"
	}
	return ""
}

// items says how far a batch has come.
func (t payoutHistory) items() string {
	if t.record.ID.Type() != payout.TypeBatch {
		return ""
	}
	settled := t.record.EffectiveTotals()
	return fmt.Sprintf("%d of %s settled: %d succeeded, %d failed, %d cancelled", settled.Settled().Count,
		label(t.record, payout.FieldItems), settled.Succeeded.Count, settled.Failed.Count, settled.Cancelled.Count)
}

// contradictions lists the values that cannot all be true, who told them, and
// the commands that decide between them.
func (t payoutHistory) contradictions(style style, self string) string {
	fields := t.record.Conflicts()
	if len(fields) == 0 {
		return ""
	}
	rows := table{style: style, indent: "  "}
	for _, name := range fields {
		t.addClaims(&rows, name)
	}
	return style.paint(red, "These contradict each other, and nothing of it was thrown away:") + "\n" + rows.String() +
		"  Ask the provider which is true. Until that is settled, the status stays conflicted.\n" + t.choices(self)
}

func (t payoutHistory) addClaims(rows *table, name payout.Field) {
	values := t.record.Claims[name]
	for _, value := range values.Seen {
		rows.add(plain(string(name), shownValue(rows.style, name, value), "told by "+t.tellers(name, value))...)
	}
	if values.Overflow {
		rows.add(plain(string(name), "…", "more values than are kept")...)
	}
	if name == payout.FieldSettled {
		rows.add(plain(string(name), t.record.EffectiveTotals().SettledKey(), "told part by part: more is settled than the batch has")...)
	}
}

// choices lists a command for each receipt, or each kind of receipt, whose word
// alone ends the conflict.
func (t payoutHistory) choices(self string) string {
	rows := table{indent: "    "}
	seen := map[string]bool{}
	for n, item := range t.entries {
		if item.State != inbox.Applied || item.damaged || item.Resolution != nil {
			continue
		}
		decision, err := t.record.NewResolution(item.Event)
		if err != nil || seen[decision.Fingerprint()] {
			continue
		}
		seen[decision.Fingerprint()] = true
		rows.add(plain(fmt.Sprintf("#%d is true:", n+1),
			fmt.Sprintf("%s resolve %s --trust %s --reason '…'", self, quoted(string(t.record.ID)), quoted(t.short(item))))...)
	}
	if len(rows.rows) == 0 {
		return "  No receipt alone tells all of it: " + self + " resolve --help\n"
	}
	return "  Then say so:\n" + rows.String()
}

// short is as much of a receipt's name as it takes to tell it from the others of
// the story.
func (t payoutHistory) short(item entry) string {
	name := item.Key.Receipt
	status, _, _ := strings.Cut(name, "/")
	for length := len(status) + 1 + shortest; length < len(name); length++ {
		same := 0
		for _, other := range t.entries {
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
func (t payoutHistory) decisions(style style) string {
	rows := table{style: style, indent: "  "}
	for n, item := range t.entries {
		if item.Resolution == nil {
			continue
		}
		rows.add(plain(fmt.Sprintf("#%d", n+1), instant(item.AcceptedAt)+" UTC", believed(style, *item.Resolution), style.brief(item.Note))...)
	}
	if len(rows.rows) == 0 {
		return ""
	}
	return "What people decided:\n" + rows.String()
}

func believed(style style, decision payout.Resolution) string {
	var fields []string
	for _, field := range slices.Sorted(maps.Keys(decision.Trusted)) {
		fields = append(fields, string(field)+" is "+shownValue(style, field, decision.Trusted[field]))
	}
	return strings.Join(fields, ", ")
}

func changedByText(style style, changedBy inbox.ChangedBy) string {
	return instant(changedBy.At) + " UTC, by " + clean(changedBy.By) + ": " + style.brief(changedBy.Reason)
}

func shownValue(style style, name payout.Field, value string) string {
	switch name {
	case payout.FieldFrom, payout.FieldTo, payout.FieldMemo:
		return style.private(value)
	}
	return clean(value)
}

// tellers names the lines of the timeline that told a value.
func (t payoutHistory) tellers(name payout.Field, value string) string {
	var lines []string
	for n, item := range t.entries {
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
func (t payoutHistory) timeline(style style, now time.Time) string {
	rows := table{style: style, indent: "  ", header: []string{
		"#", "ACCEPTED (UTC)", "TOLD", "AMOUNT", "KEY", "STATE", "WHAT BECAME OF IT", "AFTER", "RECEIPT",
	}}
	for n, item := range t.entries {
		rows.add(
			cell{text: strconv.Itoa(n + 1)},
			cell{text: instant(item.AcceptedAt)},
			cell{text: item.status(), colour: colourOf(item.Event.Status)},
			cell{text: item.amount()},
			cell{text: clean(item.KeyID)},
			cell{text: string(item.State)},
			cell{text: item.result(now)},
			cell{text: item.took()},
			cell{text: clean(t.short(item))},
		)
	}
	if len(t.entries) == 0 {
		return "There is no receipt of this payout: they were deleted, or something else wrote the payout.\n"
	}
	return "What was told, in the order in which it was first accepted:\n" + rows.String()
}

// took is how long it took until the receipt was applied.
func (e entry) took() string {
	if e.AppliedAt.IsZero() {
		return ""
	}
	if took := e.AppliedAt.Sub(e.AcceptedAt); took >= time.Second {
		return age(took)
	}
	return "<1 s"
}

func (e entry) status() string {
	if e.Resolution != nil {
		return "a person's decision"
	}
	status, _, _ := strings.Cut(e.Key.Receipt, "/")
	return clean(status)
}

func (e entry) amount() string {
	if all := e.Event.Totals.All(); all.Count > 0 {
		return fmt.Sprintf("%s for %s", all.Amount, count(int(all.Count), "item"))
	}
	return money(string(e.Event.Amount), e.Event.Currency)
}

// late is how long after its first due time a receipt is no longer a matter of
// waiting: the sweeper has been through several times.
const late = 10 * time.Minute

// became says what the receipt did to its payout.
func (e entry) result(now time.Time) string {
	waiting := now.Sub(e.AcceptedAt)
	switch {
	case e.damaged:
		return "damaged: it cannot be read"
	case e.State == inbox.Received && waiting > inbox.FirstDue+late:
		return "not applied for " + age(waiting) + ": look at the consumer, the queue and the sweeper"
	case e.State == inbox.Received:
		return "waits to be applied, for " + age(waiting)
	case e.Outcome == payout.Changed:
		return "changed: the payout shows it"
	case e.Outcome == payout.Unchanged:
		return "unchanged: nothing new to show"
	case e.Outcome == payout.Conflict:
		return "conflict: not all that was told can be true"
	}
	return clean(string(e.Outcome))
}

// heldText tells about a callback that was not understood.
func heldText(style style, r inbox.Receipt, now time.Time, self string) string {
	rows := table{style: style}
	rows.add(plain("held", clean(r.Key.Payout))...)
	rows.add(cell{text: "why"}, cell{text: clean(r.Reason), colour: yellow})
	if r.ProviderID != "" {
		rows.add(plain("provider id", clean(r.ProviderID))...)
	}
	rows.add(plain("accepted", instant(r.AcceptedAt)+" UTC, "+age(now.Sub(r.AcceptedAt))+" ago")...)
	rows.add(plain("key", clean(r.KeyID))...)
	rows.add(plain("body", strconv.Itoa(len(r.Body))+" bytes")...)
	if r.State != inbox.Held {
		rows.add(plain(string(r.State), changedByText(style, r.ChangedBy))...)
	}
	out := rows.String() + heldFate(r, self)
	if !style.full {
		return out + "--full shows what was met and the body.\n"
	}
	return out + "\n" + quotedLines(r.Note) + "\n\n" + quotedLines(readable(r.Body)) + "\n"
}

func heldFate(r inbox.Receipt, self string) string {
	switch r.State {
	case inbox.Released:
		return "It was not understood when it came, and is since: " + self + " show " + quoted(r.ReleasedAs.Payout) + "\n"
	case inbox.Dismissed:
		return "It was not understood, and a person decided that it tells nothing about a payout.\n"
	}
	return "It is authentic and was acknowledged, but not understood: it changed no payout and is kept as it came.\n" +
		"Once this program understands it: " + self + " release " + quoted(r.Key.Payout) + " --dry-run\n"
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
