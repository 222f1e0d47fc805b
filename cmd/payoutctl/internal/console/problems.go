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

	"payout-callbacks/cmd/payoutctl/internal/cli"
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

// path returns the path of the page that a field of the query names; of the first page
// without it.
func (p pages) path(field, page string) string {
	query := p.url.Query()
	if query.Del(field); page != "" {
		query.Set(field, page)
	}
	return p.url.Path + "?" + query.Encode()
}

// problem is something that needs a person: a held callback, a payout, a message.
type problem struct {
	ID     string
	Path   string   // of its page, or ""
	Cause  []string // by which the page groups, in the order of its causes
	At     time.Time
	Detail string
}

// problemGroup counts the problems with the same cause.
type problemGroup struct {
	Cause  []string
	Path   string
	Count  int
	Oldest time.Time
}

// problems is a page of problems: their groups, and the list of those that the query
// selects.
type problems struct {
	pages

	Causes  []string // headings, and fields of the query
	Since   string   // heading of the time
	Column  string   // heading of the problems
	Field   string   // of forms, for the id of a problem
	Empty   string
	Note    string // a limit of the list
	Groups  []problemGroup
	Items   []problem
	Count   int     // of the selected problems
	Cleared string  // path of the page that selects all, if this page does not
	Offers  []offer // for all that are selected
	Checked []offer // for those that a person checks
	CanSave bool    // each has a button that shows it, and there are fields for a file and a reason
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

// fill groups the problems, and lists those that the query selects.
func (p *problems) fill(r *http.Request, all []problem) {
	if len(all) > maxRead {
		p.Note = "These are the first " + strconv.Itoa(maxRead) + "; there are more."
		all = all[:maxRead]
	}
	p.url = r.URL
	p.group(r.URL.Path, all)
	query := r.URL.Query()
	if slices.ContainsFunc(p.Causes, query.Has) {
		p.Cleared = r.URL.Path
		all = slices.DeleteFunc(all, func(item problem) bool { return !p.selects(query, item) })
	}
	p.Count = len(all)
	onPages := slices.Collect(slices.Chunk(all, pageSize))
	page, _ := strconv.Atoi(query.Get("page"))
	page = min(max(page, 1), len(onPages))
	if page > 0 {
		p.Items = onPages[page-1]
	}
	if page > 1 {
		p.Previous = p.path("page", strconv.Itoa(page-1))
	}
	if page < len(onPages) {
		p.Next = p.path("page", strconv.Itoa(page+1))
	}
}

// selects reports whether a problem has the causes of the query.
func (p *problems) selects(query url.Values, item problem) bool {
	for n, cause := range p.Causes {
		if query.Has(cause) && query.Get(cause) != item.Cause[n] {
			return false
		}
	}
	return true
}

func (p *problems) group(path string, items []problem) {
	for _, item := range items {
		at := slices.IndexFunc(p.Groups, func(g problemGroup) bool { return slices.Equal(g.Cause, item.Cause) })
		if at < 0 {
			query := url.Values{}
			for n, cause := range p.Causes {
				query.Set(cause, item.Cause[n])
			}
			p.Groups = append(p.Groups, problemGroup{Cause: item.Cause, Path: path + "?" + query.Encode(), Oldest: item.At})
			at = len(p.Groups) - 1
		}
		p.Groups[at].Count++
		if item.At.Before(p.Groups[at].Oldest) {
			p.Groups[at].Oldest = item.At
		}
	}
	slices.SortStableFunc(p.Groups, func(a, b problemGroup) int {
		return cmp.Or(b.Count-a.Count, slices.Compare(a.Cause, b.Cause))
	})
}

// all names all problems of a selection in a label.
func (p *problems) all(noun string) string {
	if p.Count == 1 {
		return "the " + noun
	}
	return "all " + cli.Count(p.Count, noun)
}
