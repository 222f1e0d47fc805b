package providertest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// broken is a provider with one fault, and the requirement that it fails.
type broken struct {
	provider    toy
	requirement string
	api         toyAPI
	files       map[string][2]string // what is replaced in a file, and by what
	none        map[string]string
	proofHeader string
}

var sound toy

func newSender(account string, key callback.Key) callback.Sender {
	return callback.Sender{Account: account, KeyID: key.ID()}
}

func allBroken() map[string]broken {
	all := brokenVerify()
	for _, more := range []map[string]broken{brokenTimes(), brokenParse(), brokenExpectations(), brokenTables(), brokenQueries()} {
		maps.Copy(all, more)
	}
	return all
}

func brokenVerify() map[string]broken {
	return map[string]broken{
		"verifies everything": {provider: toy{verify: func(_ callback.Request, k callback.Keys) (callback.Sender, error) {
			return newSender("a", k["a"].Current), nil
		}}, requirement: "altered-bodies"},
		"accepts any key that it has": {provider: toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			fields, _ := flat(r.Body)
			for _, accountKeys := range k {
				if fields["sign"] == signature(fields, accountKeys.Current) {
					return newSender("a", k["a"].Current), nil
				}
			}
			return sound.authenticate(r, k)
		}}, requirement: "other-account"},
		"accepts a key for any account": {provider: toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			fields, _ := flat(r.Body)
			for account, accountKeys := range k {
				if fields["sign"] == signature(fields, accountKeys.Current) {
					return newSender(account, accountKeys.Current), nil
				}
			}
			return sound.authenticate(r, k)
		}}, requirement: "other-account"},
		"accepts an empty key": {provider: toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			fields, _ := flat(r.Body)
			if fields["sign"] == signature(fields, k["a"].Current) {
				return newSender("a", k["a"].Current), nil
			}
			return sound.authenticate(r, k)
		}}, requirement: "no-keys"},
		"does not cover the id": {provider: toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			fields, err := flat(r.Body)
			if err != nil || fields["account"] != "a" || fields["status"] != "paid" || fields["id"] == "" {
				return sound.authenticate(r, k)
			}
			fields["id"] = "7"
			if fields["sign"] == signature(fields, k["a"].Current) {
				return newSender("a", k["a"].Current), nil
			}
			return sound.authenticate(r, k)
		}}, requirement: "altered-bodies"},
		"remembers keys": {provider: toy{verify: func(r callback.Request, _ callback.Keys) (callback.Sender, error) {
			return sound.authenticate(r, keys())
		}}, requirement: "removed-key"},
		"ignores the previous key": {provider: toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			sender, err := sound.authenticate(r, k)
			if sender.Previous {
				return callback.Sender{}, callback.ErrUnauthenticated
			}
			return sender, err
		}}, requirement: "previous-key"},
		"hides that it was the previous key": {provider: toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			sender, err := sound.authenticate(r, k)
			sender.Previous = false
			return sender, err
		}}, requirement: "previous-key"},
		"names no key": {provider: toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			sender, err := sound.authenticate(r, k)
			sender.KeyID = ""
			return sender, err
		}}, requirement: "sender"},
		"blames the sender for our keys": {provider: toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			sender, err := sound.authenticate(r, k)
			if errors.Is(err, callback.ErrUnusableKeys) {
				err = callback.ErrUnauthenticated
			}
			return sender, err
		}}, requirement: "unusable-keys"},
		"fails with its own error": {provider: toy{verify: func(callback.Request, callback.Keys) (callback.Sender, error) {
			return callback.Sender{}, errors.New("own error")
		}}, requirement: "verdicts"},
		"calls a wrong key malformed": {provider: toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			sender, err := sound.authenticate(r, k)
			if fields, _ := flat(r.Body); err != nil && k["a"].Current == "old-key-0000000000" && fields["account"] == "a" {
				err = callback.ErrMalformed
			}
			return sender, err
		}}, requirement: "new-key"},
		"quotes the body": {provider: toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			sender, err := sound.authenticate(r, k)
			if err != nil {
				err = fmt.Errorf("%w: %s", err, r.Body)
			}
			return sender, err
		}}, requirement: "canaries"},
		"signs names and values without separators": {provider: toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			fields, _ := flat(r.Body)
			moved := strings.HasSuffix(fields["id"], "memom") || strings.HasPrefix(fields["memo"], "mstatus")
			if moved && fields["account"] == "a" && len(fields["sign"]) == 64 {
				return newSender("a", k["a"].Current), nil
			}
			return sound.authenticate(r, k)
		}}, requirement: "cut-bodies"},
		"ignores its header": {requirement: "altered-bodies", proofHeader: "X-Proof"},
		"writes to the body": {provider: toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			sender, err := sound.authenticate(r, k)
			r.Body[0] = ' '
			return sender, err
		}}, requirement: "unchanged-request"},
	}
}

