package console

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/aws/smithy-go"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/payout"
)

// page returns what a page shows. errNotFound gives 404.
type page func(r *http.Request) (view, error)

// view is the content of a page: a template in templates/, and its data.
type view struct {
	template string
	Title    string
	Live     bool // its elements with data-live are read again when something changes
	Data     any
}

var errNotFound = errors.New("not found")

// layout is the data of templates/layout.html.
type layout struct {
	view

	Path     string
	Pages    []link
	Place    string // of a deployed stack
	ReadOnly bool
	Now      time.Time
}

type link struct{ Path, Title string }

// parseTemplates parses each page together with the layout and the parts.
func (c *Console) parseTemplates() {
	functions := template.FuncMap{
		"payoutPath": payoutPath, "field": display.FieldText, "utc": cli.FormatTime, "local": localTime, "statusClass": statusClass, "linked": linked, "marked": marked,
		"age":   func(at time.Time) string { return cli.FormatAge(c.session.Now().Sub(at)) },
		"count": cli.Count, "colourClass": colourClass, "verdictClass": verdictClass, "contains": strings.Contains, "exportPath": exportPath,
	}
	pages, _ := fs.Glob(files, "templates/*.html") // fails for another pattern only
	for _, page := range pages {
		parsed := template.New("layout.html").Funcs(functions)
		c.templates[path.Base(page)] = template.Must(parsed.ParseFS(files, "templates/layout.html", "templates/parts.html", page))
	}
}

// onStack returns the handling of a request that needs the stack.
func onStack[T any](c *Console, handle func(r *http.Request, stack cli.Stack) (T, error)) func(r *http.Request) (T, error) {
	return func(r *http.Request) (result T, err error) {
		stack, err := c.stack(r.Context())
		if err != nil {
			return result, err
		}
		return handle(r, stack)
	}
}

// pageTimeout bounds what a page reads: the SDK itself tries again for a minute.
const pageTimeout = 15 * time.Second

// show serves a page.
func (c *Console) show(p page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), pageTimeout)
		defer cancel()
		v, err := p(r.WithContext(ctx))
		if err != nil {
			c.failWith(w, r, err)
			return
		}
		c.write(w, r, http.StatusOK, v)
	})
}

// failWith shows an error of the stack, of AWS or of the request, and what to do.
func (c *Console) failWith(w http.ResponseWriter, r *http.Request, err error) {
	// DynamoDB refuses a key that is empty or too long: nothing has it.
	if api, ok := errors.AsType[smithy.APIError](err); errors.Is(err, errNotFound) || ok && api.ErrorCode() == "ValidationException" {
		c.fail(w, r, http.StatusNotFound, "Not found", "The stack has no payout or receipt of this name, and the console no such page or command.",
			"A payout is known once its callback, its expectation or an answer to a query about it is applied. Commands are known until the console ends.")
		return
	}
	exit := cli.AsExitError(err)
	code, title := http.StatusBadGateway, "The stack does not answer"
	if exit.Code == cli.ExitUsage {
		code, title = http.StatusBadRequest, "The request is not valid"
	}
	c.fail(w, r, code, title, exit.Error(), exit.Hint)
}

// fail shows a page with an error, and the way back. That of a stack that does not answer
// is read again until it does.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, code int, title string, texts ...string) {
	isLive := code == http.StatusBadGateway && r.Method == http.MethodGet
	c.write(w, r, code, view{template: "error.html", Title: title, Live: isLive, Data: map[string]any{"Texts": texts, "From": referer(r)}})
}

