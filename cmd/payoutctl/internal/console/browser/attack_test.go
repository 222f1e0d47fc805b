package browser_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// Who has no token, a wrong token, or another name for this machine sees nothing.
func TestConsole_RefusesStrangers(t *testing.T) {
	c := newConsole(t)
	host := strings.TrimPrefix(c.base, "http://")
	_, port, err := net.SplitHostPort(host)
	if err != nil {
		t.Fatal(err)
	}
	with := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	hostIs := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	withToken, without := c.visitor(t), c.stranger(t)
	for name, request := range map[string]struct {
		by     visitor
		method string
		path   string
		edit   func(*http.Request)
	}{
		"no token":                      {by: without, path: "/"},
		"no token, a file":              {by: without, path: "/static/console.css"},
		"no token, the stream":          {by: without, path: "/events"},
		"no token, a path that is none": {by: without, path: "/none"},
		"a wrong token":                 {by: without, path: "/?token=" + strings.Repeat("A", len(c.token))},
		"an empty token":                {by: without, path: "/?token="},
		"a wrong token beside a cookie": {by: withToken, path: "/?token=" + strings.Repeat("A", len(c.token))},
		"a wrong cookie":                {by: without, path: "/", edit: with("Cookie", "payout-console-"+port+"="+strings.Repeat("A", len(c.token)))},
		"the token as another cookie":   {by: without, path: "/", edit: with("Cookie", "token="+c.token)},
		"the token in a POST":           {by: without, method: http.MethodPost, path: "/?token=" + c.token},
		"another host":                  {by: withToken, path: "/", edit: hostIs("rebind.example:" + port)},
		"another port":                  {by: withToken, path: "/", edit: hostIs("127.0.0.1:1")},
		"no port":                       {by: withToken, path: "/", edit: hostIs("127.0.0.1")},
		"another address of loopback":   {by: withToken, path: "/", edit: hostIs("127.0.0.2:" + port)},
		"another origin":                {by: withToken, path: "/", edit: with("Origin", "https://example.com")},
		"an origin of another port":     {by: withToken, path: "/", edit: with("Origin", "http://127.0.0.1:1")},
		"an origin with TLS":            {by: withToken, path: "/", edit: with("Origin", "https://"+host)},
		"an opaque origin":              {by: withToken, path: "/", edit: with("Origin", "null")},
		"another origin, a change":      {by: withToken, method: http.MethodPost, path: "/actions/send", edit: with("Origin", "https://example.com")},
		"another site, a change":        {by: withToken, method: http.MethodPost, path: "/actions/send", edit: with("Sec-Fetch-Site", "cross-site")},
		"same site, a change":           {by: withToken, method: http.MethodPost, path: "/actions/send", edit: with("Sec-Fetch-Site", "same-site")},
	} {
		t.Run(name, func(t *testing.T) {
			if request.method == "" {
				request.method = http.MethodGet
			}
			got := request.by.send(request.method, request.path, "", request.edit)
			if got.StatusCode != http.StatusForbidden || got.Header.Get("Set-Cookie") != "" {
				t.Errorf("got %d, cookie %q, want 403 and none", got.StatusCode, got.Header.Get("Set-Cookie"))
			}
			if strings.Contains(got.text, c.token) {
				t.Error("the answer contains the token")
			}
			checkHeaders(t, got)
		})
	}
}

// checkHeaders checks what protects a page in a browser.
func checkHeaders(t *testing.T, got answer) {
	t.Helper()
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
			"form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
	} {
		if value := got.Header.Get(name); value != want {
			t.Errorf("%s of %s: got %q, want %q", name, got.Request.URL.Path, value, want)
		}
	}
}

