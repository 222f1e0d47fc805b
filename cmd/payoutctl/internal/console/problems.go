package console

import (
	"cmp"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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

const (
	maxRead  = 1000 // of an index, or of the dead-letter queue, for a page
	pageSize = 50
)

// pages are the paths of other pages of a list, "" without such a page.
type pages struct {
	First, Previous, Next string

	url *url.URL // of this page
}

// path returns the path of the page that a field of the query names: "" is the first.
func (p pages) path(field, page string) string {
	query := p.url.Query()
	query.Set(field, page)
	return p.url.Path + "?" + query.Encode()
}

// problem is something that needs a person: a held callback, a payout, a message.
type problem struct {
	ID     string
	Path   string     // of its page, or ""
	Cause  url.Values // by which the page groups
	At     time.Time
	Detail string
	Count  int // of a group: the problems with its cause, of which the oldest has its time
}

// problems is a page of problems: their groups, and the list of those that the query
// selects.
type problems struct {
	pages

	Causes []string // headings, and fields of the query
	Since  string   // heading of the time
	Column string   // heading of the problems
	Field  string   // of forms, for the id of a problem
	About  string
	Empty  string    // instead of: none now
	IsCut  bool      // there are more
	Groups []problem // by cause
	HasAll bool      // no cause is selected
	Items  []problem
	Count  int     // of the selected problems
	Offers []offer // for all that are selected
}

// offer is an action with a form, and the command line that does the same. On a deployed
// stack, only an action that reads has a form.
type offer struct {
	Action, Label string
	Form          url.Values
	Command       string
}

// offer returns the offer of an action for a form, without its empty fields.
func (c *Console) offer(name, label string, form url.Values) offer {
	maps.DeleteFunc(form, func(_ string, values []string) bool { return values[0] == "" })
	a := actions[name]
	o := offer{Label: label, Form: form}
	if a.effect == reads || !c.isReadOnly() {
		o.Action = name
	}
	filled := url.Values{"reason": {"TEXT"}}
	maps.Copy(filled, form)
	line, err := a.line(filled, false)
	if err != nil {
		line = append(strings.Fields(a.words), "--help")
	}
	o.Command = c.commandLine(line)
	return o
}

// fill groups the problems, and lists those with the causes of the query.
func (p *problems) fill(r *http.Request, all []problem, isCut bool) {
	query := r.URL.Query()
	p.url, p.IsCut, p.HasAll = r.URL, isCut, !slices.ContainsFunc(p.Causes, query.Has)
	var selected []problem
	for _, item := range all {
		p.count(item)
		if !slices.ContainsFunc(p.Causes, func(cause string) bool { return query.Has(cause) && query.Get(cause) != item.Cause.Get(cause) }) {
			selected = append(selected, item)
		}
	}
	slices.SortFunc(p.Groups, func(a, b problem) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Path, b.Path)) })
	p.Count = len(selected)
	chunks := slices.Collect(slices.Chunk(selected, pageSize))
	page, _ := strconv.Atoi(query.Get("page"))
	page = min(max(page, 1), len(chunks))
	if page > 0 {
		p.Items = chunks[page-1]
	}
	if page > 1 {
		p.Previous = p.path("page", strconv.Itoa(page-1))
	}
	if page < len(chunks) {
		p.Next = p.path("page", strconv.Itoa(page+1))
	}
}

// count adds a problem to the group with its cause.
func (p *problems) count(item problem) {
	path := p.url.Path + "?" + item.Cause.Encode()
	n := slices.IndexFunc(p.Groups, func(group problem) bool { return group.Path == path })
	if n < 0 {
		n = len(p.Groups)
		p.Groups = append(p.Groups, problem{Path: path, Cause: item.Cause, At: item.At})
	}
	p.Groups[n].Count++
	if item.At.Before(p.Groups[n].At) {
		p.Groups[n].At = item.At
	}
}

// fillReceipts fills the page with the receipts in a state.
func (c *Console) fillReceipts(r *http.Request, stack cli.Stack, p *problems, state inbox.State) error {
	receipts, isCut, err := display.Take(maxRead, display.Entries(stack.Reader().Unapplied(r.Context(), state)), nil)
	var items []problem
	for _, e := range receipts {
		id := payout.ID(e.Key.Payout)
		second, detail := string(e.Source()), e.Result(c.session.Now())
		if state == inbox.Held {
			second, detail = e.Reason, second
		}
		if note := display.HeldNote(c.style(), e.Note); note != "" {
			detail += ": " + note
		}
		if e.Damaged {
			second, detail = "damaged", "It cannot be read."
		}
		cause := url.Values{p.Causes[0]: {e.Provider()}, p.Causes[1]: {second}}
		items = append(items, problem{ID: string(id), Path: payoutPath(id), Cause: cause, At: e.AcceptedAt, Detail: detail})
	}
	p.fill(r, items, isCut)
	return err
}

// held is the page of held callbacks, by provider and reason.
func (c *Console) held(r *http.Request, stack cli.Stack) (view, error) {
	p := problems{Causes: []string{"provider", "reason"}, Since: "Oldest accepted", Column: "held callback", Field: "held",
		About: "Verified callbacks that the stack does not understand. Release parses them again with today's code; dismiss closes them without an event."}
	err := c.fillReceipts(r, stack, &p, inbox.Held)
	provider, reason := r.URL.Query().Get("provider"), r.URL.Query().Get("reason")
	if p.Count > 0 && (reason == "" || slices.Contains(callback.Reasons(), callback.Reason(reason))) {
		form := url.Values{"provider": {provider}, "held-reason": {reason}}
		p.Offers = []offer{c.offer("release-all", "Release all: "+cli.Count(p.Count, "callback")+" …", form)}
	}
	return view{template: "problems.html", Title: "Held", Live: true, Data: &p}, err
}

