package find

import (
	"fmt"
	"slices"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/explain"
	"payout-callbacks/pkg/payout"
)

// text tells an explanation in the order in which a callback is handled.
func (e explanation) text(style cli.Style) string {
	steps := &steps{style: style}
	steps.add("came as", e.Form+", to "+e.Provider+" "+string(e.Type))
	steps.add("size", fmt.Sprintf("%d bytes, of at most %d", e.Size, callback.MaxBody))
	steps.add("account", e.account())
	steps.add("signed text", e.signed(style))
	for _, proof := range e.KeyChecks {
		steps.add("key "+keyPart(proof), e.proof(style, proof))
	}
	colour := cli.Red
	if e.Verdict == callback.Acknowledged {
		colour = cli.Green
	}
	steps.add("verdict", style.Paint(colour, string(e.Verdict))+e.by())
	for _, finding := range e.Findings {
		steps.add("why", style.Paint(cli.Yellow, finding.Text)+values(style, finding))
	}
	steps.add("answer", fmt.Sprintf("%d %s", e.Reply.Code, e.Reply.Body))
	e.meaning(steps)
	return steps.String()
}

// steps are numbered lines.
type steps struct {
	style cli.Style
	rows  []string
}

func (s *steps) add(name, text string) {
	if text == "" {
		return
	}
	s.rows = append(s.rows, fmt.Sprintf("%2d  %-16s  %s", len(s.rows)+1, cli.Clean(name), strings.ReplaceAll(strings.TrimSpace(text), "\n", `\n`)))
}

func (s *steps) String() string { return strings.Join(s.rows, "\n") + "\n" }

func (e explanation) account() string {
	switch {
	case e.Account == "":
		return "the body names none"
	case len(e.KeyChecks) == 0:
		return cli.Clean(e.Account) + ", of which no key is stored"
	}
	return cli.Clean(e.Account) + ", with " + cli.Count(len(e.KeyChecks), "key")
}

// private says of which fields the values name somebody's account.
var private = []string{"address", "from_address", "to_address", "memo", "remark"}

func displayed(style cli.Style, name, text string) string {
	if slices.Contains(private, name) {
		return style.Abbreviate(text)
	}
	return style.Shorten(text)
}

func (e explanation) signed(style cli.Style) string {
	if len(e.Signed) == 0 {
		return ""
	}
	var text strings.Builder
	text.WriteString("‹key›")
	for _, part := range e.Signed {
		text.WriteString(style.Paint(cli.Bold, cli.Clean(part.Name)))
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

func (e explanation) proof(style cli.Style, proof explain.KeyCheck) string {
	verdict := style.Paint(cli.Red, "does not fit")
	if proof.Matches {
		verdict = style.Paint(cli.Green, "fits")
	}
	given := cli.Clean(e.Received)
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
		return ", by the previous key " + e.Sender.KeyID + " of account " + cli.Clean(e.Sender.Account)
	case e.Sender.KeyID != "":
		return ", by the key " + e.Sender.KeyID + " of account " + cli.Clean(e.Sender.Account)
	}
	return ""
}

func values(style cli.Style, finding explain.Finding) string {
	if finding.Received == "" {
		return ""
	}
	return fmt.Sprintf(": received %q, signed %q", displayed(style, finding.Field, finding.Received), displayed(style, finding.Field, finding.Signed))
}

// meaning tells what the callback says and what it would do.
func (e explanation) meaning(steps *steps) {
	style := steps.style
	switch {
	case e.Held != nil:
		steps.add("held", style.Paint(cli.Yellow, string(e.Held.Reason))+": "+style.Shorten(firstLine(e.Held.Note)))
	case e.Event != nil:
		for _, eventField := range display.EventFields(style, *e.Event) {
			steps.add("says "+eventField[0], eventField[1])
		}
	}
	if e.Receipt != nil {
		steps.add("receipt", cli.Clean(e.Receipt.Key.Payout)+"  "+cli.Clean(e.Receipt.Key.Receipt))
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

func (e effect) text(as inbox.State) string {
	item := "its receipt is not there yet; "
	if e.Known {
		item = fmt.Sprintf("its receipt is there already (%s, by key %s); ", e.State, cli.Clean(e.KeyID))
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