func brokenParse() map[string]broken {
	arrivals := 0
	return map[string]broken{
		"returns another event": {provider: toy{parse: func(callback.Request, callback.Sender) (payout.Event, *callback.Held) {
			return payout.Event{ID: "toy/payout/a/8", Status: payout.Succeeded}, nil
		}}, requirement: "verdicts"},
		"holds what it should read": {provider: toy{parse: func(callback.Request, callback.Sender) (payout.Event, *callback.Held) {
			return payout.Event{}, &callback.Held{Reason: callback.ReasonField, Note: "note"}
		}}, requirement: "verdicts"},
		"holds and returns an event": {provider: toy{parse: func(r callback.Request, s callback.Sender) (payout.Event, *callback.Held) {
			event, _ := sound.event(r, s)
			return event, &callback.Held{Reason: callback.ReasonField, Note: "note"}
		}}, requirement: "verdicts"},
		"uses the spaces of the body": {provider: toy{parse: func(r callback.Request, s callback.Sender) (payout.Event, *callback.Held) {
			event, held := sound.event(r, s)
			event.Memo = fmt.Sprint(strings.Count(string(r.Body), " "))
			return event, held
		}}, requirement: "spacing"},
		"counts arrivals": {provider: toy{parse: func(r callback.Request, s callback.Sender) (payout.Event, *callback.Held) {
			event, held := sound.event(r, s)
			arrivals++
			event.Memo = fmt.Sprint(arrivals)
			return event, held
		}}, requirement: "copies"},
		"guesses about what it cannot read": {provider: toy{parse: func(r callback.Request, s callback.Sender) (payout.Event, *callback.Held) {
			event, held := sound.event(r, s)
			if held != nil && held.Reason == callback.ReasonUnreadable {
				return payout.Event{ID: "toy/payout/a/8", Status: payout.Succeeded}, nil
			}
			return event, held
		}}, requirement: "restored-bodies"},
		"has a value in the reason": {provider: toy{parse: func(r callback.Request, s callback.Sender) (payout.Event, *callback.Held) {
			event, held := sound.event(r, s)
			if fields, _ := flat(r.Body); held != nil {
				held.Reason = callback.Reason("status " + fields["status"])
			}
			return event, held
		}}, requirement: "canaries"},
		"has the memo in the id": {provider: toy{parse: func(r callback.Request, s callback.Sender) (payout.Event, *callback.Held) {
			event, held := sound.event(r, s)
			if held == nil {
				event.ID += payout.ID(event.Memo)
			}
			return event, held
		}}, requirement: "canaries"},
		"has a subject that depends on the signature": {provider: toy{parse: func(r callback.Request, s callback.Sender) (payout.Event, *callback.Held) {
			event, held := sound.event(r, s)
			if held != nil {
				held.Subject = r.Body
			}
			return event, held
		}}, requirement: "previous-key"},
		"keeps the case of recipients": {provider: toy{parse: func(r callback.Request, s callback.Sender) (payout.Event, *callback.Held) {
			event, held := sound.event(r, s)
			fields, _ := flat(r.Body)
			if held == nil {
				event.To = fields["to"]
			}
			return event, held
		}}, requirement: "recipients"},
		"keeps the case of currencies": {provider: toy{parse: func(r callback.Request, s callback.Sender) (payout.Event, *callback.Held) {
			event, held := sound.event(r, s)
			fields, _ := flat(r.Body)
			if held == nil {
				event.Currency = fields["currency"]
			}
			return event, held
		}}, requirement: "currencies"},
		"loses the memo": {provider: toy{parse: func(r callback.Request, s callback.Sender) (payout.Event, *callback.Held) {
			event, held := sound.event(r, s)
			event.Memo = ""
			return event, held
		}}, requirement: "spellings"},
		"takes an unknown status for a failure": {provider: toy{parse: func(r callback.Request, s callback.Sender) (payout.Event, *callback.Held) {
			fields, _ := flat(r.Body)
			if fields["status"] == "new" {
				r.Body = []byte(strings.Replace(string(r.Body), `"new"`, `"failed"`, 1))
			}
			return sound.event(r, s)
		}}, requirement: "statuses"},
	}
}

