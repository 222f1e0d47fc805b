package console

import (
	"context"
	"embed"
	"html/template"
	"net/http"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
)

//go:embed static templates
var files embed.FS

// Options are the settings of a console.
type Options struct {
	Port       int    // on which it is served
	Token      string // which opens it
	ShowBodies bool   // on a deployed stack
}

// Console serves the pages of one stack. It is safe for concurrent use.
type Console struct {
	Options

	session   *cli.Session
	deployed  *cli.Stack // nil for the local stack
	templates map[string]*template.Template
	menu      []link
	hub       hub
	table     table
	cache     overviewCache
	jobs      jobs
	logs      logs // of the local stack
	handler   http.Handler
}

// New returns the console of a stack. What it runs in the background ends with ctx.
func New(ctx context.Context, s *cli.Session, stack cli.Stack, options Options) *Console {
	c := &Console{Options: options, session: s, jobs: jobs{ctx: ctx}, templates: map[string]*template.Template{}}
	if !stack.Local {
		stack.AWS.APIOptions = append(stack.AWS.APIOptions, refuseChanges)
		c.deployed = &stack
	}
	c.parseTemplates()
	mux := http.NewServeMux()
	mux.Handle("GET /static/", http.FileServerFS(files))
	mux.HandleFunc("GET /events", c.serveEvents)
	c.addPages(mux)
	c.addActions(mux)
	c.handler = c.secure(mux)
	return c
}

// ServeHTTP implements http.Handler.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// isReadOnly reports whether the console changes nothing, because the stack is deployed.
func (c *Console) isReadOnly() bool { return c.deployed != nil }

// masks reports whether bodies and recipients are masked.
func (c *Console) masks() bool { return c.isReadOnly() && !c.ShowBodies }

// stack returns the stack. It reads the description of the local stack each time, so
// that the pages work again after a restart.
func (c *Console) stack(ctx context.Context) (cli.Stack, error) {
	if c.deployed != nil {
		return *c.deployed, nil
	}
	return c.session.OpenStack(ctx)
}

// addPages adds the pages, of which those with a title are in the menu. Those of the
// simulated providers and of the fault switches exist on the local stack only.
func (c *Console) addPages(mux *http.ServeMux) {
	for _, p := range []struct {
		path, title string
		isLocal     bool
		show        page
	}{
		{"/{$}", "Overview", false, onStack(c, c.overview)},
		{"/callbacks", "Callbacks", true, onStack(c, c.callbacks)},
		{"/callbacks/{payout}/{receipt}", "", false, onStack(c, c.storedCallback)},
		{"/payouts", "Payouts", false, onStack(c, c.payouts)},
		{"/payouts/{id...}", "", false, onStack(c, c.payout)},
		{"/held", "Held", false, onStack(c, c.held)},
		{"/waiting", "Waiting", false, onStack(c, c.waiting)},
		{"/conflicts", "Conflicts", false, onStack(c, c.conflicts)},
		{"/overdue", "Overdue", false, onStack(c, c.overdue)},
		{"/due", "Due queries", false, onStack(c, c.due)},
		{"/dead-letters", "Dead-letter messages", false, onStack(c, c.deadLetters)},
		{"/audit", "Audit", false, c.check("audit", "Audit")},
		{"/doctor", "Doctor", false, c.check("doctor", "Doctor")},
		{"/explain", "Explain", false, c.explain},
		{"/providers", "Providers", true, onStack(c, c.providers)},
		{"/faults", "Faults", true, onStack(c, c.faults)},
		{"/jobs", "Commands", false, c.jobList},
		{"/jobs/{id}", "", false, c.job},
	} {
		if p.isLocal && c.isReadOnly() {
			continue
		}
		if p.title != "" {
			c.menu = append(c.menu, link{strings.TrimSuffix(p.path, "{$}"), p.title})
		}
		mux.Handle("GET "+p.path, c.show(p.show))
	}
	mux.Handle("GET /", c.show(func(*http.Request) (view, error) { return view{}, errNotFound }))
	mux.HandleFunc("GET /callbacks/{payout}/{receipt}/vector", c.serveVector)
	mux.Handle("POST /search", c.post(onStack(c, c.search)))
	mux.Handle("POST /scan", c.post(onStack(c, c.scan)))
	if !c.isReadOnly() {
		mux.Handle("POST /providers/{control}", c.post(onStack(c, controlProvider)))
		mux.Handle("POST /faults", c.post(onStack(c, setFault)))
	}
}
