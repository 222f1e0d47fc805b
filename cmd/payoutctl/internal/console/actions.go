package console

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// change returns an action that changes the stack and records a reason.
func change(words ...string) action { return action{words: words, changes: true, hasReason: true} }

// planned returns an action that prints its changes first.
func planned(words ...string) action {
	a := change(words...)
	a.isPlanned = true
	return a
}

// with returns the action with fields that become flags, and fields that become operands.
func (a action) with(flags, operands string) action {
	a.flags, a.operands = append(a.flags, strings.Fields(flags)...), append(a.operands, strings.Fields(operands)...)
	return a
}

// actions returns the actions by their names.
func actions() map[string]action {
	all := map[string]action{
		"resolve":     planned("resolve").with("trust", "payout"),
		"resolve-all": planned("resolve", "--all").with("trust cause", ""),
		"close":       change("close").with("status", "payout"),
		"release":     planned("release").with("", "held"),
		"release-all": planned("release", "--all").with("provider held-reason", ""),
		"dismiss":     planned("dismiss").with("", "held"),
		"rebuild":     planned("rebuild").with("", "payout"),
		"rebuild-all": planned("rebuild", "--all"),
		"publish":     planned("publish").with("since provider", ""),
		"redrive":     planned("dlq", "redrive").with("cause provider message-id older-than", ""),
		"pause":       change("pause").with("", "part"),
		"resume":      change("resume").with("", "part"),

		// These need no reason: they only do what the stack does by itself.
		"reconcile":         {words: []string{"reconcile"}, operands: []string{"payout"}, changes: true},
		"reconcile-overdue": {words: []string{"reconcile", "--overdue"}, flags: []string{"account"}, changes: true},
		"sweep":             {words: []string{"sweep"}, changes: true},
		"expect": action{words: []string{"expect"}, changes: true}.
			with("account id reference amount currency to memo items due", "provider type"),
		// It receives the messages, which hides them from others for a moment.
		"dlq-show": {words: []string{"dlq", "show", "--full"}, operands: []string{"message"}, changes: true},

		"explain": {
			words: []string{"explain", "-"}, flags: []string{"provider", "type"}, stdin: capturedCallback,
		},
		"explain-held": {
			words: []string{"explain"}, operands: []string{"held"}, forms: map[string]*regexp.Regexp{"held": regexp.MustCompile("^held/")}, // never a file
		},
		"audit":  {words: []string{"audit"}, flags: []string{"from", "to"}},
		"doctor": {words: []string{"doctor"}},
		"report": {words: []string{"report"}, flags: []string{"day", "provider", "account"}},
	}
	export := change("dlq", "export").with("message-id to", "")
	export.switches, export.forms = []string{"delete"}, map[string]*regexp.Regexp{"to": regexp.MustCompile(`^\w[\w.-]*\.jsonl$`)} // a new file, or an export, in the working directory
	all["export"] = export
	all["rebuild-all"] = partial(all["rebuild-all"])
	all["resolve-all"] = partial(all["resolve-all"])
	addSends(all)
	return all
}

func partial(a action) action {
	a.isPartial = true
	return a
}

// addSends adds the actions that send callbacks as providers do.
func addSends(all map[string]action) {
	const cregis, pivot = "pid cid status amount currency reference", "event status uuid merchant-id"
	for words, flags := range map[string]string{
		"send cregis payout":             cregis + " set unset",
		"send cregis sub-address-payout": cregis + " set unset",
		"send pivot single":              pivot + " reference amount currency reason set unset",
		"send pivot bulk":                pivot + " pending-count pending-amount success-count success-amount set unset",
		"send -":                         "provider",
	} {
		name := strings.ReplaceAll(words, " ", "-")
		if words == "send -" {
			name = "send-vector"
		}
		send := action{words: strings.Fields(words), changes: true, switches: []string{"forge"}}.with("repeat "+flags, "")
		if name == "send-vector" {
			send.stdin = func(form url.Values) string { return pasted(form.Get("vector")) }
		}
		all[name] = send
	}
}

// pasted returns a text of a form with the line ends that it had: forms send CRLF.
func pasted(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

// capturedCallback returns a callback of a form as explain reads it: with headers, an
// HTTP request; otherwise what was pasted.
func capturedCallback(form url.Values) string {
	headers := strings.Trim(pasted(form.Get("headers")), "\n")
	if headers == "" {
		return pasted(form.Get("body"))
	}
	route := "POST /callbacks/" + url.PathEscape(form.Get("provider")) + "/" + url.PathEscape(form.Get("type")) + " HTTP/1.1\n"
	lines := slices.DeleteFunc(strings.Split(headers, "\n"), func(line string) bool { return strings.TrimSpace(line) == "" })
	return route + strings.Join(lines, "\n") + "\n\n" + pasted(form.Get("body"))
}