func brokenExpectations() map[string]broken {
	changed := func(change func(*reconcile.Expectation, *payout.Event)) toy {
		return toy{expect: func(e reconcile.Expectation) (payout.Event, error) {
			event, err := sound.Expect(e)
			if err == nil {
				change(&e, &event)
			}
			return event, err
		}}
	}
	refused := func(change func(reconcile.Expectation, *reconcile.FieldError) (payout.Event, error)) toy {
		return toy{expect: func(e reconcile.Expectation) (payout.Event, error) {
			event, err := sound.Expect(e)
			if problem, ok := errors.AsType[*reconcile.FieldError](err); ok {
				return change(e, problem)
			}
			return event, err
		}}
	}
	return map[string]broken{
		"expects another payout":     {requirement: "expectations", provider: changed(func(_ *reconcile.Expectation, event *payout.Event) { event.ID += "0" })},
		"states a status":            {requirement: "expectations", provider: changed(func(_ *reconcile.Expectation, event *payout.Event) { event.Status = payout.Pending })},
		"keeps the recipient's case": {requirement: "expectations", provider: changed(func(e *reconcile.Expectation, event *payout.Event) { event.To = strings.ToUpper(e.To) })},
		"ignores the amount":         {requirement: "expectations", provider: changed(func(_ *reconcile.Expectation, event *payout.Event) { event.Amount = "" })},
		"expects nothing": {requirement: "expectations", provider: toy{expect: func(reconcile.Expectation) (payout.Event, error) {
			return payout.Event{}, errors.ErrUnsupported
		}}},
		"expects any type": {requirement: "expectations", provider: refused(func(e reconcile.Expectation, problem *reconcile.FieldError) (payout.Event, error) {
			if problem.Field == "type" {
				e.Type = "payout"
				return sound.Expect(e)
			}
			return payout.Event{}, problem
		})},
		"names another field": {requirement: "expectations", provider: refused(func(_ reconcile.Expectation, problem *reconcile.FieldError) (payout.Event, error) {
			return payout.Event{}, &reconcile.FieldError{Field: "currency", Problem: problem.Problem}
		})},
		"keeps a refused expectation": {requirement: "expectations", provider: refused(func(_ reconcile.Expectation, problem *reconcile.FieldError) (payout.Event, error) {
			return payout.Event{Status: payout.Expected}, problem
		})},
	}
}

func brokenTables() map[string]broken {
	const page = "source: https://example.org/callbacks, 2026-03-02"
	change := func(requirement, file, old, replacement string) broken {
		return broken{requirement: requirement, files: map[string][2]string{file: {old, replacement}}}
	}
	return map[string]broken{
		"a page without a date":                 change("sources", "paid.txtar", ", 2026-03-02", ""),
		"an answer's page without a date":       change("sources", "answers/paid.txtar", ", 2026-03-02", ""),
		"a source that is no page":              change("sources", "paid.txtar", "https://example.org/callbacks", "a mail"),
		"another reply":                         change("replies", "replies.txtar", "success", "ok"),
		"replies without a page":                change("retries", "replies.txtar", page, "source: own"),
		"codes that are not the provider's":     change("retries", "replies.txtar", "5xx", "429 5xx"),
		"a code that is retried, unmarked":      change("retries", "replies.txtar", "unavailable retried", "unavailable"),
		"a code that is not, marked":            change("retries", "replies.txtar", "malformed", "malformed retried"),
		"a status that vectors have and no row": change("statuses", "statuses.txt", "succeeded {\"status\": \"paid\"}\n", ""),
		"a status without a page's date":        change("statuses", "statuses.txt", ", 2026-03-02", ""),
		"another status of an answer":           change("query-statuses", "answers/statuses.txt", "succeeded", "failed"),
		"rows that do not differ":               change("spellings", "spellings.txt", `"X2"`, `"X1"`),
		"payouts that do not differ":            change("spellings", "spellings.txt", `"8"`, `"7"`),
		"events of two payouts":                 change("spellings", "spellings.txt", `{"memo": "M"}`, `{"id": "8"}`),
		"an unknown heading":                    change("spellings", "spellings.txt", "different events", "other events"),
		"a row that is held":                    change("spellings", "spellings.txt", `{"memo": "M"}`, `{"status": "M"}`),
		"a reason beside evidence":              {requirement: "recipients", none: map[string]string{"recipients": "no callback names a recipient"}},
		"a reason that is empty":                {requirement: "currencies", none: map[string]string{"currencies": ""}},
		"a reason for what always applies":      {requirement: "copies", none: map[string]string{"copies": "never sent again"}},
		"a reason against its own queries":      {requirement: "query-stale", none: map[string]string{"queries": "the provider has no API"}},
		"another answer":                        change("query-answers", "answers/paid.txtar", "succeeded", "failed"),
		"not-found beside a reason":             {requirement: "query-not-found", none: map[string]string{"query-not-found": "every payout is known"}},
		"in-process beside a reason":            {requirement: "query-in-process", none: map[string]string{"query-in-process": "it always says"}},
		"pages beside a reason":                 {requirement: "query-pages", none: map[string]string{"query-pages": "an answer has one page"}},
	}
}

