package providertest_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/reconcile"
)

// toy is a provider that fulfils all requirements: flat JSON, signed by a hash over the
// sorted fields and the key. A function that is set replaces a part of it, to break a
// requirement.
type toy struct {
	verify func(callback.Request, callback.Keys) (callback.Sender, error)
	parse  func(callback.Request, callback.Sender) (payout.Event, *callback.Held)
	reply  func(callback.Verdict) callback.Reply
	expect func(reconcile.Expectation) (payout.Event, error)
	sign   func([]byte, callback.Key, time.Time) ([]byte, http.Header, error)
}

// describe returns the description of a toy with an API.
func describe(p toy, api toyAPI) provider.Description {
	return provider.Description{
		Callbacks: p, Expectations: p, Queries: api, Title: "Toy", IDFields: []string{"account", "id"},
		Credentials: []provider.Field{{Name: "baseUrl"}, {Name: "key"}},
		Retries:     provider.Retries{Waits: []time.Duration{time.Minute}, Codes: []provider.CodeRange{{From: 500, To: 599}}},
	}
}

func (toy) Name() string         { return "toy" }
func (toy) Types() []payout.Type { return []payout.Type{payout.TypePayout} }

// Expect implements [reconcile.Expectations].
func (p toy) Expect(e reconcile.Expectation) (payout.Event, error) {
	if p.expect != nil {
		return p.expect(e)
	}
	amount, err := payout.ParseAmount(e.Amount)
	if err := cmp.Or(
		reconcile.Require(e.Type == "payout", "type", "must be payout"),
		reconcile.Require(e.Account == "a" || e.Account == "b", "account", "is not a toy's"),
		reconcile.Require(e.ID != "" || e.Reference != "", "reference", "is required without an id"),
		reconcile.Require(!strings.Contains(e.ID, " "), "id", "has a space"),
		reconcile.Require(e.Amount == "" || err == nil, "amount", "must be a decimal"),
	); err != nil {
		return payout.Event{}, err
	}
	return payout.Event{
		ID: payout.NewID("toy", payout.TypePayout, e.Account, e.ID, ""), Source: payout.SourceExpectation, Status: payout.Expected,
		Reference: e.Reference, Amount: amount, Currency: strings.ToUpper(e.Currency), To: strings.ToLower(e.To), Memo: e.Memo,
	}, nil
}

func (toy) ClaimedAccount(callback.Request) string { return "" }

func (p toy) Verify(request callback.Request, keys callback.Keys) (callback.Verified, error) {
	sender, err := p.authenticate(request, keys)
	if err != nil {
		return callback.Verified{}, err
	}
	return p.Restore(request, sender), nil
}

func (p toy) Restore(request callback.Request, sender callback.Sender) callback.Verified {
	return callback.NewVerified(request, sender, func() (payout.Event, *callback.Held) { return p.event(request, sender) })
}

func (p toy) authenticate(request callback.Request, keys callback.Keys) (callback.Sender, error) {
	if p.verify != nil {
		return p.verify(request, keys)
	}
	fields, err := flat(request.Body)
	if err != nil {
		return callback.Sender{}, callback.ErrMalformed
	}
	accountKeys := keys[fields["account"]]
	switch {
	case accountKeys.Current != "" && fields["sign"] == signature(fields, accountKeys.Current):
		return callback.Sender{Account: fields["account"], KeyID: accountKeys.Current.ID()}, nil
	case accountKeys.Previous != "" && fields["sign"] == signature(fields, accountKeys.Previous):
		return callback.Sender{Account: fields["account"], KeyID: accountKeys.Previous.ID(), Previous: true}, nil
	}
	return callback.Sender{}, fmt.Errorf("toy: %w", accountKeys.Refusal())
}

func (p toy) event(request callback.Request, sender callback.Sender) (payout.Event, *callback.Held) {
	if p.parse != nil {
		return p.parse(request, sender)
	}
	fields, err := flat(request.Body)
	status, ok := toyStatuses[fields["status"]]
	ok = ok && fields["amount"] == "2.5"
	reason := callback.ReasonStatus
	if err != nil {
		reason = callback.ReasonUnreadable
	}
	if !ok {
		delete(fields, "sign") // it depends on the key
		subject, _ := json.Marshal(fields)
		return payout.Event{}, &callback.Held{Reason: reason, Note: "note", Subject: subject}
	}
	return payout.Event{
		ID: payout.NewID("toy", payout.TypePayout, sender.Account, fields["id"], ""), Status: status,
		Amount: payout.Amount(fields["amount"]), To: strings.ToLower(fields["to"]), Currency: strings.ToUpper(fields["currency"]), Memo: fields["memo"],
	}, nil
}

var toyStatuses = map[string]payout.Status{"paid": payout.Succeeded, "failed": payout.Failed}

func (p toy) Reply(verdict callback.Verdict) callback.Reply {
	if p.reply != nil {
		return p.reply(verdict)
	}
	codes := map[callback.Verdict]int{
		callback.Acknowledged: 200, callback.Unauthenticated: 401, callback.Malformed: 400, callback.TooLarge: 413,
	}
	switch code := codes[verdict]; code {
	case 0:
		return callback.Reply{Code: 503, ContentType: "text/plain"}
	case 200:
		return callback.Reply{Code: 200, ContentType: "text/plain", Body: "success"}
	default:
		return callback.Reply{Code: code, ContentType: "text/plain", Body: "refused"}
	}
}

func (p toy) Sign(body []byte, key callback.Key, at time.Time) ([]byte, http.Header, error) {
	if p.sign != nil {
		return p.sign(body, key, at)
	}
	fields, err := flat(body)
	if err != nil {
		return nil, nil, err
	}
	fields["sign"] = signature(fields, key)
	signed, err := json.Marshal(fields)
	return signed, http.Header{"X-Proof": {"1"}}, err
}

func flat(body []byte) (map[string]string, error) {
	var fields map[string]string
	if err := json.Unmarshal(body, &fields); err != nil {
		return map[string]string{}, err
	}
	return fields, nil
}

func signature(fields map[string]string, key callback.Key) string {
	covered := map[string]string{}
	for name, value := range fields {
		if name != "sign" && value != "" {
			covered[name] = value
		}
	}
	text, _ := json.Marshal(covered) // sorts names
	sum := sha256.Sum256(append([]byte(key), text...))
	return hex.EncodeToString(sum[:])
}