// waiting is the page of receipts that are not applied yet, by provider and source.
func (c *Console) waiting(r *http.Request, stack cli.Stack) (view, error) {
	p := problems{Causes: []string{"provider", "source"}, Since: "Oldest accepted", Column: "receipt",
		About: "Receipts that are stored and not applied to a payout yet. The sweeper sends them again when they are due."}
	err := c.fillReceipts(r, stack, &p, inbox.Received)
	return view{template: "problems.html", Title: "Waiting", Live: true, Data: &p}, err
}

// fillPayouts fills the page with the payouts of an index. Those that cannot be read have
// the cause damaged.
func (p *problems) fillPayouts(r *http.Request, listed iter.Seq2[dynamostore.Stored, error], describe func(dynamostore.Stored) problem) error {
	payouts, isCut, err := display.Take(maxRead, display.Payouts(listed), nil)
	var items []problem
	for _, stored := range payouts {
		item := problem{Cause: url.Values{p.Causes[0]: {"damaged"}}, At: stored.UpdatedAt, Detail: "It cannot be read; audit shows how to repair it."}
		if stored.Status() != "" {
			item = describe(stored)
		}
		item.ID, item.Path = string(stored.ID), payoutPath(stored.ID)
		items = append(items, item)
	}
	p.fill(r, items, isCut)
	return err
}

// conflicts is the page of payouts in conflict, by the fields in conflict.
func (c *Console) conflicts(r *http.Request, stack cli.Stack) (view, error) {
	p := problems{Causes: []string{"fields"}, Since: "Oldest update", Column: "payout", Field: "payout",
		About: "Payouts for which sources state different values. Ask the provider which is correct, and trust what states it."}
	err := p.fillPayouts(r, stack.Reader().List(r.Context(), dynamostore.Filter{Status: payout.Conflicted}), func(stored dynamostore.Stored) problem {
		var fields, values []string
		for _, value := range (display.History{Record: stored}).ConflictingValues(c.style()) {
			fields, values = append(fields, value.Field), append(values, value.Field+": "+value.Value)
		}
		cause := url.Values{"fields": {strings.Join(slices.Compact(fields), " ")}}
		return problem{Cause: cause, At: stored.UpdatedAt, Detail: strings.Join(values, "; ")}
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
	p := problems{Causes: []string{"reason"}, Since: "Earliest deadline", Column: "payout", Field: "payout",
		About: "Payouts without a final status after their deadline, although the provider was asked or could not be asked."}
	err := p.fillPayouts(r, stack.Reader().List(r.Context(), dynamostore.Filter{Overdue: true}), func(stored dynamostore.Stored) problem {
		item := problem{Cause: url.Values{"reason": {strings.Join(stored.Overdue, " ")}}, At: stored.UpdatedAt, Detail: string(stored.Status())}
		if stored.Deadline != 0 {
			item.At = time.UnixMilli(stored.Deadline).UTC()
		}
		for _, field := range []payout.Field{payout.FieldAmount, payout.FieldCurrency, payout.FieldReference} {
			item.Detail += " " + display.FieldText(stored, field)
		}
		return item
	})
	if len(p.Groups) > 0 {
		p.Offers = []offer{c.offer("reconcile-overdue", "Ask the providers about all overdue payouts", nil)}
	}
	return view{template: "problems.html", Title: "Overdue", Live: true, Data: &p}, err
}

// due is the page of payouts whose query is due, by account and by what the last query led to.
func (c *Console) due(r *http.Request, stack cli.Stack) (view, error) {
	p := problems{Causes: []string{"account", "last query"}, Since: "Due since", Column: "payout", Field: "payout",
		About: "Payouts whose time to ask the provider has come. The reconciler asks each minute."}
	err := p.fillPayouts(r, stack.Reader().Scheduled(r.Context(), c.session.Now(), maxRead), func(stored dynamostore.Stored) problem {
		cause := url.Values{"account": {stored.ID.Provider() + "/" + stored.ID.Account()}, "last query": {stored.Schedule.Result}}
		return problem{Cause: cause, At: stored.Schedule.At, Detail: string(stored.Status()) + ", asked " + cli.Count(stored.Schedule.Tries, "time") + " since its last change"}
	})
	return view{template: "problems.html", Title: "Due queries", Live: true, Data: &p}, err
}

// deadLetters is the page of dead-letter messages, by cause and provider. Reading them
// hides them from the sweeper for a moment, so the page of a deployed stack only counts
// them.
func (c *Console) deadLetters(r *http.Request, stack cli.Stack) (view, error) {
	p := problems{Causes: []string{"cause", "provider"}, Since: "Oldest sent", Column: "message", Field: "message-id",
		About: "Messages that the consumer could not process. The sweeper recovers them: it writes their receipts, and deletes the messages."}
	v := view{template: "problems.html", Title: "Dead-letter messages", Data: &p}
	if c.isReadOnly() {
		depth, err := prove.MeasureQueue(r.Context(), stack, stack.DeadLetterQueueURL)
		if err == nil {
			p.Empty = "The queue has " + cli.Count(int(*depth.Waiting), "message") + ". Reading them would hide them from others: list and redrive them with the commands."
			p.Offers = []offer{c.commandOnly("dlq", "list"), c.offer("redrive-all", "Redrive", nil)}
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
		p.Offers = []offer{c.offer("redrive-all", "Redrive all: "+cli.Count(p.Count, "message")+" …", form)}
	}
	p.Offers = append(p.Offers, c.offer("sweep", "Sweep now, which recovers them", nil))
	return v, err
}