func brokenQueries() map[string]broken {
	earlier := map[payout.ID]reconcile.Answer{}
	return map[string]broken{
		"ignores Retry-After": {requirement: "query-rate-limits", api: toyAPI{read: func(r reconcile.Response) (reconcile.Answer, bool) {
			return reconcile.Answer{Outcome: reconcile.RateLimited, Detail: "HTTP 429"}, r.Status == 429
		}}},
		"takes a page without a payout for an unknown payout": {requirement: "query-failures", api: toyAPI{read: func(r reconcile.Response) (reconcile.Answer, bool) {
			return reconcile.Answer{Outcome: reconcile.NotFound}, r.Status == 404
		}}},
		"asks about another account's payout": {requirement: "query-failures", api: toyAPI{ask: func(_ toyQuerier, asked reconcile.Asked) (reconcile.Answer, bool) {
			return reconcile.Answer{Outcome: reconcile.Unavailable}, asked.ID.Account() == "another-account"
		}}},
		"has the URL in the answer": {requirement: "query-failures", api: toyAPI{ask: func(q toyQuerier, _ reconcile.Asked) (reconcile.Answer, bool) {
			return reconcile.Answer{Outcome: reconcile.Unavailable, Detail: q.base}, strings.HasSuffix(q.base, ":1")
		}}},
		"states another status than its callback": {requirement: "query-agreement", api: toyAPI{read: func(r reconcile.Response) (reconcile.Answer, bool) {
			fields, _ := flat(r.Body)
			failed := payout.Event{ID: "toy/payout/a/7", Source: payout.SourceQuery, Status: payout.Failed}
			return reconcile.Answer{Outcome: reconcile.Answered, Statements: []reconcile.Statement{{Event: failed}}}, fields["sign"] != ""
		}}},
		"keeps the recipient": {requirement: "query-answers", api: toyAPI{read: func(r reconcile.Response) (reconcile.Answer, bool) {
			return reconcile.Answer{Outcome: reconcile.Unusable, Detail: "Ada Lovelace"}, strings.Contains(string(r.Body), "Ada")
		}}},
		"answers from memory": {requirement: "query-stale", api: toyAPI{ask: func(q toyQuerier, asked reconcile.Asked) (reconcile.Answer, bool) {
			id := payout.ID(q.base) + asked.ID
			if answer, ok := earlier[id]; ok {
				return answer, true
			}
			q.ask = nil
			earlier[id] = q.Ask(context.Background(), []reconcile.Asked{asked})
			return earlier[id], true
		}}},
		"has a value of the answer in its detail": {requirement: "query-canaries", api: toyAPI{read: func(r reconcile.Response) (reconcile.Answer, bool) {
			fields, _ := flat(r.Body)
			return reconcile.Answer{Outcome: reconcile.Unusable, Detail: fields["status"]}, toyStatuses[fields["status"]] == ""
		}}},
		"quotes credentials": {requirement: "query-credentials", api: toyAPI{connect: func(_ string, raw json.RawMessage) error {
			if strings.Contains(string(raw), " ") {
				return fmt.Errorf("key: %s", raw)
			}
			return nil
		}}},
	}
}
