package find

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/explain"
)

// text formats an explanation in the order in which a callback is handled.
func (e explanation) text(style cli.Style) string {
	steps := &steps{style: style}
	steps.add("format", e.Form+", "+e.Provider+" "+string(e.Type))
	steps.add("size", fmt.Sprintf("%d of at most %d bytes", e.Size, callback.MaxBody))
	steps.add("account", e.account())
	steps.add("signed text", e.signed(style))
	for _, check := range e.KeyChecks {
		label := "key " + check.KeyID
		if check.Previous {
			label += " prev."
		}
		steps.add(label, e.keyCheck(style, check))
	}
	colour := cli.Red
	if e.Verdict == callback.Acknowledged {
		colour = cli.Green
	}
	steps.add("verdict", style.Paint(colour, string(e.Verdict))+e.by())
	for _, finding := range e.Findings {
		steps.add("cause", style.Paint(cli.Yellow, finding.Text)+findingValues(style, finding))
	}
	steps.add("response", fmt.Sprintf("%d %s", e.Reply.Code, e.Reply.Body))
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
		return "the body contains no account"
	case len(e.KeyChecks) == 0:
		return cli.Clean(e.Account) + ", which has no stored key"
	}
	return cli.Clean(e.Account) + ", with " + cli.Count(len(e.KeyChecks), "key")
}

// private are the fields that identify a person's account.
var private = []string{"address", "from_address", "to_address", "memo", "remark"}

func formatPrivate(style cli.Style, name, text string) string {
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
		text.WriteString(formatPrivate(style, part.Name, part.Text))
	}
	return text.String()
}

func (e explanation) keyCheck(style cli.Style, check explain.KeyCheck) string {
	verdict := style.Paint(cli.Red, "does not match")
	if check.Matches {
		verdict = style.Paint(cli.Green, "matches")
	}
	switch received := cli.Clean(e.Received); {
	case check.Expected != "":
		return verdict + ": expected " + check.Expected + ", received " + cmp.Or(received, "nothing")
	case received != "":
		return verdict + ": received key " + received
	}
	return verdict // the report says nothing about a signature in a header
}

// by formats the key that verified the callback.
func (e explanation) by() string {
	if e.Sender.KeyID == "" {
		return ""
	}
	key := map[bool]string{true: "previous key ", false: "key "}[e.Sender.Previous]
	return ", by the " + key + e.Sender.KeyID + " of account " + cli.Clean(e.Sender.Account)
}

func findingValues(style cli.Style, finding explain.Finding) string {
	if finding.Received == "" {
		return ""
	}
	return fmt.Sprintf(": received %q, signed %q", formatPrivate(style, finding.Field, finding.Received), formatPrivate(style, finding.Field, finding.Signed))
}

// meaning adds the event, its receipt and its effect.
func (e explanation) meaning(steps *steps) {
	style := steps.style
	switch {
	case e.Held != nil:
		steps.add("held", style.Paint(cli.Yellow, string(e.Held.Reason))+": "+style.Shorten(display.HeldNote(style, e.Held.Note)))
	case e.Event != nil:
		for _, field := range display.EventFields(style, *e.Event) {
			steps.add("event "+field[0], field[1])
		}
	}
	if e.Receipt != nil {
		steps.add("receipt", cli.Clean(e.Receipt.Key.Payout)+"  "+cli.Clean(e.Receipt.Key.Receipt))
	}
	if e.Effect != nil {
		steps.add("effect", e.Effect.text(e.Receipt.State))
	}
}

func (e effect) text(state inbox.State) string {
	prefix := "new receipt; "
	if e.Known {
		prefix = fmt.Sprintf("known receipt (%s, key %s); ", e.State, cli.Clean(e.KeyID))
	}
	switch {
	case state == inbox.Held && e.Known:
		return prefix + "nothing changes"
	case state == inbox.Held:
		return prefix + "held for an operator, no payout changes"
	case e.Outcome == inbox.ApplyDuplicate:
		return prefix + "duplicate, nothing changes"
	case e.Outcome == inbox.ApplyConflict:
		return prefix + "the payout " + formatChange(e) + ": conflict in " + cli.JoinNames(e.Conflict)
	case e.Outcome == inbox.ApplyUnchanged:
		return prefix + "unchanged: the payout stays " + string(e.After)
	}
	return prefix + "the payout " + formatChange(e)
}

func formatChange(e effect) string {
	switch e.Before {
	case "":
		return "is created as " + string(e.After)
	case e.After:
		return "stays " + string(e.After)
	}
	return "changes from " + string(e.Before) + " to " + string(e.After)
}
