package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// queryTime is the time of all queries of vectors.
func queryTime() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// secret is the value of each field of the credentials but the base URL. No error and no
// answer may contain it.
const secret = "SECRET-0123456789abcdef"

// credentials returns the API credentials of an account with a base URL.
func (s *suite) credentials(baseURL string) map[string]any {
	fields := map[string]any{}
	for _, field := range s.Description.Credentials {
		fields[field.Name] = secret
	}
	fields["baseUrl"] = baseURL
	return fields
}

func (s *suite) connect(account string, credentials any) (reconcile.Querier, error) {
	raw, err := json.Marshal(credentials)
	if err != nil {
		return nil, err
	}
	return s.Description.Queries.Connect(account, raw, reconcile.NewClient(true), queryTime)
}

// askAt asks a server about the payouts of a vector.
func (s *suite) askAt(handler http.Handler, asked []reconcile.Asked) (reconcile.Answer, error) {
	server := httptest.NewServer(handler)
	defer server.Close()
	querier, err := s.connect(asked[0].ID.Account(), s.credentials(server.URL))
	if err != nil {
		return reconcile.Answer{}, fmt.Errorf("connect: %w", err)
	}
	return querier.Ask(context.Background(), asked), nil
}

// ask returns the answer to the query of a vector, as in answer.json.
func (s *suite) ask(v AnswerVector) (string, error) {
	answer, err := s.askAt(v, v.Asked)
	if err != nil {
		return "", err
	}
	return formatAnswer(answer)
}

// checkAnswers checks that each answer vector has its answer, which keeps nothing about
// the recipient's account; one is the provider's own example.
func (s *suite) checkAnswers() error {
	var faults []error
	isDocumented := false
	for _, v := range s.answers {
		got, err := s.ask(v)
		if diff := cmp.Diff(v.Want, got); err != nil || diff != "" {
			faults = append(faults, fmt.Errorf("%s: (-want +got; -update rewrites): %s: %w", v.Name, diff, orNil(err)))
		}
		for _, personal := range s.Personal {
			if strings.Contains(got, personal) {
				faults = append(faults, fmt.Errorf("%s: the answer contains %q", v.Name, personal))
			}
		}
		isDocumented = isDocumented || v.outcome() == reconcile.Answered && strings.Contains(v.Source, "://")
	}
	if !isDocumented {
		faults = append(faults, notWrittenError("an answer from the provider's documentation, in "+testdata+"/"+answersDir))
	}
	return errors.Join(faults...)
}

func (v AnswerVector) outcome() reconcile.Outcome {
	var want answerText
	_ = json.Unmarshal([]byte(v.Want), &want) // a vector without an answer has no outcome
	return want.Outcome
}

// isAnswer reports whether the vector has an answer about its payout.
func (v AnswerVector) isAnswer() bool {
	return slices.Contains([]reconcile.Outcome{reconcile.Answered, reconcile.NotFound, reconcile.InProcess}, v.outcome())
}

// hasAnswer checks that a vector, whose answer checkAnswers compares, has an outcome.
func (s *suite) hasAnswer(outcome reconcile.Outcome, what string, has func(AnswerVector) bool) error {
	if slices.ContainsFunc(s.answers, func(v AnswerVector) bool { return v.outcome() == outcome && has(v) }) {
		return nil
	}
	return notWrittenError(fmt.Sprintf("an answer vector with the outcome %s%s", outcome, what))
}

// checkNotFound wants a payout that the provider does not know.
func (s *suite) checkNotFound() error {
	return s.hasAnswer(reconcile.NotFound, "", AnswerVector.isAnswer)
}

// checkInProcess wants a payout about which the provider cannot say anything yet.
func (s *suite) checkInProcess() error {
	return s.hasAnswer(reconcile.InProcess, "", AnswerVector.isAnswer)
}

// checkPages wants an answer that is put together from several pages.
func (s *suite) checkPages() error {
	return s.hasAnswer(reconcile.Answered, " of several pages", func(v AnswerVector) bool {
		paths := map[string]bool{}
		for request := range v.Responses {
			path, _, hasQuery := strings.Cut(request, "?")
			if hasQuery && paths[path] {
				return true
			}
			paths[path] = paths[path] || hasQuery
		}
		return false
	})
}

