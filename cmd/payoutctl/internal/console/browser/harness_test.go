package browser_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'"

// serve returns the address of a page and of what it needs.
func serve(t *testing.T, pages map[string]string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := pages[r.URL.Path]
		if !ok && r.URL.Path != "/favicon.ico" {
			w.WriteHeader(http.StatusNotFound)
		}
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Content-Type", map[bool]string{true: "text/javascript", false: "text/html; charset=utf-8"}[strings.HasSuffix(r.URL.Path, ".js")])
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// page returns a page that breaks no rule, with a body.
func page(body string) string {
	return `<!doctype html><html lang="en"><title>Test</title><header>Console</header><nav><a href="/">Home</a></nav><main>` +
		`<h1>Test</h1>` + body + `</main></html>`
}

// Each rule of accessibility finds what breaks it.
func TestRules_FindWhatBreaksThem(t *testing.T) {
	for name, broken := range map[string]string{
		`a button has no name`:                         `<button></button>`,
		`a textbox has no name`:                        `<input>`,
		`2 headings of level 1, want 1`:                `<h1>Again</h1>`,
		`table without a caption`:                      `<table><tr><th scope="col">Name</table>`,
		`th without a scope`:                           `<table><caption>Names</caption><tr><th>Name</table>`,
		`form without an absolute path`:                `<form method="post"></form>`,
		`link to another host`:                         `<a href="https://example.com/">there</a>`,
		`two elements with the id x`:                   `<p id="x"></p><p id="x"></p>`,
		`for names no element`:                         `<label for="none">Name</label>`,
		`live region for rows`:                         `<table><caption>Rows</caption><tr aria-live="polite"><td>1</table>`,
		`at 200 % zoom the page is`:                    `<pre>` + strings.Repeat("wide ", 200) + `</pre>`,
		`light: contrast 1.61 of font. "pale"`:         `<font color="#ccc">pale</font>`,
		`dark: contrast 1.61 of font. "pale"`:          `<font color="#ccc">pale</font>`,
		`light: contrast 1.00 of font. "not readable"`: `<table bgcolor="#000000"><caption>Names</caption><tr><td><font color="#000000">not readable</font></table>`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newTab(t)
			b.open(serve(t, map[string]string{"/": page(broken)}))
			if got := b.brokenRules(); !slices.ContainsFunc(got, func(rule string) bool { return strings.HasPrefix(rule, name) }) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestRules_AcceptASoundPage(t *testing.T) {
	b := newTab(t)
	b.open(serve(t, map[string]string{"/": page(`<form method="post" action="/"><label>Name <input></label><button>Send</button></form>`)}))
	b.check()
}

// What the browser reports is a problem of the test.
func TestTab_CollectsProblems(t *testing.T) {
	for name, parts := range map[string]map[string]string{
		"violation of the content security policy: style-src-attr":  {"/": page(`<p style="color: red">x</p>`)},
		"violation of the content security policy: script-src-elem": {"/": page(`<script>1</script>`)},
		"request to another host: https://example.com/":             {"/": page(`<img alt="x" src="https://example.com/">`)},
		"the page wrote to the console: log \"hello\"":              {"/": page(`<script src="/a.js"></script>`), "/a.js": `console.log("hello")`},
		"exception in the script: Uncaught":                         {"/": page(`<script src="/a.js"></script>`), "/a.js": `throw new Error("x")`},
		"the browser logged: error Failed to load":                  {"/": page(`<img alt="x" src="/none.png">`)},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTab(t)
			b.open(serve(t, parts))
			var all []string
			b.until("the problem is reported", "true")
			all = b.takeProblems()
			if !slices.ContainsFunc(all, func(problem string) bool { return strings.HasPrefix(problem, name) }) {
				t.Errorf("got %q", all)
			}
		})
	}
}

// Each way of operating a page fills a form, sends it, and follows a link.
func TestTab_Ways(t *testing.T) {
	for _, w := range []way{mouse, keyboard, noScript} {
		t.Run(string(w), func(t *testing.T) {
			var got []string
			server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				rw.Header().Set("Content-Type", "text/html; charset=utf-8")
				if r.Method == http.MethodPost {
					_ = r.ParseForm()
					got = []string{r.Form.Get("name"), r.Form.Get("color"), r.Form.Get("sure")}
					_, _ = rw.Write([]byte(page(`<p>sent</p><a href="/">Back</a>`)))
					return
				}
				_, _ = rw.Write([]byte(page(`<form method="post" action="/"><label>Name <input name="name" value="old"></label>
					<label>Color <select name="color"><option>red<option>green</select></label>
					<label><input type="checkbox" name="sure"> I am sure</label><button>Send</button></form>`)))
			}))
			t.Cleanup(server.Close)
			b := newTab(t)
			b.use(w)
			b.open(server.URL)
			b.fill("Name", "Åsa 1")
			b.choose("Color", "green")
			b.press("checkbox", "I am sure")
			b.follow(func() { b.press("button", "Send") })
			b.untilText("sent")
			if diff := cmp.Diff([]string{"Åsa 1", "green", "on"}, got); diff != "" {
				t.Error(diff)
			}
			b.follow(func() { b.press("link", "Back") })
			b.find("button", "Send")
		})
	}
}
