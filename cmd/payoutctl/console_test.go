package main_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	payoutctl "payout-callbacks/cmd/payoutctl"
	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/console"
)

const consoleToken = "0123456789abcdefghij"

// consoleOf is the console of a stack, in a browser that has the token.
type consoleOf struct {
	t       *testing.T
	handler http.Handler
	ran     chan ranLine
}

// ranLine is a command line that the console ran.
type ranLine struct {
	args  []string
	stdin string
}

// newConsole returns the console of a stack. run runs its command lines; nil: they are
// only recorded.
func newConsole(t *testing.T, stack cli.Stack, run func(context.Context, *cli.Session, []string) int) *consoleOf {
	t.Helper()
	c := &consoleOf{t: t, ran: make(chan ranLine, 100)}
	if run == nil {
		run = func(_ context.Context, s *cli.Session, args []string) int {
			stdin, err := io.ReadAll(s.Stdin)
			if err != nil {
				t.Error(err)
			}
			c.ran <- ranLine{args, string(stdin)}
			return 0
		}
	}
	s := &cli.Session{Env: func(string) string { return "" }, Now: time.Now, RunLine: run, Opened: &stack}
	if s.Flags.Local = stack.Local; !stack.Local {
		s.Flags.Stack = stack.Name
	}
	served := console.New(t.Context(), s, stack, console.Options{Port: 4567, Token: consoleToken})
	c.handler = served
	return c
}

func (c *consoleOf) send(method, path, form string) *httptest.ResponseRecorder {
	c.t.Helper()
	return c.sendFrom("", method, path, form)
}

// sendFrom sends a request that begins on a page.
func (c *consoleOf) sendFrom(referer, method, path, form string) *httptest.ResponseRecorder {
	c.t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1:4567"+path, strings.NewReader(form))
	r.AddCookie(&http.Cookie{Name: "payout-console-4567", Value: consoleToken})
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Referer", referer)
	recorder := httptest.NewRecorder()
	c.handler.ServeHTTP(recorder, r)
	return recorder
}

// status returns the status of an answer.
func (c *consoleOf) status(method, path, form string) int {
	c.t.Helper()
	return c.send(method, path, form).Code
}

// get returns a page, which must have the code.
func (c *consoleOf) get(path string, code int) string {
	c.t.Helper()
	return c.text(c.send(http.MethodGet, path, ""), path, code)
}

func (c *consoleOf) text(response *httptest.ResponseRecorder, path string, code int) string {
	c.t.Helper()
	text := response.Body.String()
	if response.Code != code {
		c.t.Errorf("%s: status %d, want %d\n%s", path, response.Code, code, text)
	}
	return text
}

// act sends the form of an action and returns the page of its job, once it has ended.
func (c *consoleOf) act(name string, form url.Values) string {
	c.t.Helper()
	response := c.send(http.MethodPost, "/actions/"+name, form.Encode())
	if response.Code != http.StatusSeeOther {
		return c.text(response, name, http.StatusSeeOther)
	}
	return c.ended(response.Header().Get("Location"))
}

