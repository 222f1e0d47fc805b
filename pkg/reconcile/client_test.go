package reconcile_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/reconcile"
)

func now() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// fetch sends a request to a server that answers with the handler.
func fetch(t *testing.T, ctx context.Context, handler http.HandlerFunc) (reconcile.Response, error) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/payouts/SECRET", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "SECRET")
	return reconcile.Fetch(reconcile.NewClient(true), request, now)
}

func TestCheckBaseURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://api.example.com":        "https://api.example.com",
		"https://api.example.com/":       "https://api.example.com",
		"https://api.example.com:8443/a": "https://api.example.com:8443/a",
		"http://127.0.0.1:4566/":         "http://127.0.0.1:4566",
		"http://[::1]:4566":              "http://[::1]:4566",
		"http://localhost:4566":          "http://localhost:4566",

		"": "", "api.example.com": "", "https:api.example.com": "", "https://": "", "ftp://127.0.0.1": "", "http://api.example.com": "",
		"http://localhost.example.com": "", "http://10.0.0.1": "", "http://127.0.0.1.example.com": "", "https://user@api.example.com": "",
		"https://api.example.com?a": "", "https://api.example.com/#a": "", "https://api.example.com\n": "", "://": "",
	} {
		got, err := reconcile.CheckBaseURL(reconcile.NewClient(true), text)
		if got != want || (err == nil) != (want != "") || err != nil && strings.Contains(err.Error(), "user@") {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
		for _, client := range []*http.Client{reconcile.NewClient(false), {}} {
			if got, err := reconcile.CheckBaseURL(client, text); strings.HasPrefix(text, "http:") && err == nil {
				t.Errorf("%q is %q on a client without loopback", text, got)
			}
		}
	}
}

func TestFetch_RefusesRedirects(t *testing.T) {
	requests := 0
	response, err := fetch(t, t.Context(), func(w http.ResponseWriter, r *http.Request) {
		requests++
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	if err != nil || response.Status != http.StatusTemporaryRedirect || requests != 1 {
		t.Errorf("%d after %d requests, %v", response.Status, requests, err)
	}
}

func TestFetch_LimitsAnswers(t *testing.T) {
	fits, err := fetch(t, t.Context(), func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat(" ", reconcile.MaxAnswer))
	})
	if err != nil || len(fits.Body) != reconcile.MaxAnswer {
		t.Errorf("%d bytes, %v", len(fits.Body), err)
	}
	for name, handler := range map[string]http.HandlerFunc{
		"a byte more": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat(" ", reconcile.MaxAnswer+1))
		},
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			for err := error(nil); err == nil; _, err = io.WriteString(w, strings.Repeat(" ", 1<<16)) {
			}
		},
		"compressed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			writer := gzip.NewWriter(w)
			_, _ = io.WriteString(writer, strings.Repeat(" ", 2*reconcile.MaxAnswer))
			_ = writer.Close()
		},
	} {
		response, err := fetch(t, t.Context(), handler)
		if answer, ok := reconcile.FailedAnswer(response, err); !errors.Is(err, reconcile.ErrTooLarge) || !ok || answer.Outcome != reconcile.Unusable {
			t.Errorf("%s: %v, %+v", name, err, answer)
		}
	}
}

func TestFetch_NoAnswer(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"hanging": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"a body that hangs": func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"cut": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		response, err := fetch(t, ctx, handler)
		cancel()
		answer, ok := reconcile.FailedAnswer(response, err)
		if err == nil || !ok || answer.Outcome != reconcile.Unavailable || strings.Contains(answer.Detail, "SECRET") || strings.Contains(answer.Detail, "127.0.0.1") {
			t.Errorf("%s: %v, %+v", name, err, answer)
		}
	}
}

