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
)

const (
	// maxProblems bounds what a page of problems reads.
	maxProblems = 1000
	// pageProblems is the number of problems on a page.
	pageProblems = 50
)

// problem is something that needs a person: a held callback, a payout, a message.
type problem struct {
	Value  string   // in forms: its id
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
	Note     string // a limit of the list
	Empty    string
	Causes   []string // headings, and fields of the query
	Since    string   // heading of the time
	Column   string   // heading of the problems
	Groups   []problemGroup
	Items    []problem
	Count    int // of the selected problems
	Cleared  string
	Previous string
	Next     string
	Offers   []offer // for all that are selected
	Checked  []offer // for those that a person checks
	Field    string  // of the checked
	CanSave  bool    // each has a button that shows it, and there are fields for a file and a reason
}

// offer is an action with a form, and the command line that does the same. On a deployed
// stack, only an action that reads has a form.
type offer struct {
	Action, Label string
	Form          url.Values
	NeedsReason   bool
	Command       string
}

// offer returns the offer of an action for a form.
func (c *Console) offer(name, label string, form url.Values) offer {
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

// fill reads the problems, groups them, and lists those that the query selects.
func (p *problems) fill(r *http.Request, all iter.Seq2[problem, error]) error {
	query := r.URL.Query()
	items, more, err := display.Take(maxProblems, all, func(problem) bool { return true })
	if err != nil {
		return err
	}
	if more {
		p.Note = "These are the first " + strconv.Itoa(maxProblems) + "; there are more."
	}
	path := r.URL.Path
	selected := slices.DeleteFunc(slices.Clone(items), func(i problem) bool { return !p.selects(query, i) })
	p.group(path, items)
	p.Count = len(selected)
	if slices.ContainsFunc(p.Causes, query.Has) {
		p.Cleared = path
	}
	first := 0
	if n, err := strconv.Atoi(query.Get("page")); err == nil && n > 1 && (n-1)*pageProblems < len(selected) {
		first = (n - 1) * pageProblems
		p.Previous = pagePath(path, query, "page", strconv.Itoa(n-1))
	}
	last := min(first+pageProblems, len(selected))
	if p.Items = selected[first:last]; last < len(selected) {
		p.Next = pagePath(path, query, "page", strconv.Itoa(first/pageProblems+2))
	}
	return nil
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
		return cmp.Or(b.Count-a.Count, strings.Compare(strings.Join(a.Cause, " "), strings.Join(b.Cause, " ")))
	})
}

// selection returns what the query selects as fields of a form, by the causes' fields.
func selection(r *http.Request, fields map[string]string) url.Values {
	form := url.Values{}
	for cause, field := range fields {
		if value := r.URL.Query().Get(cause); value != "" {
			form.Set(field, value)
		}
	}
	return form
}

// all names all problems of a selection in a label.
func (p *problems) all(noun string) string {
	if p.Count == 1 {
		return "the " + noun
	}
	return "all " + cli.Count(p.Count, noun)
}
