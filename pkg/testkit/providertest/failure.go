package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

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
		querier, err := s.connect(account, s.credentials("http://"+address), reconcile.NewClient(true))
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

// checkCredentials checks that credentials that cannot be used are refused with an error
// that names the field and no value.
func (s *suite) checkCredentials() error {
	var faults []error
	account := slices.Sorted(maps.Keys(s.Keys))[0]
	refused := func(account string, credentials any, field string) {
		querier, err := s.connect(account, credentials, reconcile.NewClient(true))
		if querier != nil || err == nil || !strings.Contains(err.Error(), field) || strings.Contains(err.Error(), secret) {
			faults = append(faults, fmt.Errorf("credentials %v: got %s, want an error that names %q and no value", credentials, fmt.Sprint(err), field))
		}
	}
	for _, field := range s.Description.Credentials {
		for _, value := range []any{nil, "", 1, secret + " ", secret + "\r\nX: 1", []string{secret}} {
			credentials := s.credentials(baseURL)
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
	unknown := s.credentials(baseURL)
	unknown["unknown"] = secret
	refused(account, unknown, "unknown")
	misplaced := s.credentials(baseURL)
	misplaced[secret] = "key"
	refused(account, misplaced, "")
	refused("a/b", s.credentials(baseURL), "account")
	refused(account, nil, "")
	return errors.Join(faults...)
}