// write renders a page. Control characters and characters that change the direction of
// text are escaped in the whole page, whatever their origin.
func (c *Console) write(w http.ResponseWriter, r *http.Request, code int, v view) {
	data := layout{view: v, Path: r.URL.Path, Pages: c.menu, ReadOnly: c.isReadOnly(), Now: c.session.Now()}
	if c.deployed != nil {
		account := path.Base(path.Dir(c.deployed.EventsQueueURL))
		data.Place = fmt.Sprintf("%s in %s, account %s", c.deployed.Name, c.deployed.AWS.Region, account)
	}
	var page bytes.Buffer
	if err := c.templates[v.template].ExecuteTemplate(&page, "layout.html", data); err != nil {
		http.Error(w, "render "+v.template+": "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	for line := range strings.Lines(page.String()) {
		_, _ = fmt.Fprintln(w, cli.Clean(strings.TrimRight(line, "\r\n")))
	}
}

// payoutPath returns the path of a payout's page. An id with an empty segment is one
// escaped segment, because browsers and servers clean such paths.
func payoutPath(id payout.ID) string {
	segments := strings.Split(string(id), "/")
	for n, segment := range segments {
		if segment == "" || segment == "." || segment == ".." {
			return "/payouts/" + url.PathEscape(string(id))
		}
		segments[n] = url.PathEscape(segment)
	}
	return "/payouts/" + strings.Join(segments, "/")
}

// localPath returns an escaped path of this console, never that of another host.
func localPath(escaped string, query url.Values) string {
	return strings.TrimSuffix(path.Clean("/"+escaped)+"?"+query.Encode(), "?")
}

// localTime formats a time in the zone of this machine.
func localTime(at time.Time) string { return at.Local().Format("2006-01-02 15:04:05 MST") } //nolint:gosmopolitan // of the person

// statusClass returns the class of a status in the stylesheet; the word itself is shown, too.
func statusClass(status payout.Status) string {
	return colourClass(cli.StatusColour(status))
}

// colourClass returns the class of a colour in the stylesheet.
func colourClass(colour string) string {
	return map[string]string{cli.Green: "good", cli.Red: "bad", cli.Yellow: "waiting"}[colour]
}

// segment is a part of a text: a link if it has a path, or a word with a class of the stylesheet.
type segment struct{ Text, Path, Class string }

// linkPattern matches the ids of payouts and held callbacks, with the punctuation behind,
// and the commands that a page shows the result of.
var linkPattern = regexp.MustCompile(`(?:held/)?(?:` + strings.ReplaceAll(cli.JoinNames(cli.ProviderNames()), ", ", "|") + `)/[a-z-]+/\S+|` +
	`payoutctl --(?:local|stack \S+)(?: --(?:region|profile) \S+)* (receipts held|payouts --status conflicted|payouts --overdue|dlq list|audit|doctor)\b`)

// commandPages are the pages that show the results of commands.
var commandPages = map[string]string{
	"receipts held": "/held", "payouts --status conflicted": "/conflicts", "payouts --overdue": "/overdue", "dlq list": "/dead-letters",
	"audit": "/audit", "doctor": "/doctor",
}

// outputPattern matches also a word that begins a line of a command's output: the result
// of a check of doctor, or the kind of a finding of audit.
var outputPattern = regexp.MustCompile(linkPattern.String() + `|(?m:^(ok|warn|unknown|fail|(?:receipt|payout|fact|acknowledged)-[a-z-]+)\b)`)

// linked splits a text at the ids and the commands that become links.
func linked(text string) []segment { return split(text, linkPattern) }

// marked is linked for the output of a command, whose results have a class.
func marked(text string) []segment { return split(text, outputPattern) }

func split(text string, pattern *regexp.Regexp) []segment {
	var segments []segment
	end := 0
	for _, at := range pattern.FindAllStringSubmatchIndex(text, -1) {
		found := segment{Text: strings.TrimRight(text[at[0]:at[1]], `.,:;)'"`)}
		switch {
		case at[2] >= 0:
			found.Path = commandPages[text[at[2]:at[3]]]
		case len(at) > 4 && at[4] >= 0:
			found.Class = cmp.Or(map[string]string{"ok": "good", "warn": "waiting", "unknown": "waiting"}[found.Text], "bad")
		case strings.ContainsAny(found.Text, `'"(`): // where the id ends is not known
			continue
		default:
			found.Path = payoutPath(payout.ID(found.Text))
		}
		segments = append(segments, segment{Text: text[end:at[0]]}, found)
		end = at[0] + len(found.Text)
	}
	return append(segments, segment{Text: text[end:]})
}
