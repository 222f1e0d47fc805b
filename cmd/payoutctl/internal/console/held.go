package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/cmd/payoutctl/internal/prove"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/redrive"
	"payout-callbacks/pkg/payout"
)

// held is the page of held callbacks, by provider and reason.
func (c *Console) held(r *http.Request, stack cli.Stack) (view, error) {
	p := problems{Causes: []string{"provider", "reason"}, Since: "Oldest accepted", Column: "Held callback", Empty: "No callback is held.", Field: "held"}
	callbacks, _, err := display.Take(maxRead+1, display.Entries(stack.Reader().Unapplied(r.Context(), inbox.Held)), nil)
	var items []problem
	for _, e := range callbacks {
		id := payout.ID(e.Key.Payout)
		note, _, _ := strings.Cut(e.Note, "\n") // the lines that follow contain the signed text
		item := problem{ID: string(id), Path: payoutPath(id), Cause: []string{e.Provider(), e.Reason}, At: e.AcceptedAt, Detail: strings.TrimSuffix(string(e.Source())+": "+note, ": ")}
		if e.Damaged {
			item.Cause, item.Detail = []string{id.Provider(), "damaged"}, "It cannot be read."
		}
		items = append(items, item)
	}
	p.fill(r, items)
	provider, reason := r.URL.Query().Get("provider"), r.URL.Query().Get("reason")
	if p.Count > 0 && (reason == "" || slices.Contains(callback.Reasons(), callback.Reason(reason))) {
		p.Offers = []offer{c.offer("release-all", "Release "+p.all("callback")+" …", url.Values{"provider": {provider}, "held-reason": {reason}})}
	}
	p.Checked = []offer{{Action: "release", Label: "Release the checked …"}, {Action: "dismiss", Label: "Dismiss the checked …"}}
	return view{template: "problems.html", Title: "Held", Live: true, Data: &p}, err
}

// fillPayouts fills the page with the payouts of an index. Those that cannot be read have the cause damaged.
func (p *problems) fillPayouts(r *http.Request, stack cli.Stack, filter dynamostore.Filter, describe func(dynamostore.Stored) problem) error {
	payouts, _, err := display.Take(maxRead+1, display.Payouts(stack.Reader().List(r.Context(), filter)), nil)
	var items []problem
	for _, stored := range payouts {
		item := problem{Cause: []string{"damaged"}, Detail: "It cannot be read; audit shows how to repair it."}
		if stored.Status() != "" {
			item = describe(stored)
		}
		item.ID, item.Path = string(stored.ID), payoutPath(stored.ID)
		items = append(items, item)
	}
	p.fill(r, items)
	p.Checked = []offer{{Action: "reconcile", Label: "Ask the provider about the checked"}}
	return err
}

// conflicts is the page of payouts in conflict, by the fields in conflict.
func (c *Console) conflicts(r *http.Request, stack cli.Stack) (view, error) {
	p := problems{Causes: []string{"fields"}, Since: "Oldest update", Column: "Payout", Empty: "No payout is in conflict.", Field: "payout"}
	err := p.fillPayouts(r, stack, dynamostore.Filter{Status: payout.Conflicted}, func(stored dynamostore.Stored) problem {
		var fields, values []string
		for _, field := range stored.Conflicts() {
			var seen []string
			for _, value := range stored.Claims[field].Seen {
				seen = append(seen, display.FormatValue(c.style(), field, value))
			}
			fields, values = append(fields, string(field)), append(values, string(field)+": "+strings.Join(seen, " or "))
		}
		return problem{Cause: []string{strings.Join(fields, " ")}, At: stored.UpdatedAt, Detail: strings.Join(values, "; ")}
	})
	if fields := strings.Fields(r.URL.Query().Get("fields")); p.Count > 0 && len(fields) > 0 {
		for _, source := range []string{string(payout.SourceQuery), string(payout.SourceCallback)} {
			form := url.Values{"cause": fields, "trust": {source}}
			p.Offers = append(p.Offers, c.offer("resolve-all", "Trust what a "+source+" stated, in "+p.all("payout")+" …", form))
		}
	}
	return view{template: "problems.html", Title: "Conflicts", Live: true, Data: &p}, err
}

// overdue is the page of overdue payouts, by the reasons why they are overdue.
func (c *Console) overdue(r *http.Request, stack cli.Stack) (view, error) {
	p := problems{Causes: []string{"reason"}, Since: "Earliest deadline", Column: "Payout", Empty: "No payout is overdue.", Field: "payout"}
	err := p.fillPayouts(r, stack, dynamostore.Filter{Overdue: true}, func(stored dynamostore.Stored) problem {
		details := []string{string(stored.Status()), display.FieldText(stored, payout.FieldAmount), display.FieldText(stored, payout.FieldCurrency), display.FieldText(stored, payout.FieldReference)}
		item := problem{Cause: []string{strings.Join(stored.Overdue, " ")}, At: stored.UpdatedAt, Detail: strings.Join(details, " ")}
		if stored.Deadline != 0 {
			item.At = time.UnixMilli(stored.Deadline).UTC()
		}
		return item
	})
	if len(p.Groups) > 0 {
		p.Offers = []offer{c.offer("reconcile-overdue", "Ask the providers about all overdue payouts", nil)}
	}
	return view{template: "problems.html", Title: "Overdue", Live: true, Data: &p}, err
}

// deadLetters is the page of dead-letter messages, by cause and provider. Reading them
// hides them from the sweeper for a moment, so the page of a deployed stack only counts
// them.
func (c *Console) deadLetters(r *http.Request, stack cli.Stack) (view, error) {
	p := problems{Causes: []string{"cause", "provider"}, Since: "Oldest sent", Column: "Message", Empty: "No dead-letter message is visible.", Field: "message-id", CanSave: true}
	v := view{template: "problems.html", Title: "Dead-letter messages", Data: &p}
	if c.isReadOnly() {
		depth, err := prove.MeasureQueue(r.Context(), stack, stack.DeadLetterQueueURL)
		if err == nil {
			p.Empty = "The queue has " + cli.Count(int(*depth.Waiting), "message") + ". Reading them would hide them from others: list and redrive them with the commands."
			p.Offers = []offer{{Label: "List", Command: c.commandLine([]string{"dlq", "list"})}, c.offer("redrive", "Redrive", nil)}
		}
		return v, err
	}
	redriver, err := stack.Redriver()
	if err != nil {
		return v, err
	}
	var items []problem
	_, err = redriver.Walk(r.Context(), maxRead+1, func(d redrive.Diagnosis) error {
		items = append(items, problem{
			ID: d.ID, Cause: []string{string(d.Cause), d.Provider()}, At: d.SentAt,
			Detail: strings.TrimSpace(d.Receipt.Key.Payout+" "+d.Why) + " received " + cli.Count(d.Receives, "time"),
		})
		return nil
	})
	p.fill(r, items)
	if p.Count > 0 {
		query := r.URL.Query()
		p.Offers = []offer{c.offer("redrive", "Redrive "+p.all("message")+" …", url.Values{"cause": {query.Get("cause")}, "provider": {query.Get("provider")}})}
	}
	p.Offers = append(p.Offers, c.offer("sweep", "Sweep now, which recovers them", nil))
	p.Checked = []offer{{Action: "redrive", Label: "Redrive the checked …"}, {Action: "export", Label: "Export the checked"}}
	return v, err
}
