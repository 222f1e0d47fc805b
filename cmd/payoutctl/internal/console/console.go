package console

import (
	"context"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
)

//go:embed static
var static embed.FS

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
	hub       hub
	table     table
	cache     overviewCache
	jobs      jobs

	callbackLog callbackLog // of the local stack
	handler     http.Handler
}

// New returns the console of a stack. What it runs in the background ends with ctx.
func New(ctx context.Context, s *cli.Session, stack cli.Stack, options Options) (*Console, error) {
	c := &Console{Options: options, session: s, jobs: jobs{ctx: ctx}}
	if !stack.Local {
		stack.AWS.APIOptions = append(stack.AWS.APIOptions, refuseChanges)
		c.deployed = &stack
		go c.hub.announceRegularly(ctx)
	}
	var err error
	if c.templates, err = parseTemplates(c); err != nil {
		return nil, err
	}
	assets, err := fs.Sub(static, "static")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(assets)))
	mux.HandleFunc("GET /events", c.serveEvents)
	c.addPages(mux)
	c.addActions(mux)
	c.addLocal(ctx, mux)
	c.handler = c.secure(mux)
	return c, nil
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

// now returns the current time.
func (c *Console) now() time.Time { return c.session.Now() }

// addPages adds the pages. Those of the simulated providers and of the fault switches
// exist on the local stack only.
func (c *Console) addPages(mux *http.ServeMux) {
	pages := map[string]page{
		"/{$}":             onStack(c, c.overview),
		"/payouts":         onStack(c, c.payouts),
		"/payouts/{id...}": onStack(c, c.payout),
		"/held":            onStack(c, c.held),
		"/conflicts":       onStack(c, c.conflicts),
		"/overdue":         onStack(c, c.overdue),
		"/dead-letters":    onStack(c, c.deadLetters),
		"/audit":           c.check("audit", "Audit"),
		"/doctor":          c.check("doctor", "Doctor"),
		"/explain":         c.explain,
		"/jobs":            c.jobList,
		"/jobs/{id}":       c.job,
		"/":                c.unknown,
	}
	for path, show := range pages {
		mux.Handle("GET "+path, c.show(show))
	}
	mux.Handle("POST /search", c.post(onStack(c, c.search)))
	mux.Handle("POST /scan", c.post(onStack(c, c.scan)))
}

// unknown is the page of a path that does not exist.
func (c *Console) unknown(*http.Request) (view, error) { return view{}, errNotFound }
