package reconcile

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"
)

// Limits of a request to a provider's API.
const (
	requestTimeout = 10 * time.Second // with the reading of the answer
	MaxAnswer      = 1 << 20          // bytes of an answer, decompressed
	maxRetryAfter  = 24 * time.Hour
)

// transport is the transport of NewClient.
type transport struct {
	http.RoundTripper

	allowsLoopback bool
}

// NewClient returns the HTTP client for the APIs of providers. It follows no redirect,
// keeps no cookies, uses no proxy, and waits 10 seconds for an answer. With allowLoopback
// it accepts base URLs with http on a loopback address, for a local stack.
func NewClient(allowLoopback bool) *http.Client {
	return &http.Client{
		Timeout:       requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: transport{allowsLoopback: allowLoopback, RoundTripper: &http.Transport{
			ForceAttemptHTTP2:   true,
			TLSHandshakeTimeout: requestTimeout,
			MaxIdleConnsPerHost: 2,
			IdleConnTimeout:     time.Minute,
		}},
	}
}

// LogWriter returns a writer for the standard logger. It leaves out lines in which net/http
// quotes what a server sends after its answer: the client has no other way to stop them.
func LogWriter(w io.Writer) io.Writer { return logWriter{w} }

type logWriter struct{ io.Writer }

// Write implements [io.Writer].
func (l logWriter) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("Unsolicited response received on idle HTTP channel")) {
		return len(line), nil
	}
	n, err := l.Writer.Write(line)
	if err != nil {
		err = fmt.Errorf("write log line: %w", err)
	}
	return n, err
}

// CheckBaseURL returns the base URL of an API without a slash at its end: https, or http
// on a loopback address if the client allows that. The error does not contain the URL.
func CheckBaseURL(client *http.Client, text string) (string, error) {
	base, err := url.Parse(text)
	switch {
	case err != nil || base.Hostname() == "" || base.Opaque != "":
		return "", errors.New("baseUrl: must be a URL such as https://api.example.com")
	case base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return "", errors.New("baseUrl: must have no user, query, or fragment")
	case base.Scheme == "https":
	case base.Scheme != "http" || !isLoopback(base.Hostname()) || !allowsLoopback(client):
		return "", errors.New("baseUrl: must begin with https://")
	}
	return strings.TrimRight(base.String(), "/"), nil
}

func allowsLoopback(client *http.Client) bool {
	t, ok := client.Transport.(transport)
	return ok && t.allowsLoopback
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// DecodeCredentials decodes the credentials of an account: one JSON object without
// unknown or repeated fields. The error contains no value, and the name of a field only if
// it looks like one: it may be a key in the wrong place.
func DecodeCredentials(raw []byte, into any) error {
	if err := json.Unmarshal(raw, into, json.RejectUnknownMembers(true)); err != nil {
		refused := newFieldError(err)
		if !isFieldName(refused.Field) {
			refused.Field = ""
		}
		return refused
	}
	return nil
}

// isFieldName matches the names of the documented fields, and similar ones: alphabetic,
// and shorter than a key.
var isFieldName = regexp.MustCompile(`^[a-z][A-Za-z]{1,14}$`).MatchString

// Response is the answer to an HTTP request.
type Response struct {
	Status     int
	Body       []byte        // at most MaxAnswer bytes
	RetryAfter time.Duration // 0 if the answer does not say when to ask again, or says it unreadably; at most 24 hours
}

// ErrTooLarge is the error of Fetch for an answer of more than MaxAnswer bytes.
var ErrTooLarge = fmt.Errorf("the answer has more than %d bytes", MaxAnswer)

// Fetch sends a request and reads its answer. An error other than ErrTooLarge means that
// there is no whole answer, and perhaps no request. It contains neither the URL nor anything of request or answer.
func Fetch(client *http.Client, request *http.Request, now func() time.Time) (Response, error) {
	answer, err := client.Do(request) //nolint:gosec // the URL is that of the account's credentials, see CheckBaseURL
	if err != nil {
		return Response{}, withoutValues(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, MaxAnswer+1))
	switch {
	case err != nil:
		return Response{}, fmt.Errorf("read answer: %w", withoutValues(err))
	case len(body) > MaxAnswer:
		return Response{}, ErrTooLarge
	}
	return Response{answer.StatusCode, body, parseRetryAfter(answer.Header.Get("Retry-After"), now())}, nil
}

// withoutValues returns the cause of an error of the client in words of ours: its own text
// can have the URL, which names a payout, or parts of the answer.
func withoutValues(err error) error {
	timeout, isTimeout := errors.AsType[net.Error](err)
	code, isCode := errors.AsType[syscall.Errno](err)
	_, isUnresolved := errors.AsType[*net.DNSError](err)
	_, isUnverified := errors.AsType[*tls.CertificateVerificationError](err)
	alert, isAlert := errors.AsType[tls.AlertError](err)
	switch {
	case errors.Is(err, context.Canceled), isTimeout && timeout.Timeout():
		return errors.New("no answer in time")
	case isUnresolved:
		return errors.New("the host name cannot be resolved")
	case isUnverified:
		return errors.New("the certificate of the server cannot be verified")
	case isAlert:
		return alert
	case isCode:
		return code
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the connection ended before the answer")
	}
	return errors.New("the connection failed, or the answer is not HTTP")
}

func parseRetryAfter(text string, now time.Time) time.Duration {
	var wait time.Duration
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}

// FailedAnswer returns the answer to a query by the error and the HTTP status alone. It
// reports false if the body of the answer decides.
func FailedAnswer(response Response, err error) (Answer, bool) {
	answer := Answer{RetryAfter: response.RetryAfter, Detail: fmt.Sprintf("HTTP %d", response.Status)}
	if err != nil {
		answer.Detail = err.Error()
	}
	switch status := response.Status; {
	case errors.Is(err, ErrTooLarge):
		answer.Outcome = Unusable
	case err != nil, status == http.StatusRequestTimeout, status >= http.StatusInternalServerError:
		answer.Outcome = Unavailable
	case status == http.StatusTooManyRequests:
		answer.Outcome = RateLimited
	default:
		return Answer{}, false
	}
	return answer, true
}
