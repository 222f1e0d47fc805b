package console_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/console"
)

const (
	port  = 4567
	host  = "127.0.0.1:4567"
	token = "0123456789abcdefghij"
)

func newConsole(t *testing.T, stack cli.Stack) *console.Console {
	t.Helper()
	s := &cli.Session{Env: func(string) string { return "" }, Now: time.Now}
	s.Flags.Local = stack.Local
	served := console.New(t.Context(), s, stack, console.Options{Port: port, Token: token})
	return served
}

func local() cli.Stack { return cli.Stack{Local: true} }

// request sends a request with the cookie of the token, changed by change.
func request(t *testing.T, handler http.Handler, method, path string, change func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "http://"+host+path, strings.NewReader(""))
	r.AddCookie(&http.Cookie{Name: "payout-console-4567", Value: token})
	if change != nil {
		change(r)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	return recorder
}

func TestConsole_RefusesRequests(t *testing.T) {
	handler := newConsole(t, local())
	for name, test := range map[string]struct {
		method, path string
		change       func(*http.Request)
		code         int
	}{
		"own host":             {"GET", "/jobs/1", nil, 404},
		"localhost":            {"GET", "/jobs/1", func(r *http.Request) { r.Host = "localhost:4567" }, 404},
		"loopback of IPv6":     {"GET", "/jobs/1", func(r *http.Request) { r.Host = "[::1]:4567" }, 404},
		"another host":         {"GET", "/jobs/1", func(r *http.Request) { r.Host = "evil.example:4567" }, 403},
		"another port":         {"GET", "/jobs/1", func(r *http.Request) { r.Host = "127.0.0.1:80" }, 403},
		"no port":              {"GET", "/jobs/1", func(r *http.Request) { r.Host = "127.0.0.1" }, 403},
		"own origin":           {"GET", "/jobs/1", func(r *http.Request) { r.Header.Set("Origin", "http://"+host) }, 404},
		"another origin":       {"GET", "/jobs/1", func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, 403},
		"opaque origin":        {"GET", "/jobs/1", func(r *http.Request) { r.Header.Set("Origin", "null") }, 403},
		"origin of other name": {"GET", "/jobs/1", func(r *http.Request) { r.Header.Set("Origin", "http://localhost:4567") }, 403},
		"change of other site": {"POST", "/jobs/1/cancel", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		"own change":           {"POST", "/jobs/1/cancel", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") }, 404},
		"no token":             {"GET", "/static/console.css", func(r *http.Request) { r.Header.Del("Cookie") }, 403},
		"events without token": {"GET", "/events", func(r *http.Request) { r.Header.Del("Cookie") }, 403},
		"another token": {"GET", "/jobs/1", func(r *http.Request) {
			r.Header.Set("Cookie", "payout-console-4567=0123456789abcdefghiX")
		}, 403},
		"wrong token in the address": {"GET", "/?token=0123456789abcdefghiX", nil, 403},
		"token in the address of another host": {"GET", "/?token=" + token, func(r *http.Request) {
			r.Host = "evil.example:4567"
		}, 403},
		"unknown page": {"GET", "/nothing", nil, 404},
	} {
		t.Run(name, func(t *testing.T) {
			response := request(t, handler, test.method, test.path, test.change)
			if response.Code != test.code {
				t.Errorf("status %d, want %d: %s", response.Code, test.code, response.Body)
			}
			for name, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "same-origin",
			} {
				if got := response.Header().Get(name); got != want {
					t.Errorf("header %s: %q, want %q", name, got, want)
				}
			}
			if policy := response.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") {
				t.Errorf("policy: %s", policy)
			}
		})
	}
}

func TestConsole_ExchangesToken(t *testing.T) {
	handler := newConsole(t, local())
	withoutCookie := func(r *http.Request) { r.Header.Del("Cookie") }
	for path, target := range map[string]string{
		"/?token=" + token:                                   "/",
		"/payouts?status=held&token=" + token:                "/payouts?status=held",
		"//evil.example/payouts?token=" + token:              "/evil.example/payouts",
		"/%5C%5Cevil.example/payouts?token=" + token:         "/%5C%5Cevil.example/payouts",
		"/payouts/cregis%2Fpayout%2F1%2F%2F7?token=" + token: "/payouts/cregis%2Fpayout%2F1%2F%2F7",
	} {
		for range 2 { // the token is valid as long as the process runs
			response := request(t, handler, "GET", path, withoutCookie)
			if response.Code != 303 || response.Header().Get("Location") != target {
				t.Errorf("%s: %d to %q, want 303 to %q", path, response.Code, response.Header().Get("Location"), target)
			}
			cookies := response.Result().Cookies()
			if len(cookies) != 1 || cookies[0].Value != token || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode {
				t.Errorf("%s: cookies %v", path, cookies)
			}
		}
	}
}
