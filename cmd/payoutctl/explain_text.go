package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/explain"
	"payout-callbacks/pkg/payout"
)

// text tells an explanation in the order in which a callback is handled.
func (e explanation) text(style style) string {
	steps := &steps{style: style}
	steps.add("came as", e.Form+", to "+e.Provider+" "+string(e.Type))
	steps.add("size", fmt.Sprintf("%d bytes, of at most %d", e.Size, callback.MaxBody))
	steps.add("account", e.account())
	steps.add("signed text", e.signed(style))
	for _, proof := range e.Proofs {
		steps.add("key "+keyPart(proof), e.proof(style, proof))
	}
	colour := red
	if e.Verdict == callback.Acknowledged {
		colour = green
	}
	steps.add("verdict", style.paint(colour, string(e.Verdict))+e.by())
	for _, finding := range e.Findings {
		steps.add("why", style.paint(yellow, finding.Text)+values(style, finding))
	}
	steps.add("answer", fmt.Sprintf("%d %s", e.Reply.Code, e.Reply.Body))
	e.meaning(steps)
	return steps.String()
}

// steps are numbered lines.
type steps struct {
	style style
	rows  []string
}

func (s *steps) add(name, text string) {
	if text == "" {
		return
	}
	s.rows = append(s.rows, fmt.Sprintf("%2d  %-16s  %s", len(s.rows)+1, clean(name), strings.ReplaceAll(strings.TrimSpace(text), "\n", `\n`)))
}

func (s *steps) String() string { return strings.Join(s.rows, "\n") + "\n" }

func (e explanation) account() string {
	switch {
	case e.Account == "":
		return "the body names none"
	case len(e.Proofs) == 0:
		return clean(e.Account) + ", of which no key is stored"
	}
	return clean(e.Account) + ", with " + count(len(e.Proofs), "key")
}

// private says of which fields the values name somebody's account.
var private = []string{"address", "from_address", "to_address", "memo", "remark"}

func displayed(style style, name, text string) string {
	if slices.Contains(private, name) {
		return style.private(text)
	}
	return style.brief(text)
}

func (e explanation) signed(style style) string {
	if len(e.Signed) == 0 {
		return ""
	}
	var text strings.Builder
	text.WriteString("‹key›")
	for _, part := range e.Signed {
		text.WriteString(style.paint(bold, clean(part.Name)))
		text.WriteString(displayed(style, part.Name, part.Text))
	}
	return text.String()
}

func keyPart(proof explain.KeyCheck) string {
	if proof.Previous {
		return proof.KeyID + " prev."
	}
	return proof.KeyID
}

func (e explanation) proof(style style, proof explain.KeyCheck) string {
	verdict := style.paint(red, "does not fit")
	if proof.Fits {
		verdict = style.paint(green, "fits")
	}
	given := clean(e.Received)
	if given == "" {
		given = "nothing"
	}
	if proof.Expected == "" {
		return verdict + ": given is the key " + given
	}
	return verdict + ": makes " + proof.Expected + ", given is " + given
}

func (e explanation) by() string {
	switch {
	case e.Sender.Previous:
		return ", by the previous key " + e.Sender.KeyID + " of account " + clean(e.Sender.Account)
	case e.Sender.KeyID != "":
		return ", by the key " + e.Sender.KeyID + " of account " + clean(e.Sender.Account)
	}
	return ""
}

func values(style style, finding explain.Finding) string {
	if finding.Came == "" {
		return ""
	}
	return fmt.Sprintf(": came %q, signed %q", displayed(style, finding.Field, finding.Came), displayed(style, finding.Field, finding.Signed))
}

// meaning tells what the callback says and what it would do.
func (e explanation) meaning(steps *steps) {
	style := steps.style
	switch {
	case e.Held != nil:
		steps.add("held", style.paint(yellow, string(e.Held.Reason))+": "+style.brief(firstLine(e.Held.Note)))
	case e.Event != nil:
		for _, eventField := range eventFields(style, *e.Event) {
			steps.add("says "+eventField[0], eventField[1])
		}
	}
	if e.Receipt != nil {
		steps.add("receipt", clean(e.Receipt.Key.Payout)+"  "+clean(e.Receipt.Key.Receipt))
	}
	if e.Effect != nil {
		steps.add("effect", e.Effect.text(e.Receipt.State))
	}
}

// firstLine is enough of a note on a screen: what follows is the signed text,
// addresses and all.
func firstLine(note string) string {
	line, _, _ := strings.Cut(note, "\n")
	return line
}

func eventFields(style style, e payout.Event) [][2]string {
	number := func(n uint64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatUint(n, 10)
	}
	all := [][2]string{
		{"payout", clean(string(e.ID))}, {"status", string(e.Status)}, {"reason", style.brief(e.Reason)},
		{"amount", money(string(e.Amount), e.Currency)}, {"reference", clean(e.Reference)},
		{"chain", clean(e.Chain)}, {"token", clean(e.Token)}, {"from", style.private(e.From)}, {"to", style.private(e.To)},
		{"memo", style.private(e.Memo)}, {"transaction", clean(e.TxID)}, {"block", number(e.BlockHeight)},
		{"block time", number(uint64(max(e.BlockTime, 0)))}, {"items", itemsOf(e.Totals)},
	}
	return slices.DeleteFunc(all, func(f [2]string) bool { return f[1] == "" })
}

func itemsOf(totals payout.Totals) string {
	if totals.All().Count == 0 {
		return ""
	}
	return fmt.Sprintf("%d: %d pending, %d succeeded, %d failed, %d cancelled", totals.All().Count,
		totals.Pending.Count, totals.Succeeded.Count, totals.Failed.Count, totals.Cancelled.Count)
}

func (e effect) text(as inbox.State) string {
	item := "its receipt is not there yet; "
	if e.Known {
		item = fmt.Sprintf("its receipt is there already (%s, by key %s); ", e.State, clean(e.KeyID))
	}
	switch {
	case as == inbox.Held && e.Known:
		return item + "nothing changes"
	case as == inbox.Held:
		return item + "it is kept for a person, and changes no payout"
	case e.Outcome == inbox.ApplyDuplicate:
		return item + "a duplicate, which changes nothing"
	case e.Outcome == inbox.ApplyConflict:
		return item + "the payout " + becomes(e) + ": not all can be true of " + fieldList(e.Conflict)
	case e.Outcome == inbox.ApplyUnchanged:
		return item + "nothing new: the payout stays " + string(e.After)
	}
	return item + "the payout " + becomes(e)
}

func becomes(e effect) string {
	switch e.Before {
	case "":
		return "begins as " + string(e.After)
	case e.After:
		return "stays " + string(e.After)
	}
	return "goes from " + string(e.Before) + " to " + string(e.After)
}

func fieldList(fields []payout.Field) string {
	var names []string
	for _, field := range fields {
		names = append(names, string(field))
	}
	return strings.Join(names, ", ")
}