// ended returns the page of a job that has ended.
func (c *consoleOf) ended(job string) string {
	c.t.Helper()
	for {
		page := c.get(job, http.StatusOK)
		if !strings.Contains(page, "running since") {
			return page
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// awaitChange opens the stream of announcements, and reports whether it announces a change.
func (c *consoleOf) awaitChange() <-chan bool {
	c.t.Helper()
	server := httptest.NewServer(c.handler)
	c.t.Cleanup(server.Close)
	response := c.post(server.URL, http.MethodGet, "/events", "")
	c.t.Cleanup(func() { _ = response.Body.Close() })
	lines := bufio.NewScanner(response.Body)
	lines.Scan() // the stream is open
	changed := make(chan bool, 1)
	go func() {
		for lines.Scan() {
			if lines.Text() == "event: changed" {
				changed <- true
				return
			}
		}
		changed <- false
	}()
	return changed
}

// post sends a request to a server of the console.
func (c *consoleOf) post(server, method, path, form string) *http.Response {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, server+path, strings.NewReader(form))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Host = "127.0.0.1:4567"
	r.AddCookie(&http.Cookie{Name: "payout-console-4567", Value: consoleToken})
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	return response
}

// actionForm is a form of an action, and the command line that it runs. Values of a field
// are separated by spaces.
type actionForm struct{ action, form, line string }

func actionForms() []actionForm {
	return []actionForm{
		{"resolve", "payout=cregis/payout/1/2 trust=succeeded/a trust=failed/b", "resolve --trust=succeeded/a --trust=failed/b --dry-run cregis/payout/1/2"},
		{"resolve", "payout=order-1 trust=succeeded/ confirmed=yes reason=why", "resolve --trust=succeeded/ --reason=why order-1"},
		{"resolve-all", "trust=query cause=amount cause=status", "resolve --all --trust=query --cause=amount --cause=status --dry-run"},
		{"close", "payout=order-1 status=failed reason=why", "close --status=failed --reason=why order-1"},
		{"release", "held=held/x held=held/y", "release --dry-run held/x held/y"},
		{"release-all", "provider=pivot held-reason=unknown-status confirmed=yes reason=why", "release --all --provider=pivot --held-reason=unknown-status --reason=why"},
		{"release-all", "provider=pivot held-reason=", "release --all --provider=pivot --dry-run"},
		{"dismiss", "held=held/x", "dismiss --dry-run held/x"},
		{"rebuild", "payout=cregis/payout/1/2", "rebuild --dry-run cregis/payout/1/2"},
		{"redrive-all", "cause=absent cause=unapplied provider=cregis", "dlq redrive --cause=absent --cause=unapplied --provider=cregis --dry-run"},
		{"redrive", "message-id=m1 confirmed=yes reason=why", "dlq redrive --message-id=m1 --reason=why"},
		{"dlq-show", "message=m1", "dlq show --full m1"},
		{"pause", "part=consumer reason=why", "pause --reason=why consumer"},
		{"resume", "part=consumer reason=why", "resume --reason=why consumer"},
		{"reconcile", "payout=order-1 payout=order-2", "reconcile order-1 order-2"},
		{"reconcile-overdue", "account=ignored", "reconcile --overdue"},
		{"sweep", "reason=ignored", "sweep"},
		{
			"expect", "provider=cregis type=payout account=1 id=9 reference=o amount=1 currency=TRX due=10m",
			"expect --account=1 --id=9 --reference=o --amount=1 --currency=TRX --due=10m cregis payout",
		},
		{"send-cregis-payout", "cid=2 status=6 amount=1.5 forge=yes", "send cregis payout --cid=2 --status=6 --amount=1.5 --forge"},
		{"send-pivot-single", "uuid=u event=PAYOUT.FAILED amount=1", "send pivot single --uuid=u --event=PAYOUT.FAILED --amount=1"},
		{"send-vector", "provider=cregis", "send - --provider=cregis"},
		{"explain", "provider=cregis type=payout", "explain - --provider=cregis --type=payout"},
		{"explain-held", "held=held/x", "explain held/x"},
		{"audit", "from=24h to=1h", "audit --from=24h --to=1h"},
		{"doctor", "", "doctor"},
	}
}

func parseForm(text string) url.Values {
	form := url.Values{}
	for field := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(field, "=")
		form.Add(name, value)
	}
	return form
}

// Each action runs the line of payoutctl that its page shows, and payoutctl accepts it.
func TestActions_Line(t *testing.T) {
	c := newConsole(t, cli.Stack{Local: true}, nil)
	for _, test := range actionForms() {
		t.Run(test.line, func(t *testing.T) {
			page := c.act(test.action, parseForm(test.form))
			ran := <-c.ran
			if want := "--local " + test.line; strings.Join(ran.args, " ") != want || ran.stdin != "" {
				t.Errorf("ran %q with %q, want %q", ran.args, ran.stdin, want)
			}
			if !strings.Contains(page, "<code>payoutctl --local "+test.line+"</code>") {
				t.Errorf("the page does not show the line:\n%s", page)
			}
			if _, err := payoutctl.ParseLine(ran.args); err != nil {
				t.Error(err)
			}
			if isPlan := slices.Contains(ran.args, "--dry-run"); isPlan != strings.Contains(page, "Carry out the plan") {
				t.Errorf("plan %t, and the page:\n%s", isPlan, page)
			}
		})
	}
}

// An action needs what it is about: with nothing checked, it does not act on all.
func TestActions_NothingGiven(t *testing.T) {
	c := newConsole(t, cli.Stack{Local: true}, nil)
	for action, form := range map[string]string{
		"redrive": "cause=absent", "release": "", "dismiss": "held=", "reconcile": "confirmed=yes", "resolve": "trust=query", "pause": "reason=why", "explain-held": "",
	} {
		page := c.text(c.send(http.MethodPost, "/actions/"+action, form), action, http.StatusBadRequest)
		if !strings.Contains(page, "is checked or entered") || len(c.ran) > 0 {
			t.Errorf("%s: %s", action, page)
		}
	}
	refused := c.sendFrom("http://127.0.0.1:4567/held?page=2", http.MethodPost, "/actions/release", "")
	checkOrder(t, refused.Body.String(), "no held callback is checked or entered", `<a href="/held?page=2">Back</a>`)
	elsewhere := c.sendFrom("https://example.com/held", http.MethodPost, "/actions/release", "")
	wantNoTexts(t, elsewhere.Body.String(), "Back</a>")
}

// A command leads back to the page whose form began it, also after the page of its plan.
func TestActions_LeadBack(t *testing.T) {
	c := newConsole(t, cli.Stack{Local: true}, nil)
	from := "http://127.0.0.1:4567/held?provider=cregis"
	for _, form := range []string{"held=held/x", "held=held/x&confirmed=yes&reason=why"} {
		job := c.sendFrom(from, http.MethodPost, "/actions/release", form).Header().Get("Location")
		if page := c.ended(job); !strings.Contains(page, `<a href="/held?provider=cregis">Back</a>`) {
			t.Errorf("after %s:\n%s", form, page)
		}
		from = "http://127.0.0.1:4567" + job
	}
}

// A body that is not a form is refused, and nothing runs.
func TestActions_OtherEncodings(t *testing.T) {
	c := newConsole(t, cli.Stack{Local: true}, nil)
	for contentType, body := range map[string]string{
		"application/json": `{"cid":"1"}`, "multipart/form-data; boundary=x": "--x\r\nContent-Disposition: form-data; name=\"cid\"\r\n\r\n1\r\n--x--\r\n",
		"": "cid=1", "application/x-www-form-urlencoded": "cid=%zz",
	} {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:4567/actions/send-cregis-payout", strings.NewReader(body))
		r.AddCookie(&http.Cookie{Name: "payout-console-4567", Value: consoleToken})
		r.Header.Set("Content-Type", contentType)
		recorder := httptest.NewRecorder()
		c.handler.ServeHTTP(recorder, r)
		if recorder.Code != http.StatusBadRequest || len(c.ran) > 0 {
			t.Errorf("%q: status %d", contentType, recorder.Code)
		}
	}
}

// A command that runs stays on the list, however many end after it.
func TestActions_RunningJobsAreKept(t *testing.T) {
	release := make(chan struct{})
	c := newConsole(t, cli.Stack{Local: true}, func(_ context.Context, _ *cli.Session, args []string) int {
		if slices.Contains(args, "doctor") {
			<-release
		}
		return 0
	})
	defer close(release)
	running := c.send(http.MethodPost, "/actions/doctor", "").Header().Get("Location")
	for range 60 {
		c.act("sweep", nil)
	}
	if page := c.get(running, http.StatusOK); !strings.Contains(page, "running since") {
		t.Errorf("the running command:\n%s", page)
	}
	c.get("/jobs/2", http.StatusNotFound)
	c.get("/jobs/61", http.StatusOK)
	if status := c.status(http.MethodPost, "/jobs/2/cancel", ""); status != http.StatusNotFound {
		t.Errorf("cancelling a forgotten command: status %d", status)
	}
}

// No value of a field becomes a flag, an operand of another field, or two values.
func TestActions_HostileValues(t *testing.T) {
	c := newConsole(t, cli.Stack{Local: true}, nil)
	for _, test := range actionForms() {
		for field := range parseForm(test.form) {
			if strings.Contains(test.form, field+"=ignored") || slices.Contains([]string{"confirmed", "delete", "forge"}, field) {
				continue
			}
			for _, value := range []string{"-x", "--yes", "--stack=prod", "--", "-", "a b", "$(id)", `'"`, `a\`, "a,b", "x\ny", "\x1b[2J", "\u202ex", strings.Repeat("x", 10<<10)} {
				checkHostile(t, c, test, field, value)
			}
		}
	}
}

func checkHostile(t *testing.T, c *consoleOf, test actionForm, field, value string) {
	t.Helper()
	form := parseForm(test.form)
	form.Set(field, value)
	status := c.status(http.MethodPost, "/actions/"+test.action, form.Encode())
	isRefused := cli.Clean(value) != value || len(value) > 4096 || field == "to" && test.action == "export" || test.action == "explain-held" || value == "a,b" && slices.Contains([]string{"trust", "cause", "message-id"}, field)
	if isRefused {
		if status != http.StatusBadRequest || len(c.ran) > 0 {
			t.Fatalf("%s with %s=%.20q: status %d, want 400", test.action, field, value, status)
		}
		return
	}
	ran := <-c.ran
	values, err := payoutctl.ParseLine(ran.args)
	if err != nil {
		for _, refusal := range []string{"unknown flag", "unexpected argument", "missing"} {
			if strings.Contains(err.Error(), refusal) {
				t.Errorf("%s with %s=%q: %v: %q", test.action, field, value, err, ran.args)
			}
		}
		return
	}
	if got := values[field]; !slices.Equal(got, []string{value}) {
		t.Errorf("%s with %s=%q: payoutctl reads %q of %q", test.action, field, value, got, ran.args)
	}
}

// A pasted callback becomes standard input as it was, with line ends of the original; its
// headers make it an HTTP request.
func TestActions_StandardInput(t *testing.T) {
	c := newConsole(t, cli.Stack{Local: true}, nil)
	for name, test := range map[string]struct {
		action string
		form   url.Values
		want   string
	}{
		"a body": {"explain", url.Values{"provider": {"cregis"}, "type": {"payout"}, "body": {"{\r\n \"memo\":\"--yes\x07\"}"}}, "{\n \"memo\":\"--yes\x07\"}"},
		"a body with headers": {
			"explain", url.Values{"provider": {"pivot"}, "type": {"payout"}, "body": {"{}"}, "headers": {"\r\nX-API-Key: k\r\n\r\nHost: a\r\n"}},
			"POST /callbacks/pivot/payout HTTP/1.1\nX-API-Key: k\nHost: a\n\n{}",
		},
		"a vector": {"send-vector", url.Values{"provider": {"cregis"}, "vector": {"expect: held\r\n-- body --\r\n{}\r\n"}}, "expect: held\n-- body --\n{}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			c.act(test.action, test.form)
			if ran := <-c.ran; ran.stdin != test.want {
				t.Errorf("standard input %q, want %q", ran.stdin, test.want)
			}
		})
	}
}

// A form over the bound is refused as a browser can show it: after it was read, because a
// browser reads no answer before it has sent the form.
func TestActions_LargeForm(t *testing.T) {
	c := newConsole(t, cli.Stack{Local: true}, nil)
	server := httptest.NewServer(c.handler)
	defer server.Close()
	form := url.Values{"provider": {"cregis"}, "type": {"payout"}, "body": {strings.Repeat("x", 10<<20)}}
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	text := form.Encode()
	if _, err := fmt.Fprintf(connection, "POST /actions/explain HTTP/1.1\r\nHost: 127.0.0.1:4567\r\nCookie: payout-console-4567=%s\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", consoleToken, len(text), text); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(string(page), "1048576 bytes") || len(c.ran) > 0 {
		t.Errorf("status %d, %v; the page does not state the bound:\n%s", response.StatusCode, err, page)
	}
	form.Set("body", strings.Repeat("x", 1<<19))
	c.act("explain", form)
	if ran := <-c.ran; len(ran.stdin) != 1<<19 {
		t.Errorf("%d bytes of a body under the bound", len(ran.stdin))
	}
}
