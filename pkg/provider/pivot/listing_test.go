package pivot_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/providertest"
)

// server is an API with an access token for each request of one, and a listing.
type server struct {
	*testing.T

	tokens  int
	refused map[string]bool // tokens
	list    func(page string) any
	asked   []string
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/v1/access-token" {
		if r.Header.Get("X-Merchant-Id") != "client-1" || r.Header.Get("X-Merchant-Secret") != "SECRET" || r.Method != http.MethodPost {
			s.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		s.tokens++
		_, _ = fmt.Fprintf(w, `{"code":"00","data":{"accessToken":"token-%d","expiresIn":"900"}}`, s.tokens)
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.asked = append(s.asked, token)
	if s.refused[token] {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprint(w, `{"code":"credentials_invalid"}`)
		return
	}
	_ = json.NewEncoder(w).Encode(s.list(r.URL.Query().Get("page")))
}

// listing returns a page of items that have succeeded.
func listingPage(total, pages int, references ...string) map[string]any {
	var items []any
	for _, reference := range references {
		items = append(items, map[string]any{"referenceId": reference, "status": "SUCCESS", "amount": map[string]any{"currency": "IDR", "value": "1"}})
	}
	return map[string]any{
		"code": "00", "pagination": map[string]any{"totalItems": total, "totalPages": pages},
		"data": map[string]any{
			"uuid": uuid, "merchantId": merchant, "status": "DONE", "payouts": items,
			"payoutResults": map[string]any{
				"totalSuccessCount": total, "totalSuccessAmount": total, "totalPendingCount": 0, "totalPendingAmount": 0, "totalFailedCount": 0, "totalFailedAmount": 0,
			},
		},
	}
}

var askedBatch = []reconcile.Asked{{ID: payout.NewID("pivot", payout.TypeBatch, merchant, uuid, "")}}

func TestToken(t *testing.T) {
	at := now()
	s := &server{T: t, refused: map[string]bool{}, list: func(string) any { return listingPage(1, 1, "1") }}
	api := httptest.NewServer(s)
	defer api.Close()
	querier := connectAt(t, api.URL, func() time.Time { return at })
	ask := func(want reconcile.Outcome, tokens int) {
		t.Helper()
		if answer := querier.Ask(t.Context(), askedBatch); answer.Outcome != want || s.tokens != tokens {
			t.Errorf("%+v after %d tokens, want %s after %d", answer, s.tokens, want, tokens)
		}
	}
	ask(reconcile.Answered, 1)
	at = at.Add(720*time.Second - 1)
	ask(reconcile.Answered, 1)
	at = at.Add(1) // 80 % of 900 s
	ask(reconcile.Answered, 2)
	s.refused["token-2"] = true
	ask(reconcile.Answered, 3)
	s.refused["token-3"], s.refused["token-4"] = true, true
	ask(reconcile.KeyRefused, 4) // one new token
	ask(reconcile.Answered, 5)
	at = at.Add(-time.Hour) // a clock that is set back
	ask(reconcile.Answered, 6)
}

// Queries at the same time share a token.
func TestToken_SingleFlight(t *testing.T) {
	const queries = 8
	s := &server{T: t}
	started := make(chan struct{}, queries)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/access-token" {
			for range queries {
				<-started
			}
			s.ServeHTTP(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(listingPage(1, 1, "1"))
	}))
	defer api.Close()
	querier := connect(t, api.URL)
	outcomes := make(chan reconcile.Outcome, queries)
	for range queries {
		go func() {
			started <- struct{}{}
			outcomes <- querier.Ask(t.Context(), askedBatch).Outcome
		}()
	}
	for range queries {
		if outcome := <-outcomes; outcome != reconcile.Answered {
			t.Errorf("outcome %s", outcome)
		}
	}
	if s.tokens != 1 {
		t.Errorf("%d tokens", s.tokens)
	}
}

func TestAsk_Pages(t *testing.T) {
	shiftUntil := 0
	for name, test := range map[string]struct {
		list     func(page string) any
		outcome  reconcile.Outcome
		requests int
		detail   string
	}{
		"two pages": {func(page string) any {
			return map[string]map[string]any{"1": listingPage(3, 2, "1", "2"), "2": listingPage(3, 2, "3")}[page]
		}, reconcile.Answered, 2, ""},
		"a page that shifts once": {func(page string) any {
			shiftUntil++
			if shiftUntil == 2 {
				return listingPage(3, 2, "1") // the item has moved to the second page meanwhile
			}
			return map[string]map[string]any{"1": listingPage(3, 2, "1", "2"), "2": listingPage(3, 2, "3")}[page]
		}, reconcile.Answered, 4, ""},
		"pages that shift for ever": {func(page string) any {
			return map[string]map[string]any{"1": listingPage(3, 2, "1", "2"), "2": listingPage(3, 2, "1")}[page]
		}, reconcile.Unusable, 6, "shift"},
		"a number of items that changes": {func(page string) any {
			return map[string]map[string]any{"1": listingPage(3, 2, "1", "2"), "2": listingPage(4, 2, "3")}[page]
		}, reconcile.Unusable, 6, "shift"},
		"totals that change": {func(page string) any {
			pages := map[string]map[string]any{"1": listingPage(3, 2, "1", "2"), "2": listingPage(3, 2, "3")}
			pages["2"]["data"].(map[string]any)["payoutResults"].(map[string]any)["totalSuccessCount"] = 2
			return pages[page]
		}, reconcile.Unusable, 6, "shift"},
		"a status that changes": {func(page string) any {
			pages := map[string]map[string]any{"1": listingPage(3, 2, "1", "2"), "2": listingPage(3, 2, "3")}
			pages["2"]["data"].(map[string]any)["status"] = "CANCELLED"
			return pages[page]
		}, reconcile.Unusable, 6, "shift"},
		"an endless listing": {func(page string) any { return listingPage(1100, 11, page) }, reconcile.Unusable, 1, "1000"},
		"a page too many":    {func(page string) any { return listingPage(1000, 51, page) }, reconcile.Unusable, 1, "1000"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{T: t, list: test.list}
			api := httptest.NewServer(s)
			defer api.Close()
			answer := connect(t, api.URL).Ask(t.Context(), askedBatch)
			if answer.Outcome != test.outcome || len(s.asked) != test.requests || !strings.Contains(answer.Detail, test.detail) {
				t.Fatalf("%+v after %d requests, want %s after %d", answer, len(s.asked), test.outcome, test.requests)
			}
			if answer.Outcome == reconcile.Answered && (len(answer.Statements) != 4 || answer.Statements[0].Held != nil) {
				t.Errorf("%s", providertest.AnswerText(t, answer))
			}
		})
	}
}
