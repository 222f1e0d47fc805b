// Package send builds, signs and sends callbacks as a provider does, and compares
// the answers with the provider's documented ones. It leaves to the commands which
// callbacks to send to which stack, and with which key.
package send

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider"
)

// answerTimeout bounds the wait for an answer. A cold function on a slow machine may
// take several seconds.
const answerTimeout = 30 * time.Second

// unexpectedVerdict stands for an answer that the provider does not document, such
// as one of the gateway.
const unexpectedVerdict callback.Verdict = "unexpected"

// Answer is the response to one callback.
type Answer struct {
	URL        string           `json:"url"`
	Code       int              `json:"code"`
	Body       string           `json:"body"`
	Verdict    callback.Verdict `json:"verdict"`
	AsExpected bool             `json:"asExpected"`
	// Of an acknowledged callback, as this program parses it: the payout or the held
	// callback to look for.
	Payout string          `json:"payout,omitempty"`
	Held   callback.Reason `json:"held,omitempty"`
}

// Callback is a callback to send.
type Callback struct {
	Provider provider.Description
	Kind     payout.Type
	Account  string // whose key signs it
	Previous bool   // sign it with the account's previous key
	Unsigned bool   // send it without a signature
	Header   http.Header
	Want     callback.Verdict
	Body     func() ([]byte, error) // body before signing, generated for each attempt
}

// URL returns the address of the callback at an API.
func (o Callback) URL(base string) string {
	return strings.TrimRight(base, "/") + "/callbacks/" + o.Provider.Name() + "/" + string(o.Kind)
}

// Curl returns the command line of curl that sends a body as it is to an API, or "" if a
// command line cannot contain the body. A signature in the body remains; a key or a
// signature in a header is a placeholder.
func (o Callback) Curl(base string, body []byte) string {
	if text := strings.ReplaceAll(string(body), "\n", ""); cli.Clean(text) != text {
		return ""
	}
	o.Body = func() ([]byte, error) { return body, nil }
	_, header, err := Sender{Callback: o, Key: "KEY"}.signed()
	switch {
	case err != nil: // the provider cannot sign it
		header = http.Header{"Content-Type": {defaultContentType}}
	case o.Provider.ProofHeader != "" && !o.Provider.SendsKey():
		header.Set(o.Provider.ProofHeader, "SIGNATURE")
	}
	var line strings.Builder
	line.WriteString("curl -i")
	for _, name := range slices.Sorted(maps.Keys(header)) {
		line.WriteString(" -H " + cli.InQuotes(name+": "+header.Get(name)))
	}
	line.WriteString(" --data-binary '" + strings.ReplaceAll(string(body), "'", `'\''`) + "' " + cli.Quote(o.URL(base)))
	return line.String()
}

// defaultContentType is the type of a callback whose provider sets none.
const defaultContentType = "application/json"

// Sender sends a callback. Each attempt is signed with a new nonce.
type Sender struct {
	Client   *http.Client
	URL      string
	Callback Callback
	Key      callback.Key
}

// NewSender returns a sender to the API of a stack at a URL.
func NewSender(stack cli.Stack, api string, out Callback, key callback.Key) Sender {
	return Sender{Client: NewClient(stack), URL: out.URL(api), Callback: out, Key: key}
}

// NewClient returns a client that follows no redirects, like the providers' clients:
// a callback must not be sent elsewhere.
func NewClient(stack cli.Stack) *http.Client {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment}
	if stack.Local {
		cli.DisableProxy(transport)
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Send sends the callback once and checks the answer.
func (s Sender) Send(ctx context.Context) (Answer, error) {
	body, header, err := s.signed()
	if err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return Answer{}, cli.Failuref("the API URL of the stack is not a URL", "send callback: %w", err)
	}
	request.Header = header
	response, err := s.Client.Do(request)
	if err != nil {
		return Answer{}, cli.Failuref("is the stack up? A local one is started with: make run", "send callback: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, callback.MaxBody))
	if err != nil {
		return Answer{}, cli.Failuref("", "read answer: %w", err)
	}
	got := Answer{URL: s.URL, Code: response.StatusCode, Body: string(text)}
	got.Verdict, got.AsExpected = s.check(got)
	if got.Verdict == callback.Acknowledged {
		got.Payout, got.Held = s.predict(callback.NewRequest(s.Callback.Kind, header, body))
	}
	return got, nil
}

// Event returns the event with which API Gateway invokes a function for the callback, in
// payload format 2.0, which payoutctl explain and sam local invoke read.
func (s Sender) Event() (events.APIGatewayV2HTTPRequest, error) {
	body, header, err := s.signed()
	if err != nil {
		return events.APIGatewayV2HTTPRequest{}, err
	}
	path := s.Callback.URL("")
	event := events.APIGatewayV2HTTPRequest{Version: "2.0", RouteKey: "POST " + path, RawPath: path, Headers: map[string]string{}, Body: string(body)}
	event.RequestContext = events.APIGatewayV2HTTPRequestContext{
		RouteKey: event.RouteKey, Stage: "$default", TimeEpoch: time.Now().UnixMilli(),
		HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: http.MethodPost, Path: path, Protocol: "HTTP/1.1", SourceIP: "127.0.0.1"},
	}
	for name, values := range header {
		event.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	if !utf8.Valid(body) {
		event.Body, event.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return event, nil
}

// signed returns body and headers as the provider sends them.
func (s Sender) signed() ([]byte, http.Header, error) {
	body, err := s.Callback.Body()
	if err != nil {
		return nil, nil, err
	}
	header := http.Header{}
	if !s.Callback.Unsigned {
		if body, header, err = s.Callback.Provider.Sign(bytes.Clone(body), s.Key, time.Now()); err != nil {
			return nil, nil, cli.Usagef("", "sign callback: %w", err)
		}
	}
	if header == nil {
		header = http.Header{}
	}
	maps.Copy(header, s.Callback.Header)
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", defaultContentType)
	}
	return body, header, nil
}

// check compares an answer with the provider's replies. Several verdicts may share
// a reply, so the expected verdict is tried first.
func (s Sender) check(got Answer) (verdict callback.Verdict, isExpected bool) {
	matches := func(verdict callback.Verdict) bool {
		reply := s.Callback.Provider.Reply(verdict)
		return reply.Code == got.Code && reply.Body == got.Body
	}
	for _, verdict := range []callback.Verdict{
		s.Callback.Want, callback.Acknowledged, callback.Unauthenticated, callback.Malformed, callback.TooLarge, callback.Unavailable,
	} {
		if matches(verdict) {
			return verdict, verdict == s.Callback.Want
		}
	}
	return unexpectedVerdict, false
}

// predict parses the callback as the functions do. It returns the payout, or the id
// and reason of a held callback.
func (s Sender) predict(request callback.Request) (string, callback.Reason) {
	keys := callback.Keys{s.Callback.Account: {Current: s.Key}}
	verified, err := s.Callback.Provider.Verify(request, keys)
	if err != nil {
		return "", ""
	}
	event, held := verified.Event()
	if held == nil {
		return string(event.ID), ""
	}
	receipt := inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: s.Callback.Provider.Name(),
		Type:     request.Type,
		Account:  verified.Sender.Account,
		Subject:  held.Subject,
	}, nil, "", time.Time{})
	return receipt.Key.Payout, held.Reason
}
