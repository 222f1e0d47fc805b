package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
)

// answerTimeout is how long an answer is waited for. A cold function on a slow
// machine may take several seconds.
const answerTimeout = 30 * time.Second

// unexpectedVerdict is an answer that is none of the provider's: a gateway's
// own, for instance.
const unexpectedVerdict callback.Verdict = "unexpected"

// answer is what came back for one callback.
type answer struct {
	URL        string           `json:"url"`
	Code       int              `json:"code"`
	Body       string           `json:"body"`
	Verdict    callback.Verdict `json:"verdict"`
	AsExpected bool             `json:"asExpected"`
	// Of an acknowledged callback, read by this program's own copy of the
	// provider: where to look for what became of it.
	Payout string          `json:"payout,omitempty"`
	Held   callback.Reason `json:"held,omitempty"`
}

// sender sends one callback, signed anew each time.
type sender struct {
	client *http.Client
	url    string
	out    outgoing
	key    callback.Key
}

// callbackClient follows no redirects, as no provider does: a callback is not
// to be sent elsewhere.
func callbackClient(stack stack) *http.Client {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment}
	if stack.local {
		direct(transport)
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (s sender) once(ctx context.Context) (answer, error) {
	body, header, err := s.signed()
	if err != nil {
		return answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return answer{}, failure("the stack's API URL is not one", "send callback: %w", err)
	}
	request.Header = header
	response, err := s.client.Do(request)
	if err != nil {
		return answer{}, failure("is the stack up? A local one is started with: make run", "send callback: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, callback.MaxBody))
	if err != nil {
		return answer{}, failure("", "read answer: %w", err)
	}
	got := answer{URL: s.url, Code: response.StatusCode, Body: string(text)}
	got.Verdict, got.AsExpected = s.check(got)
	if got.Verdict == callback.Acknowledged {
		got.Payout, got.Held = s.foresee(callback.NewRequest(s.out.kind, header, body))
	}
	return got, nil
}

// proven returns the body and the headers as the provider would send them.
func (s sender) signed() ([]byte, http.Header, error) {
	body, err := s.out.body()
	if err != nil {
		return nil, nil, err
	}
	header := http.Header{}
	if !s.out.unsigned {
		if body, header, err = s.out.provider.Sign(bytes.Clone(body), s.key); err != nil {
			return nil, nil, usage("", "sign callback: %w", err)
		}
	}
	if header == nil {
		header = http.Header{}
	}
	maps.Copy(header, s.out.header)
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json")
	}
	return body, header, nil
}

// judge reads an answer with the provider's own table. Verdicts may share an
// answer, so that it is compared with the wanted one's and not by its name.
func (s sender) check(got answer) (verdict callback.Verdict, asExpected bool) {
	is := func(verdict callback.Verdict) bool {
		reply := s.out.provider.Reply(verdict)
		return reply.Code == got.Code && reply.Body == got.Body
	}
	for _, verdict := range []callback.Verdict{
		s.out.want, callback.Acknowledged, callback.Unauthenticated, callback.Malformed, callback.TooLarge, callback.Unavailable,
	} {
		if is(verdict) {
			return verdict, verdict == s.out.want
		}
	}
	return unexpectedVerdict, false
}

// foresee reads the callback as the application will: which payout it is
// about, or under which name it is held and why.
func (s sender) foresee(request callback.Request) (string, callback.Reason) {
	keys := callback.Keys{s.out.account: {Current: s.key}}
	verified, err := s.out.provider.Verify(request, keys)
	if err != nil {
		return "", ""
	}
	event, held := verified.Event()
	if held == nil {
		return string(event.ID), ""
	}
	receipt := inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: s.out.provider.Name(),
		Type:     request.Type,
		Account:  verified.Sender.Account,
		Subject:  held.Subject,
	}, nil, "", time.Time{})
	return receipt.Key.Payout, held.Reason
}

func (s *session) printAnswer(got answer) error {
	if s.flags.JSON {
		return s.printJSON(got)
	}
	line := fmt.Sprintf("%d  %s", got.Code, s.style().verdict(got))
	if got.Body != "" {
		line += "  " + clean(got.Body)
	}
	return s.print(line + "\n")
}

// printWhereabouts says where to look for what became of a callback.
func (s *session) printWhereabouts(got answer) {
	switch {
	case s.flags.JSON || got.Payout == "":
	case got.Held != "":
		s.notef("held (%s): %s show %s", got.Held, s.self(), inQuotes(got.Payout))
	default:
		s.notef("what became of it: %s show %s", s.self(), inQuotes(got.Payout))
	}
}