// The printed address is exchanged for a cookie that scripts and other sites cannot use, and leaves the address bar.
func TestConsole_ExchangesTheToken(t *testing.T) {
	c := newConsole(t)
	v := c.visitor(t)
	for path, want := range map[string]string{
		"/?token=" + c.token: "/", "/payouts?status=failed&token=" + c.token: "/payouts?status=failed",
		"//example.com/?token=" + c.token: "/", `/\example.com?token=` + c.token: "/",
	} {
		got := v.get(path)
		location, err := got.Location()
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if location.Host != strings.TrimPrefix(c.base, "http://") || want != "/" && location.RequestURI() != want {
			t.Errorf("%s leads to %s, want %s", path, location, want)
		}
		for _, cookie := range got.Cookies() {
			if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode {
				t.Errorf("the cookie is %s", cookie)
			}
		}
	}
}

// No other machine reaches the console.
func TestConsole_ListensOnLoopbackOnly(t *testing.T) {
	c := newConsole(t)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(c.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		ip, ok := address.(*net.IPNet)
		if !ok || ip.IP.Equal(net.IPv4(127, 0, 0, 1)) || ip.IP.IsLinkLocalUnicast() {
			continue
		}
		if connection, err := net.Dial("tcp", net.JoinHostPort(ip.IP.String(), port)); err == nil {
			_ = connection.Close()
			t.Errorf("the console listens on %s", ip.IP)
		}
	}
}

var links = regexp.MustCompile(`(?:href|action|src)="([^"]*)"`)

// Every link answers 200, also without its query; no page leads to another host; an unknown path has a way back.
func TestConsole_Links(t *testing.T) {
	c := newConsole(t)
	v := c.visitor(t)
	payoutctl(t, "send", "cregis", "payout", "--cid", newID(), "--status", "6")
	const most = 400 // the stack of all tests may have many payouts
	seen, open := map[string]bool{"/": true}, []string{"/"}
	for ; len(open) > 0 && len(seen) < most; open = open[1:] {
		got := v.get(open[0])
		if got.StatusCode != http.StatusOK {
			t.Errorf("GET %s: %d", open[0], got.StatusCode)
		}
		checkHeaders(t, got)
		for _, match := range links.FindAllStringSubmatch(got.text, -1) {
			link := strings.ReplaceAll(match[1], "&amp;", "&")
			target, err := url.Parse(link)
			if err != nil || target.Host != "" || target.Scheme != "" && target.Scheme != "data" {
				t.Errorf("%s leads to %q (%v)", open[0], link, err)
				continue
			}
			// A payout that a command names, or whose callback is on its way, may not be stored.
			isUnknown := (strings.HasPrefix(open[0], "/jobs") || open[0] == "/providers") && strings.HasPrefix(target.Path, "/payouts/")
			if strings.HasPrefix(match[0], "action") || target.Path == "" || target.Path == "/events" || isUnknown {
				continue
			}
			target.Fragment = ""
			for _, next := range []string{target.String(), target.EscapedPath()} {
				if !seen[next] {
					seen[next] = true
					open = append(open, next)
				}
			}
		}
	}
	for _, path := range []string{"/none", "/payouts/none", "/payouts/cregis/payout/1/2", "/jobs/0", "/jobs/x", "/payouts/%00", "/payouts/%3Cscript%3E"} {
		got := v.get(path)
		if got.StatusCode != http.StatusNotFound || !strings.Contains(got.text, `href="/"`) {
			t.Errorf("GET %s: %d, want 404 with a link back\n%s", path, got.StatusCode, got.text)
		}
	}
	t.Logf("%d links", len(seen))
}

// hostile are texts that a provider, or who knows a path, may put into a field.
var hostile = []string{
	`<script>document.title="hacked"</script>`,
	`"><img src=x onerror=document.title="hacked">`,
	`'};document.title="hacked";//{{.}}`,
	"javascript:document.title='hacked'",
	"\u202egnp.exe\u2066\x1b[31mred\x07",
}

