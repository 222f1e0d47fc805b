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
	callbacks, isCut, err := display.Take(maxRead, display.Entries(stack.Reader().Unapplied(r.Context(), inbox.Held)), nil)
	var items []problem
	for _, e := range callbacks {
		id := payout.ID(e.Key.Payout)
		reason, detail := e.Reason, string(e.Source())
		if note, _, _ := strings.Cut(e.Note, "\n"); note != "" { // the lines that follow contain the signed text
			detail += ": " + note
		}
		if e.Damaged {
			reason, detail = "damaged", "It cannot be read."
		}
		cause := url.Values{"provider": {e.Provider()}, "reason": {reason}}
		items = append(items, problem{ID: string(id), Path: payoutPath(id), Cause: cause, At: e.AcceptedAt, Detail: detail})
	}
	p.fill(r, items, isCut)
	provider, reason := r.URL.Query().Get("provider"), r.URL.Query().Get("reason")
	if p.Count > 0 && (reason == "" || slices.Contains(callback.Reasons(), callback.Reason(reason))) {
		form := url.Values{"provider": {provider}, "held-reason": {reason}}
		p.Offers = []offer{c.offer("release-all", "Release all: "+cli.Count(p.Count, "callback")+" …", form)}
	}
	return view{template: "problems.html", Title: "Held", Live: true, Data: &p}, err
}

// fillPayouts fills the page with the payouts of an index. Those that cannot be read have
// the cause damaged.
func (p *problems) fillPayouts(
	r *http.Request, stack cli.Stack, filter dynamostore.Filter, describe func(dynamostore.Stored) (cause, detail string, at time.Time),
) error {
	payouts, isCut, err := display.Take(maxRead, display.Payouts(stack.Reader().List(r.Context(), filter)), nil)
	var items []problem
	for _, stored := range payouts {
		cause, detail, at := "damaged", "It cannot be read; audit shows how to repair it.", stored.UpdatedAt
		if stored.Status() != "" {
			cause, detail, at = describe(stored)
		}
		items = append(items, problem{ID: string(stored.ID), Path: payoutPath(stored.ID), Cause: url.Values{p.Causes[0]: {cause}}, At: at, Detail: detail})
	}
	p.fill(r, items, isCut)
	return err
}

// conflicts is the page of payouts in conflict, by the fields in conflict.
func (c *Console) conflicts(r *http.Request, stack cli.Stack) (view, error) {
	p := problems{Causes: []string{"fields"}, Since: "Oldest update", Column: "Payout", Empty: "No payout is in conflict.", Field: "payout"}
	err := p.fillPayouts(r, stack, dynamostore.Filter{Status: payout.Conflicted}, func(stored dynamostore.Stored) (cause, detail string, at time.Time) {
		var fields, values []string
		for _, value := range (display.History{Record: stored}).ConflictingValues(c.style()) {
			fields, values = append(fields, value.Field), append(values, value.Field+": "+value.Value)
		}
		return strings.Join(slices.Compact(fields), " "), strings.Join(values, "; "), stored.UpdatedAt
	})
	if fields := strings.Fields(r.URL.Query().Get("fields")); p.Count > 0 && len(fields) > 0 {
		for _, source := range []string{string(payout.SourceQuery), string(payout.SourceCallback)} {
			form := url.Values{"cause": fields, "trust": {source}}
			p.Offers = append(p.Offers, c.offer("resolve-all", "Trust what a "+source+" stated, in "+cli.Count(p.Count, "payout")+" …", form))
		}
	}
	return view{template: "problems.html", Title: "Conflicts", Live: true, Data: &p}, err
}

// overdue is the page of overdue payouts, by the reasons why they are overdue.
func (c *Console) overdue(r *http.Request, stack cli.Stack) (view, error) {
	p := problems{Causes: []string{"reason"}, Since: "Earliest deadline", Column: "Payout", Empty: "No payout is overdue.", Field: "payout"}
	err := p.fillPayouts(r, stack, dynamostore.Filter{Overdue: true}, func(stored dynamostore.Stored) (cause, detail string, at time.Time) {
		at = stored.UpdatedAt
		if stored.Deadline != 0 {
			at = time.UnixMilli(stored.Deadline).UTC()
		}
		detail = string(stored.Status())
		for _, field := range []payout.Field{payout.FieldAmount, payout.FieldCurrency, payout.FieldReference} {
			detail += " " + display.FieldText(stored, field)
		}
		return strings.Join(stored.Overdue, " "), detail, at
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
	p := problems{Causes: []string{"cause", "provider"}, Since: "Oldest sent", Column: "Message", Empty: "No dead-letter message is visible.", Field: "message-id"}
	v := view{template: "problems.html", Title: "Dead-letter messages", Data: &p}
	if c.isReadOnly() {
		depth, err := prove.MeasureQueue(r.Context(), stack, stack.DeadLetterQueueURL)
		if err == nil {
			p.Empty = "The queue has " + cli.Count(int(*depth.Waiting), "message") + ". Reading them would hide them from others: list and redrive them with the commands."
			p.Offers = []offer{c.commandOnly("dlq", "list"), c.offer("redrive", "Redrive", nil)}
		}
		return v, err
	}
	redriver, err := stack.Redriver()
	if err != nil {
		return v, err
	}
	var items []problem
	isCut, err := redriver.Walk(r.Context(), maxRead, func(d redrive.Diagnosis) error {
		cause := url.Values{"cause": {string(d.Cause)}, "provider": {d.Provider()}}
		detail := strings.TrimSpace(d.Receipt.Key.Payout+" "+d.Why) + " received " + cli.Count(d.Receives, "time")
		items = append(items, problem{ID: d.ID, Cause: cause, At: d.SentAt, Detail: detail})
		return nil
	})
	p.fill(r, items, isCut)
	if p.Count > 0 {
		form := url.Values{"cause": {r.URL.Query().Get("cause")}, "provider": {r.URL.Query().Get("provider")}}
		p.Offers = []offer{c.offer("redrive", "Redrive all: "+cli.Count(p.Count, "message")+" …", form)}
	}
	p.Offers = append(p.Offers, c.offer("sweep", "Sweep now, which recovers them", nil))
	return v, err
}
