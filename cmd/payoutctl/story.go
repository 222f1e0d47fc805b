package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// text tells the story for somebody who does not know how it is stored.
func (t story) text(style style, now time.Time) string {
	parts := []string{t.head(style)}
	if contradictions := t.contradictions(style); contradictions != "" {
		parts = append(parts, contradictions)
	}
	return strings.Join(append(parts, t.timeline(style, now)), "\n")
}

// head is what is known of the payout.
func (t story) head(style style) string {
	r := t.record
	rows := table{style: style}
	row := func(name, value, colour string) {
		if value != "" {
			rows.add(cell{text: name}, cell{text: value, colour: colour})
		}
	}
	row("payout", clean(string(r.ID)), "")
	if r.Version == 0 {
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
	row("missing", t.missing(), red)
	return rows.String()
}

// missing says that receipts were lost. The record was read first, so that
// there can be more of them than it counts, but never fewer.
func (t story) missing() string {
	applied := 0
	for _, one := range t.entries {
		if one.State == inbox.Applied {
			applied++
		}
	}
	if lost := int(t.record.Version) - applied; lost > 0 {
		return count(lost, "receipt") + " of those: deleted, or never written"
	}
	return ""
}

// items says how far a batch has come.
func (t story) items() string {
	if t.record.ID.Type() != payout.TypeBatch {
		return ""
	}
	settled := t.record.Settled
	return fmt.Sprintf("%d of %s settled: %d succeeded, %d failed, %d cancelled", settled.Settled().Count,
		told(t.record, payout.FieldItems), settled.Succeeded.Count, settled.Failed.Count, settled.Cancelled.Count)
}

// contradictions lists the values that cannot all be true, and who told them.
func (t story) contradictions(style style) string {
	fields := t.record.Contradictions()
	if len(fields) == 0 {
		return ""
	}
	rows := table{style: style, indent: "  "}
	for _, name := range fields {
		t.addClaims(&rows, name)
	}
	return style.paint(red, "These contradict each other, and nothing of it was thrown away:") + "\n" + rows.String() +
		"  Ask the provider which is true. Until that is settled, the status stays conflicted.\n"
}

func (t story) addClaims(rows *table, name payout.Field) {
	values := t.record.Claims[name]
	for _, value := range values.Seen {
		rows.add(plain(string(name), shownValue(rows.style, name, value), "told by "+t.tellers(name, value))...)
	}
	if values.Overflow {
		rows.add(plain(string(name), "…", "more values than are kept")...)
	}
	if len(values.Seen) < 2 {
		rows.add(plain(string(name), "", "more is settled than the batch has")...)
	}
}

func shownValue(style style, name payout.Field, value string) string {
	switch name {
	case payout.FieldFrom, payout.FieldTo, payout.FieldMemo:
		return style.private(value)
	}
	return clean(value)
}

// tellers names the lines of the timeline that told a value.
func (t story) tellers(name payout.Field, value string) string {
	var lines []string
	for n, one := range t.entries {
		if one.claims()[name] == value {
			lines = append(lines, "#"+strconv.Itoa(n+1))
		}
	}
	if len(lines) == 0 {
		return "no receipt that is still there"
	}
	return strings.Join(lines, ", ")
}

// timeline lists the receipts.
func (t story) timeline(style style, now time.Time) string {
	rows := table{style: style, indent: "  ", header: []string{"#", "ACCEPTED (UTC)", "TOLD", "AMOUNT", "KEY", "STATE", "WHAT BECAME OF IT"}}
	for n, one := range t.entries {
		e := one.Event
		rows.add(
			cell{text: strconv.Itoa(n + 1)},
			cell{text: instant(one.AcceptedAt)},
			cell{text: one.told(), colour: colourOf(e.Status)},
			cell{text: one.amount()},
			cell{text: clean(one.KeyID)},
			cell{text: string(one.State)},
			cell{text: one.became(now)},
		)
	}
	if len(t.entries) == 0 {
		return "There is no receipt of this payout: they were deleted, or something else wrote the payout.\n"
	}
	return "What was told, in the order in which it was first accepted:\n" + rows.String()
}

func (e entry) told() string {
	if e.Decision != nil {
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
func (e entry) became(now time.Time) string {
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
func heldText(style style, r inbox.Receipt, now time.Time) string {
	rows := table{style: style}
	rows.add(plain("held", clean(r.Key.Payout))...)
	rows.add(cell{text: "why"}, cell{text: clean(r.Reason), colour: yellow})
	rows.add(plain("accepted", instant(r.AcceptedAt)+" UTC, "+age(now.Sub(r.AcceptedAt))+" ago")...)
	rows.add(plain("key", clean(r.KeyID))...)
	rows.add(plain("body", strconv.Itoa(len(r.Body))+" bytes")...)
	out := rows.String() +
		"It is authentic and was acknowledged, but not understood: it changed no payout and is kept as it came.\n"
	if !style.full {
		return out + "--full shows what was met and the body.\n"
	}
	return out + "\n" + cleanLines(r.Note) + "\n\n" + cleanLines(string(r.Body)) + "\n"
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
