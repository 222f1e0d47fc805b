package console

import (
	"net/url"
	"slices"
	"strings"
)

// actions are the actions by their names.
var actions = map[string]action{
	"resolve":     {words: "resolve", flags: "trust", operands: "payout", effect: plans},
	"resolve-all": {words: "resolve --all", flags: "trust cause", effect: partial},
	"close":       {words: "close", flags: "status", operands: "payout", effect: reasons},
	"release":     {words: "release", operands: "held", effect: plans},
	"release-all": {words: "release --all", flags: "provider held-reason", effect: plans},
	"dismiss":     {words: "dismiss", operands: "held", effect: plans},
	"rebuild":     {words: "rebuild", operands: "payout", effect: plans},
	"redrive":     {words: "dlq redrive", flags: "message-id", required: "message-id", effect: plans},
	"redrive-all": {words: "dlq redrive", flags: "cause provider", effect: plans},
	"pause":       {words: "pause", operands: "part", effect: reasons},
	"resume":      {words: "resume", operands: "part", effect: reasons},

	// These need no reason: they only do what the stack, a provider or a service of ours does by itself.
	"reconcile":         {words: "reconcile", operands: "payout", effect: changes},
	"reconcile-overdue": {words: "reconcile --overdue", effect: changes},
	"sweep":             {words: "sweep", effect: changes},
	"expect":            {words: "expect", flags: "account id reference amount currency due", operands: "provider type", effect: changes},
	// It receives the messages, which hides them from others for a moment.
	"dlq-show": {words: "dlq show --full", operands: "message", effect: changes},

	"send-cregis-payout": {words: "send cregis payout", flags: "cid status amount", switches: "forge", effect: changes},
	"send-pivot-single":  {words: "send pivot single", flags: "uuid event amount", switches: "forge", effect: changes},
	"send-vector":        {words: "send -", flags: "provider", effect: changes, stdin: func(form url.Values) string { return pasted(form.Get("vector")) }},

	"explain":      {words: "explain -", flags: "provider type", stdin: capturedCallback},
	"explain-held": {words: "explain", operands: "held", prefix: "held/"}, // never a file
	"audit":        {words: "audit", flags: "from to"},
	"doctor":       {words: "doctor"},
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
