package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
)

// action is a command of payoutctl that forms offer, at POST /actions/<name>. Each value
// of a field becomes one argument: --name=value, or an operand, which -- separates from
// the flags if it looks like one. Empty fields are omitted, but each operand needs a value.
// Words, flags, switches and operands are separated by spaces.
type action struct {
	words    string // the command, with flags that never change
	flags    string // fields that become --name=value
	switches string // fields that become --name if they are not empty
	operands string // fields that become operands
	effect   effect
	required string                       // field that needs a value, besides the operands
	prefix   string                       // that operands must have
	stdin    func(form url.Values) string // the standard input of the command; nil: it is empty
}

// effect is what an action does to the stack. Each includes those before.
type effect int

const (
	reads   effect = iota
	changes        // is not mounted on a deployed stack
	reasons        // has --reason
	plans          // has --dry-run: runs with it first, and the page of the plan asks for the reason and a confirmation
	partial        // can be carried out for the rest if the plan, with exit code 1, leaves out what it names
)

// lists are the fields whose flags payoutctl splits at commas.
var lists = []string{"trust", "cause", "message-id"}

// maxField bounds a value that becomes an argument.
const maxField = 4096

// line returns the arguments for a form, as a plan or not. Its error is of cli.Usagef.
func (a action) line(form url.Values, isPlan bool) ([]string, error) {
	line, fields := strings.Fields(a.words), strings.Fields(a.flags)
	if a.effect >= reasons && !isPlan {
		fields = append(fields, "reason")
	}
	flagCount := len(fields)
	var operands []string
	for n, field := range append(fields, strings.Fields(a.operands)...) {
		for _, value := range form[field] {
			switch err := a.check(field, value); {
			case err != nil:
				return nil, err
			case n < flagCount:
				line = append(line, "--"+field+"="+value)
			default:
				operands = append(operands, value)
			}
		}
	}
	for field := range strings.FieldsSeq(a.switches) {
		if form.Get(field) != "" {
			line = append(line, "--"+field)
		}
	}
	if isPlan {
		line = append(line, "--dry-run")
	}
	if slices.ContainsFunc(operands, func(operand string) bool { return strings.HasPrefix(operand, "-") }) {
		line = append(line, "--")
	}
	return append(line, operands...), nil
}

// checkGiven refuses a form without what the action is about.
func (a action) checkGiven(form url.Values) error {
	for field := range strings.FieldsSeq(a.required + " " + a.operands) {
		if len(form[field]) == 0 {
			name := strings.NewReplacer("held", "held callback", "-id", "").Replace(field)
			return cli.Usagef("Go back, and check or enter it.", "no %s is checked or entered", name)
		}
	}
	return nil
}

// check refuses a value that a command line cannot show as it is, or that payoutctl would
// read as several.
func (a action) check(field, value string) error {
	switch {
	case len(value) > maxField:
		return cli.Usagef("", "%s has more than %d bytes", field, maxField)
	case cli.Clean(value) != value:
		return cli.Usagef("", "%s contains a character that cannot be printed: %s", field, cli.Clean(value))
	case strings.Contains(a.operands, field) && !strings.HasPrefix(value, a.prefix):
		return cli.Usagef("", "%s does not begin with %s: %s", field, a.prefix, value)
	case slices.Contains(lists, field) && strings.Contains(value, ","):
		return cli.Usagef("", "%s contains a comma: %s", field, value)
	}
	return nil
}

func (c *Console) addActions(mux *http.ServeMux) {
	for name, a := range actions {
		if a.effect == reads || !c.isReadOnly() {
			mux.Handle("POST /actions/"+name, c.post(onStack(c, func(r *http.Request, stack cli.Stack) (string, error) { return c.act(r, stack, name, a) })))
		}
	}
	mux.Handle("POST /jobs/{id}/cancel", c.post(func(r *http.Request) (string, error) {
		job := c.jobs.find(r.PathValue("id"))
		if job == nil {
			return "", errNotFound
		}
		job.cancel()
		return "/jobs/" + job.ID, nil
	}))
}