// The causes of the errors are part of log lines.
func TestFetch_ErrorsWithoutValues(t *testing.T) {
	for name, answer := range map[string]string{
		"no HTTP":                   "SECRET SECRET\r\n\r\n",
		"a status without number":   "HTTP/1.1 SECRET\r\n\r\n",
		"a version that is unknown": "HTTP/SECRET 200 OK\r\n\r\n",
		"a malformed header":        "HTTP/1.1 200 OK\r\nSECRET\r\n\r\n",
		"a malformed length":        "HTTP/1.1 200 OK\r\nContent-Length: SECRET\r\n\r\n",
		"two lengths":               "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2 SECRET\r\n\r\n",
		"an unknown encoding":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: SECRET\r\n\r\n",
		"a malformed location":      "HTTP/1.1 302 Found\r\nLocation: http://SECRET:SECRET/\r\nContent-Length: 0\r\n\r\n",
		"a malformed chunk":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nSECRET\r\n",
		"gzip that is not":          "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 6\r\n\r\nSECRET",
		"an answer that is cut":     "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\nSECRET",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := fetch(t, t.Context(), func(w http.ResponseWriter, _ *http.Request) {
				connection, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.WriteString(connection, answer)
				_ = connection.Close()
			})
			if err != nil && strings.Contains(err.Error(), "SECRET") {
				t.Errorf("the error is %q", err)
			}
		})
	}
}

// net/http logs what a server sends after its answer.
func TestLogWriter_NoAnswers(t *testing.T) {
	lines := &strings.Builder{}
	lineWritten := make(chan struct{}, 100)
	log.SetOutput(writerFunc(func(line []byte) (int, error) {
		n, err := reconcile.LogWriter(lines).Write(line)
		lineWritten <- struct{}{}
		return n, err
	}))
	defer log.SetOutput(os.Stderr)
	_, err := fetch(t, t.Context(), func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(connection, "HTTP/1.1 204 No Content\r\n\r\nSECRET")
		_ = connection.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	<-lineWritten
	log.Print("a line of another cause")
	if got := lines.String(); strings.Contains(got, "SECRET") || !strings.Contains(got, "a line of another cause") {
		t.Errorf("the log has %q", got)
	}
}

type writerFunc func(line []byte) (int, error)

func (f writerFunc) Write(line []byte) (int, error) { return f(line) }

func TestFetch_UnverifiedCertificate(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it logs that the client leaves
	server.StartTLS()
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/payouts/SECRET", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = reconcile.Fetch(reconcile.NewClient(true), request, now)
	if err == nil || err.Error() != "the certificate of the server cannot be verified" {
		t.Error(err)
	}
}

func TestFetch_Statuses(t *testing.T) {
	for status, want := range map[int]reconcile.Outcome{
		200: "", 204: "", 302: "", 400: "", 401: "", 403: "", 404: "", 422: "",
		408: reconcile.Unavailable, 429: reconcile.RateLimited, 500: reconcile.Unavailable, 503: reconcile.Unavailable, 599: reconcile.Unavailable,
	} {
		response, err := fetch(t, t.Context(), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		if answer, ok := reconcile.FailedAnswer(response, err); err != nil || answer.Outcome != want || ok != (want != "") {
			t.Errorf("HTTP %d: %+v, %v, want %q", status, answer, err, want)
		}
	}
}

func TestFetch_RetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, "-5": 0, "1.5": 0, "soon": 0, "999999999": 24 * time.Hour, "99999999999999999999": 0,
		now().Add(time.Hour).Format(http.TimeFormat): time.Hour, now().Add(-time.Hour).Format(http.TimeFormat): 0,
	} {
		response, err := fetch(t, t.Context(), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", text)
			w.WriteHeader(http.StatusTooManyRequests)
		})
		if answer, _ := reconcile.FailedAnswer(response, err); err != nil || answer.RetryAfter != want {
			t.Errorf("Retry-After %q: %v, %v, want %v", text, answer.RetryAfter, err, want)
		}
	}
}

// A cookie would tie queries of one account to those of another.
func TestFetch_KeepsNoCookies(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		_, _ = io.WriteString(w, r.Header.Get("Cookie"))
	}))
	defer server.Close()
	client := reconcile.NewClient(true)
	for range 2 {
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		if response, err := reconcile.Fetch(client, request, now); err != nil || len(response.Body) > 0 {
			t.Errorf("%v, %s", err, response.Body)
		}
	}
}
