package providertest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// toyAPI is the toy's API for queries: a payout has pages, and the last one has its
// status. A function that is set replaces a part of it.
type toyAPI struct {
	connect func(account string, raw json.RawMessage) error
	ask     func(q toyQuerier, asked reconcile.Asked) (reconcile.Answer, bool)
	read    func(reconcile.Response) (reconcile.Answer, bool)
}

func (toyAPI) Name() string                             { return "toy" }
func (toyAPI) RequestKey(id payout.ID) string           { return string(id) }
func (toyAPI) StatedStatus(inbox.Receipt) payout.Status { return "" }

func (toyAPI) ProbeID(account string) payout.ID {
	return payout.NewID("toy", payout.TypePayout, account, "0", "")
}

func (a toyAPI) Connect(account string, raw json.RawMessage, client *http.Client, now func() time.Time) (reconcile.Querier, error) {
	var c struct {
		BaseURL string       `json:"baseUrl"`
		Key     callback.Key `json:"key"`
	}
	if a.connect != nil {
		if err := a.connect(account, raw); err != nil {
			return nil, err
		}
	}
	if err := reconcile.DecodeCredentials(raw, &c); err != nil {
		return nil, err
	}
	base, err := reconcile.CheckBaseURL(client, c.BaseURL)
	switch {
	case err != nil:
		return nil, err
	case !regexp.MustCompile(`^[!-~]+$`).MatchString(string(c.Key)):
		return nil, errors.New("key: must be printable")
	case !regexp.MustCompile(`^[ab]$`).MatchString(account):
		return nil, errors.New("the account is not a toy's")
	}
	return toyQuerier{a, account, base, client, now}, nil
}

type toyQuerier struct {
	toyAPI

	account, base string
	client        *http.Client
	now           func() time.Time
}

func (toyQuerier) KeyID() string { return "" }

func (q toyQuerier) Ask(ctx context.Context, payouts []reconcile.Asked) reconcile.Answer {
	id := payouts[0].ID
	if q.ask != nil {
		if answer, ok := q.ask(q, payouts[0]); ok {
			return answer
		}
	}
	switch {
	case id.PayoutID() == "":
		return reconcile.Answer{Outcome: reconcile.NoID}
	case id.Account() != q.account || !regexp.MustCompile(`^[0-9]+$`).MatchString(id.PayoutID()):
		return reconcile.Answer{Outcome: reconcile.Unusable, Detail: "not an ID of a toy"}
	}
	for page := 1; ; page++ {
		fields, answer, ok := q.get(ctx, fmt.Sprintf("%s/payouts/%s?page=%d", q.base, id.PayoutID(), page))
		if !ok {
			return answer
		}
		if fields["pages"] == fmt.Sprint(page) {
			return answerOf(id, fields)
		}
	}
}

func (q toyQuerier) get(ctx context.Context, url string) (map[string]string, reconcile.Answer, bool) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, reconcile.Answer{Outcome: reconcile.Unusable}, false
	}
	response, err := reconcile.Fetch(q.client, request, q.now)
	if q.read != nil {
		if answer, ok := q.read(response); ok {
			return nil, answer, false
		}
	}
	if answer, ok := reconcile.FailedAnswer(response, err); ok {
		return nil, answer, false
	}
	fields, err := flat(response.Body)
	switch {
	case response.Status == http.StatusNotFound && fields["code"] == "unknown":
		return nil, reconcile.Answer{Outcome: reconcile.NotFound}, false
	case response.Status != http.StatusOK || err != nil || fields["pages"] != "1" && fields["pages"] != "2":
		return nil, reconcile.Answer{Outcome: reconcile.Unusable, Detail: fmt.Sprintf("HTTP %d", response.Status)}, false
	}
	return fields, reconcile.Answer{}, true
}

func answerOf(id payout.ID, fields map[string]string) reconcile.Answer {
	status, ok := toyStatuses[fields["status"]]
	switch {
	case fields["status"] == "working":
		return reconcile.Answer{Outcome: reconcile.InProcess}
	case !ok:
		held := reconcile.HeldAnswer(payout.Event{ID: id}, fields["status"], string(callback.ReasonStatus), "note")
		return reconcile.Answer{Outcome: reconcile.Answered, Statements: []reconcile.Statement{{Held: held, Body: []byte(`{}`)}}}
	}
	return reconcile.Answer{Outcome: reconcile.Answered, Statements: []reconcile.Statement{{
		Event: payout.Event{ID: id, Source: payout.SourceQuery, Status: status, Amount: payout.Amount(fields["amount"]), To: fields["to"], Currency: fields["currency"], Memo: fields["memo"]},
		Body:  []byte(`{}`),
	}}}
}

// respond returns the toy's API, as it answers about the payout of a callback.
func respond(callback []byte) http.Handler {
	fields, _ := flat(callback)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fields["pages"], fields["to"] = "1", strings.ToLower(fields["to"])
		_ = json.NewEncoder(w).Encode(fields)
	})
}
