package providertest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// toy is a provider that obeys all laws: flat JSON, signed by a hash over the sorted
// fields and the key. A function that is set replaces a part of it, to break a law.
type toy struct {
	verify func(callback.Request, callback.Keys) (callback.Sender, error)
	parse  func(callback.Request, callback.Sender) (payout.Event, *callback.Held)
	reply  func(callback.Verdict) callback.Reply
}

func (toy) Name() string         { return "toy" }
func (toy) Types() []payout.Type { return []payout.Type{payout.TypePayout} }

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
	if err != nil || fields["status"] != "paid" {
		delete(fields, "sign") // it depends on the key
		subject, _ := json.Marshal(fields)
		return payout.Event{}, &callback.Held{Reason: callback.ReasonStatus, Note: "status", Subject: subject}
	}
	id := payout.NewID("toy", payout.TypePayout, sender.Account, fields["id"], "")
	return payout.Event{ID: id, Status: payout.Succeeded}, nil
}

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

func (p toy) Sign(body []byte, key callback.Key) ([]byte, http.Header, error) {
	fields, err := flat(body)
	if err != nil {
		return nil, nil, err
	}
	fields["sign"] = signature(fields, key)
	signed, err := json.Marshal(fields)
	return signed, http.Header{}, err
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
