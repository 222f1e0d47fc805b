package console

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// maxRead limits what a page reads of an index, or of the dead-letter queue.
	maxRead = 1000
	// pageSize is the number of payouts, or of problems, on a page.
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
}

// problemGroup counts the problems with the same cause.
type problemGroup struct {
	Path   string
	Cause  url.Values
	Count  int
	Oldest time.Time
}

// problems is a page of problems: their groups, and the list of those that the query
// selects.
type problems struct {
	pages

	Causes []string // headings, and fields of the query
	Since  string   // heading of the time
	Column string   // heading of the problems
	Field  string   // of forms, for the id of a problem
	Empty  string
	IsCut  bool // there are more
	Groups []problemGroup
	HasAll bool // no cause is selected
	Items  []problem
	Count  int     // of the selected problems
	Offers []offer // for all that are selected
}

// offer is an action with a form, and the command line that does the same. On a deployed
// stack, only an action that reads has a form.
type offer struct {
	Action, Label string
	Form          url.Values
	NeedsReason   bool
	Command       string
}

// offer returns the offer of an action for a form, without its empty fields.
func (c *Console) offer(name, label string, form url.Values) offer {
	maps.DeleteFunc(form, func(_ string, values []string) bool { return values[0] == "" })
	a := actions[name]
	o := offer{Label: label, Form: form, NeedsReason: a.effect == reasons}
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
		isOther := func(cause string) bool { return query.Has(cause) && query.Get(cause) != item.Cause.Get(cause) }
		if !slices.ContainsFunc(p.Causes, isOther) {
			selected = append(selected, item)
		}
	}
	slices.SortFunc(p.Groups, func(a, b problemGroup) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Path, b.Path)) })
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
	n := slices.IndexFunc(p.Groups, func(group problemGroup) bool { return group.Path == path })
	if n < 0 {
		n = len(p.Groups)
		p.Groups = append(p.Groups, problemGroup{Path: path, Cause: item.Cause, Oldest: item.At})
	}
	p.Groups[n].Count++
	if item.At.Before(p.Groups[n].Oldest) {
		p.Groups[n].Oldest = item.At
	}
}