const (
	// maxForm bounds a form, with a body of a callback in it.
	maxForm = 1 << 20
	// maxRefused bounds what is read of a larger form, so that the browser shows the answer.
	maxRefused = 64 << 20
	// quick is how long an action may take to be shown without an intermediate page.
	quick = 2 * time.Second
)

// post returns the handler of a form, without its empty fields. It redirects to the path
// that handle returns.
func (c *Console) post(handle func(r *http.Request) (string, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		whole := r.Body
		r.Body = http.MaxBytesReader(w, whole, maxForm)
		contentType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		switch err := r.ParseForm(); {
		case errors.As(err, new(*http.MaxBytesError)):
			_, _ = io.CopyN(io.Discard, whole, maxRefused)
			c.fail(w, r, http.StatusRequestEntityTooLarge, "The form is too large",
				fmt.Sprintf("A form may have %d bytes, with escaped characters. Nothing was run.", maxForm))
			return
		case err != nil || r.ContentLength != 0 && contentType != "application/x-www-form-urlencoded":
			c.fail(w, r, http.StatusBadRequest, "The form is not valid", "It is not encoded as browsers encode forms. Nothing was run.")
			return
		}
		maps.DeleteFunc(r.PostForm, func(_ string, values []string) bool { return strings.Join(values, "") == "" })
		target, err := handle(r)
		if err != nil {
			c.failWith(w, r, err)
			return
		}
		http.Redirect(w, r, target, http.StatusSeeOther)
	})
}

// act starts the command of a form, which outlives the request, and returns the path of
// its page.
func (c *Console) act(r *http.Request, stack cli.Stack, name string, a action) (string, error) { //nolint:contextcheck // see above
	isPlan := a.effect >= plans && r.PostForm.Get("confirmed") == ""
	line, err := a.line(r.PostForm, isPlan)
	if err = cmp.Or(a.checkGiven(r.PostForm), err); err != nil {
		return "", err
	}
	from := referer(r)
	if plan := c.jobs.find(strings.TrimPrefix(from, "/jobs/")); plan != nil {
		from = plan.From
	}
	ctx, cancel := context.WithTimeout(c.jobs.ctx, jobTimeout)
	started := &job{Line: c.commandLine(line), From: from, Action: name, Started: c.session.Now(), action: a, cancel: cancel, done: make(chan struct{}), wrote: c.hub.announce}
	if isPlan {
		started.Form = r.PostForm
	}
	stdin := ""
	if a.stdin != nil {
		stdin = a.stdin(r.PostForm)
	}
	c.jobs.add(started)
	session := &cli.Session{
		Streams: cli.Streams{Stdin: strings.NewReader(stdin), Stdout: started, Stderr: started},
		Env:     c.session.Env, Now: c.session.Now, RunLine: c.session.RunLine, Opened: &stack,
	}
	program := strings.Fields(c.session.Program())
	go func() {
		defer cancel()
		started.code = c.session.RunLine(ctx, session, slices.Concat(program[1:], line))
		started.hasStopped = ctx.Err() != nil
		close(started.done)
		c.hub.announce()
	}()
	select {
	case <-started.done:
	case <-time.After(quick):
	case <-r.Context().Done():
	}
	return "/jobs/" + started.ID, nil
}

// referer returns the path of the console's page with the form of a request, or "".
func referer(r *http.Request) string {
	from, err := url.Parse(r.Referer())
	if err != nil || from.Host != r.Host {
		return ""
	}
	return localPath(from.EscapedPath(), from.Query())
}

// commandLine returns a command line of payoutctl for this stack as a person types it.
func (c *Console) commandLine(args []string) string {
	line := []string{c.session.Program()}
	for _, arg := range args {
		line = append(line, cli.Quote(arg))
	}
	return strings.Join(line, " ")
}