// checkRateLimits wants a refusal for too many requests, with the time to wait, and
// checks that any response can be refused so.
func (s *suite) checkRateLimits() error {
	if err := s.hasAnswer(reconcile.RateLimited, " and retryAfter", func(v AnswerVector) bool { return strings.Contains(v.Want, `"retryAfter"`) }); err != nil {
		return err
	}
	limited := Response{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"30"}}}
	return s.eachReplaced(limited, func(answer reconcile.Answer) error {
		if answer.Outcome != reconcile.RateLimited || answer.RetryAfter != 30*time.Second {
			return fmt.Errorf("HTTP 429 with Retry-After: 30: got %s, %s", answer.Outcome, answer.RetryAfter)
		}
		return nil
	})
}

// eachReplaced asks about the payouts of each answered vector, with each of its responses
// replaced in turn.
func (s *suite) eachReplaced(response Response, check func(reconcile.Answer) error) error {
	if err := s.hasAnswer(reconcile.Answered, "", AnswerVector.isAnswer); err != nil {
		return err
	}
	for _, v := range s.answers {
		if v.outcome() != reconcile.Answered {
			continue
		}
		for request := range v.Responses {
			replaced := v
			replaced.Responses = maps.Clone(v.Responses)
			replaced.Responses[request] = response
			answer, err := s.askAt(replaced, v.Asked)
			if err != nil {
				return err
			}
			if err := check(answer); err != nil {
				return fmt.Errorf("%s: %s: %w", v.Name, request, err)
			}
		}
	}
	return nil
}

// checkFailures checks that nothing is read into a response that is none: an error of the
// provider, a redirect, a page, an empty or endless body, a server that nobody reaches.
func (s *suite) checkFailures() error {
	page := []byte("<html><body>succeeded</body></html>")
	var faults []error
	for _, test := range []struct {
		response Response
		want     []reconcile.Outcome
	}{
		{Response{Status: http.StatusInternalServerError, Body: page}, []reconcile.Outcome{reconcile.Unavailable}},
		{Response{Status: http.StatusServiceUnavailable}, []reconcile.Outcome{reconcile.Unavailable}},
		{Response{Status: http.StatusFound, Header: http.Header{"Location": {"/"}}}, []reconcile.Outcome{reconcile.Unusable}},
		{Response{Status: http.StatusNotFound, Body: page}, []reconcile.Outcome{reconcile.Unusable}},
		{Response{Status: http.StatusOK, Body: page}, []reconcile.Outcome{reconcile.Unusable}},
		{Response{Status: http.StatusOK}, []reconcile.Outcome{reconcile.Unusable}},
		{Response{Status: http.StatusOK, Body: []byte(`{}`)}, []reconcile.Outcome{reconcile.Unusable}},
		{Response{Status: http.StatusOK, Body: []byte(strings.Repeat(" ", reconcile.MaxAnswer+1))}, []reconcile.Outcome{reconcile.Unusable}},
	} {
		faults = append(faults, s.eachReplaced(test.response, func(answer reconcile.Answer) error {
			if !slices.Contains(test.want, answer.Outcome) || len(answer.Statements) > 0 {
				return fmt.Errorf("HTTP %d, %.20q: got %s with %d statements, want %s", test.response.Status, test.response.Body, answer.Outcome, len(answer.Statements), test.want)
			}
			return nil
		}))
	}
	return errors.Join(append(faults, s.checkUnreachable())...)
}

// checkUnreachable checks queries that cannot be sent: their answers contain neither the
// URL nor a secret.
func (s *suite) checkUnreachable() error {
	const address = "127.0.0.1:1" // nobody listens
	for _, account := range slices.Sorted(maps.Keys(s.Keys)) {
		querier, err := s.connect(account, s.credentials("http://"+address))
		if err != nil {
			return fmt.Errorf("connect %s: %w", account, err)
		}
		probe := s.Description.Queries.ProbeID(account)
		for id, want := range map[payout.ID]reconcile.Outcome{
			probe: reconcile.Unavailable,
			payout.NewID(s.Name(), probe.Type(), "another-account", probe.PayoutID(), ""): reconcile.Unusable,
			payout.NewID(s.Name(), probe.Type(), account, "../../a", ""):                  reconcile.Unusable,
			payout.NewID(s.Name(), probe.Type(), account, "", ""):                         reconcile.NoID,
		} {
			answer := querier.Ask(context.Background(), []reconcile.Asked{{ID: id}})
			if answer.Outcome != want || strings.Contains(answer.Detail, address) || strings.Contains(answer.Detail, secret) {
				return fmt.Errorf("%s: got %s %q, want %s, without the URL and a secret", id, answer.Outcome, answer.Detail, want)
			}
		}
	}
	return nil
}

