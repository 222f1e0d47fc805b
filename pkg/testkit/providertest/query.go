package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// queryTime is the time of all queries of vectors.
func queryTime() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// secret is the value of each field of the credentials but the base URL. No error and no
// answer may contain it.
const secret = "SECRET-0123456789abcdef"

// credentials returns the API credentials of an account with a base URL.
func (s *suite) credentials(base string) map[string]any {
	fields := map[string]any{}
	for _, field := range s.Description.Credentials {
		fields[field.Name] = secret
	}
	fields["baseUrl"] = base
	return fields
}

func (s *suite) connect(account string, credentials any, client *http.Client) (reconcile.Querier, error) {
	raw, err := json.Marshal(credentials)
	if err != nil {
		return nil, err
	}
	return s.Description.Queries.Connect(account, raw, client, queryTime)
}

// connectTo connects to a server for the account of a payout.
func (s *suite) connectTo(handler http.Handler, id payout.ID) (reconcile.Querier, error) {
	client := reconcile.NewClient(false)
	client.Transport = handlerTransport{handler}
	querier, err := s.connect(id.Account(), s.credentials(baseURL), client)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return querier, nil
}

const baseURL = "https://api.example.com"

// handlerTransport serves requests without a network.
type handlerTransport struct{ http.Handler }

// RoundTrip implements [http.RoundTripper].
func (t handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	t.ServeHTTP(w, r)
	response := w.Result()
	response.Request = r
	return response, nil
}

// askAt asks a server about the payouts of a vector.
func (s *suite) askAt(handler http.Handler, asked []reconcile.Asked) (reconcile.Answer, error) {
	querier, err := s.connectTo(handler, asked[0].ID)
	if err != nil {
		return reconcile.Answer{}, err
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

// checkAgreement checks that the answer about the payout of each accepted callback states
// what the callback states, and confirms a final status.
func (s *suite) checkAgreement() error {
	if s.Respond == nil {
		return notWrittenError("Suite.Respond")
	}
	return law(suite.agreement)(s)
}

func (s suite) agreement(v Vector) error {
	return s.ifAuthentic(v, func(request callback.Request, got result) error {
		if !got.isEvent() {
			return errNoCase
		}
		handler := s.Respond(request.Body)
		if handler == nil {
			return errNoCase
		}
		answer, err := s.askAt(handler, []reconcile.Asked{{ID: got.event.ID, Reference: got.event.Reference}})
		switch {
		case err != nil:
			return err
		case answer.Outcome != reconcile.Answered || answer.Statements[0].Held != nil:
			return fmt.Errorf("the answer is %+v", answer)
		}
		return agree(got.event, answer.Statements[0].Event)
	})
}

// agree checks that a callback and an answer state the same, in either order.
func agree(event, answer payout.Event) error {
	for _, events := range [][]payout.Event{{event, answer}, {answer, event}} {
		record, _ := payout.Record{}.Apply(events[0])
		record, _ = record.Apply(events[1])
		if len(record.Conflicts()) > 0 || record.IsConfirmed() != record.Status().IsFinal() {
			return fmt.Errorf("conflicts %v, confirmed %t: %+v", record.Conflicts(), record.IsConfirmed(), record)
		}
	}
	answer.Source = ""
	if answer.Fingerprint() != event.Fingerprint() {
		return fmt.Errorf("the answer states %+v, the callback %+v", answer, event)
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
	server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { current.ServeHTTP(w, r) })
	querier, err := s.connectTo(server, earlier.Asked[0].ID)
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
			for _, p := range plant(response.Body) {
				replaced := v
				replaced.Responses = maps.Clone(v.Responses)
				replaced.Responses[request] = Response{Status: response.Status, Header: response.Header, Body: p.body}
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
