package console

import (
	"errors"
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
	callbacks := display.Entries(stack.Reader().Unapplied(r.Context(), inbox.Held))
	err := p.fill(r, func(yield func(problem, error) bool) {
		for e, err := range callbacks {
			note, _, _ := strings.Cut(e.Note, "\n") // the lines that follow contain the signed text
			item := problem{
				Value: e.Key.Payout, Path: payoutPath(payout.ID(e.Key.Payout)), Cause: []string{e.Provider(), e.Reason}, At: e.AcceptedAt,
				Detail: strings.TrimSuffix(string(e.Source())+": "+note, ": "),
			}
			if e.Damaged {
				item.Cause, item.Detail = []string{payout.ID(e.Key.Payout).Provider(), "damaged"}, "It cannot be read."
			}
			if !yield(item, err) {
				return
			}
		}
	})
	if reason := callback.Reason(r.URL.Query().Get("reason")); p.Count > 0 && (reason == "" || slices.Contains(callback.Reasons(), reason)) {
		p.Offers = []offer{c.offer("release-all", "Release "+p.all("callback")+" …", selection(r, map[string]string{"provider": "provider", "reason": "held-reason"}))}
	}
	p.Checked = []offer{c.offer("release", "Release the checked …", nil), c.offer("dismiss", "Dismiss the checked …", nil)}
	return view{template: "problems.html", Title: "Held", Live: true, Data: &p}, err
}

// fillPayouts is fill for payouts. Those that cannot be read have the cause damaged.
func (p *problems) fillPayouts(r *http.Request, stack cli.Stack, filter dynamostore.Filter, describe func(dynamostore.Stored) problem) error {
	return p.fill(r, func(yield func(problem, error) bool) {
		for stored, err := range stack.Reader().List(r.Context(), filter) {
			item := problem{Cause: []string{"damaged"}, Detail: "It cannot be read; audit shows how to repair it."}
			switch {
			case errors.Is(err, inbox.ErrDamagedPayout) || errors.Is(err, inbox.ErrLaterVersion):
				err = nil
			case err == nil && !filter.Admits(stored):
				continue
			case err == nil:
				item = describe(stored)
			}
			item.Value, item.Path = string(stored.ID), payoutPath(stored.ID)
			if !yield(item, err) {
				return
			}
		}
	})
}

// conflicts is the page of payouts in conflict, by the fields in conflict.
func (c *Console) conflicts(r *http.Request, stack cli.Stack) (view, error) {
	p := problems{Causes: []string{"fields"}, Since: "Oldest update", Column: "Payout", Empty: "No payout is in conflict.", Field: "payout"}
	filter := dynamostore.Filter{Status: payout.Conflicted}
	err := p.fillPayouts(r, stack, filter, func(stored dynamostore.Stored) problem {
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
	p.Checked = []offer{c.offer("reconcile", "Ask the provider about the checked", nil)}
	return view{template: "problems.html", Title: "Conflicts", Live: true, Data: &p}, err
}

// overdue is the page of overdue payouts, by the reasons why they are overdue.
func (c *Console) overdue(r *http.Request, stack cli.Stack) (view, error) {
	p := problems{Causes: []string{"reason"}, Since: "Earliest deadline", Column: "Payout", Empty: "No payout is overdue.", Field: "payout"}
	filter := dynamostore.Filter{Overdue: true}
	err := p.fillPayouts(r, stack, filter, func(stored dynamostore.Stored) problem {
		item := problem{Cause: []string{strings.Join(stored.Overdue, " ")}, At: stored.UpdatedAt}
		if stored.Deadline != 0 {
			item.At = time.UnixMilli(stored.Deadline).UTC()
		}
		item.Detail = strings.TrimSpace(string(stored.Status()) + "  " + cli.FormatAmount(stored.Value(payout.FieldAmount), stored.Value(payout.FieldCurrency)) +
			"  " + stored.Value(payout.FieldReference))
		return item
	})
	if len(p.Groups) > 0 {
		p.Offers = []offer{c.offer("reconcile-overdue", "Ask the providers about all overdue payouts", nil)}
	}
	p.Checked = []offer{c.offer("reconcile", "Ask the provider about the checked", nil)}
	return view{template: "problems.html", Title: "Overdue", Live: true, Data: &p}, err
}

// deadLetters is the page of dead-letter messages, by cause and provider. Reading them
// hides them from the sweeper for a moment, so the page of a deployed stack only counts
// them.
func (c *Console) deadLetters(r *http.Request, stack cli.Stack) (view, error) {
	p := problems{Causes: []string{"cause", "provider"}, Since: "Oldest sent", Column: "Message", Empty: "No dead-letter message is visible.", Field: "message-id"}
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
	_, err = redriver.Walk(r.Context(), maxProblems+1, func(d redrive.Diagnosis) error {
		items = append(items, problem{
			Value: d.ID, Cause: []string{string(d.Cause), d.Provider()}, At: d.SentAt,
			Detail: strings.TrimSpace(d.Receipt.Key.Payout+" "+d.Why) + " received " + cli.Count(d.Receives, "time"),
		})
		return nil
	})
	if err == nil {
		err = p.fill(r, withoutErrors(items))
	}
	if p.Count > 0 {
		p.Offers = []offer{c.offer("redrive", "Redrive "+p.all("message")+" …", selection(r, map[string]string{"cause": "cause", "provider": "provider"}))}
	}
	p.Offers = append(p.Offers, c.offer("sweep", "Sweep now, which recovers them", nil))
	p.CanSave = true
	p.Checked = []offer{c.offer("redrive", "Redrive the checked …", nil), c.offer("export", "Export the checked", nil)}
	return v, err
}