// checkStale checks that an answer is what the provider states now: a querier that was
// asked about the same payout before, and was answered something else, keeps nothing.
func (s *suite) checkStale() error {
	pairs := 0
	for i, earlier := range s.answers {
		for _, later := range s.answers[i+1:] {
			if !cmp.Equal(earlier.Asked, later.Asked) || earlier.Want == later.Want || !earlier.isAnswer() || !later.isAnswer() {
				continue
			}
			pairs++
			if err := errors.Join(s.checkPair(earlier, later), s.checkPair(later, earlier)); err != nil {
				return err
			}
		}
	}
	if pairs == 0 {
		return notWrittenError("two answer vectors about the same payout")
	}
	return nil
}

func (s *suite) checkPair(earlier, later AnswerVector) error {
	current := earlier
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { current.ServeHTTP(w, r) }))
	defer server.Close()
	querier, err := s.connect(earlier.Asked[0].ID.Account(), s.credentials(server.URL))
	if err != nil {
		return err
	}
	for _, v := range []AnswerVector{earlier, later} {
		current = v
		got, err := formatAnswer(querier.Ask(context.Background(), v.Asked))
		if diff := cmp.Diff(v.Want, got); err != nil || diff != "" {
			return fmt.Errorf("%s, asked after %s (-want +got): %s: %w", v.Name, earlier.Name, diff, orNil(err))
		}
	}
	return nil
}

// checkAnswerCanaries checks that no value of a response is in the words for the log.
func (s *suite) checkAnswerCanaries() error {
	if err := s.hasAnswer(reconcile.Answered, "", AnswerVector.isAnswer); err != nil {
		return err
	}
	for _, v := range s.answers {
		for request, response := range v.Responses {
			for _, body := range plant(response.Body) {
				replaced := v
				replaced.Responses = maps.Clone(v.Responses)
				replaced.Responses[request] = Response{Status: response.Status, Header: response.Header, Body: body}
				answer, err := s.askAt(replaced, v.Asked)
				if err != nil {
					return err
				}
				if strings.Contains(string(answer.Outcome)+answer.Detail, canary) {
					return fmt.Errorf("%s: %q has a value of the response", v.Name, answer.Detail)
				}
			}
		}
	}
	return nil
}

// checkCredentials checks that credentials that cannot be used are refused with an error
// that names the field and no value.
func (s *suite) checkCredentials() error {
	var faults []error
	account := slices.Sorted(maps.Keys(s.Keys))[0]
	refused := func(account string, credentials any, field string) {
		querier, err := s.connect(account, credentials)
		if querier != nil || err == nil || !strings.Contains(err.Error(), field) || strings.Contains(err.Error(), secret) {
			faults = append(faults, fmt.Errorf("credentials %v: got %s, want an error that names %q and no value", credentials, fmt.Sprint(err), field))
		}
	}
	for _, field := range s.Description.Credentials {
		for _, value := range []any{nil, "", 1, secret + " ", secret + "\r\nX: 1", []string{secret}} {
			credentials := s.credentials("https://api.example.com")
			if credentials[field.Name] = value; value == nil {
				delete(credentials, field.Name)
			}
			refused(account, credentials, field.Name)
		}
		raw := fmt.Appendf(nil, `{%q:%q,%q:%q}`, field.Name, secret, field.Name, secret)
		refused(account, json.RawMessage(raw), field.Name)
	}
	for _, base := range []string{"http://api.example.com", "https://" + secret + "@api.example.com", "https://api.example.com?" + url.QueryEscape(secret), "file:///"} {
		refused(account, s.credentials(base), "baseUrl")
	}
	unknown := s.credentials("https://api.example.com")
	unknown["unknown"] = secret
	refused(account, unknown, "unknown")
	misplaced := s.credentials("https://api.example.com")
	misplaced[secret] = "key"
	refused(account, misplaced, "")
	refused("a/b", s.credentials("https://api.example.com"), "account")
	refused(account, nil, "")
	return errors.Join(faults...)
}