// Text of a callback is text on every page that shows it.
func TestConsole_HostileText(t *testing.T) {
	c := newConsole(t)
	b := newTab(t)
	var pages []string
	for _, text := range hostile {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		cid := newID()
		payoutctl(t, "send", "cregis", "payout", "--cid", cid, "--status", "6", "--set", "remark="+text, "--reference", cid+text)
		payoutctl(t, "send", "cregis", "payout", "--cid", newID(), "--set", "status:="+string(quoted))
		reference, extra := cid+text, fmt.Sprintf("extra:={%s: [%s]}", quoted, quoted)
		payoutctl(t, "send", "pivot", "single", "--reference", reference, "--event", "PAYOUT.FAILED", "--reason", text)
		payoutctl(t, "send", "pivot", "single", "--reference", reference, "--status", text, "--set", extra)
		postForged(t, strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return -1 // which net/http refuses to send
			}
			return r
		}, text))
		pages = append(pages, "/payouts/cregis/payout/"+demoProject+"/"+cid, "/payouts?reference="+url.QueryEscape(reference), "/payouts/"+url.PathEscape(text))
	}
	for _, path := range append(pages, "/", "/callbacks", "/payouts", "/held") {
		b.expectStatus(http.StatusNotFound)
		b.open(c.address(path))
		if title := evaluate[string](b, "document.title"); strings.Contains(title, "hacked") {
			t.Errorf("%s: a script of a callback ran", path)
		}
		if at := strings.IndexFunc(b.text(), isControl); at >= 0 {
			t.Errorf("%s: shows the control character %q", path, b.text()[at:at+4])
		}
	}
}

// postForged sends a callback that nobody proves, with a text in its headers.
func postForged(t *testing.T, text string) {
	t.Helper()
	stack, err := readStack()
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, stack.APIURL+"/callbacks/pivot/payout", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"X-Api-Key", "User-Agent", "Content-Type", "X-Forwarded-For", "X-Request-Id"} {
		request.Header.Set(name, text)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode < http.StatusBadRequest {
		t.Errorf("a forged callback is answered with %s", response.Status)
	}
}

// isControl reports whether a character of a shown text controls a terminal or the direction of text.
func isControl(r rune) bool {
	return unicode.IsControl(r) && !slices.Contains([]rune("\n\t\u00a0"), r) || unicode.Is(unicode.Bidi_Control, r)
}

// A form with a body that is too long is refused with its bound.
func TestConsole_LongBody(t *testing.T) {
	c := newConsole(t)
	for _, path := range []string{"/actions/explain", "/actions/send-vector"} {
		got := c.visitor(t).post(path, "body="+strings.Repeat("a", 10<<20))
		if got.StatusCode != http.StatusRequestEntityTooLarge || !regexp.MustCompile(`\d{6,} bytes`).MatchString(got.text) {
			t.Errorf("%s: %d, want 413 with the bound\n%.500s", path, got.StatusCode, got.text)
		}
	}
}

// On a deployed stack no page has a form that changes something, and no request does.
func TestDeployed_ReadOnly(t *testing.T) {
	needStack(t)
	c, err := deployedConsole()
	if err != nil {
		t.Fatal(err)
	}
	v := c.visitor(t)
	overview := v.get("/")
	if overview.StatusCode != http.StatusOK || !strings.Contains(overview.text, "read-only") || !strings.Contains(overview.text, "us-east-1") {
		t.Errorf("%d\n%s", overview.StatusCode, overview.text)
	}
	for _, name := range []string{
		"resolve", "resolve-all", "close", "release", "release-all", "dismiss", "rebuild", "redrive", "pause", "resume",
		"reconcile", "reconcile-overdue", "sweep", "expect", "dlq-show", "export", "send-cregis-payout", "send-pivot-single", "send-vector", "none",
	} {
		got := v.post("/actions/"+name, "id=1&reason=why&confirmed=yes")
		if got.StatusCode != http.StatusNotFound && got.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST /actions/%s: %d, want 404 or 405", name, got.StatusCode)
		}
	}
	if got := newConsole(t).visitor(t).post("/actions/release", ""); got.StatusCode == http.StatusNotFound || got.StatusCode == http.StatusMethodNotAllowed {
		t.Errorf("POST /actions/release on the local stack: %d, and the actions above may be refused by their names", got.StatusCode)
	}
}
