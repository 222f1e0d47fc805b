package providertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// canary stands for a value of a callback or an answer, and for a key.
const canary = "canary-7131313"

// stated are the statuses of ours that a provider can state.
var stated = []payout.Status{
	payout.Pending, payout.Delayed, payout.Succeeded, payout.Failed, payout.Rejected, payout.Done, payout.Cancelled,
}

// canaries checks that no value of a callback, and no key, is in what is logged about it:
// the error of a refusal, and the words of an outcome. Each field has the canary once.
func (s suite) canaries(v Vector) error {
	return s.ifAuthentic(v, func(_ callback.Request, got result) error {
		keys := callback.Keys{got.sender.Account: {Current: canary + "-key", Previous: canary + "-previous"}}
		for _, p := range append(plant(v.Body), planted{body: v.Body}) {
			v.Body = p.body
			for _, key := range []callback.Key{canary + "-key", canary + "-forged"} {
				if err := s.checkLogged(v, p.field, key, keys); err != nil {
					return fmt.Errorf("with a canary in %q: %w", p.field, err)
				}
			}
		}
		return nil
	})
}

func (s suite) checkLogged(v Vector, field string, key callback.Key, keys callback.Keys) error {
	body, header, err := v.SignedWith(s, key)
	if err != nil {
		return nil //nolint:nilerr // the body cannot be signed any more
	}
	if s.sendsKey {
		header.Set(s.Description.ProofHeader, string(key))
	}
	request := callback.NewRequest(v.Type, header, body)
	if account := s.ClaimedAccount(request); strings.Contains(account, canary) && field != s.Description.IDFields[0] {
		return fmt.Errorf("the claimed account is %q", account)
	}
	verified, err := s.Verify(request, keys)
	if err != nil {
		if strings.Contains(err.Error(), canary) {
			return fmt.Errorf("the error of Verify has a value of the callback: %w", err)
		}
		return nil
	}
	event, held := verified.Event()
	switch {
	case held != nil && !slices.Contains(callback.Reasons(), held.Reason):
		return fmt.Errorf("held for %q, which is none of callback's reasons", held.Reason)
	case held == nil && !slices.Contains(stated, event.Status):
		return fmt.Errorf("status %q is none that a provider states", event.Status)
	case strings.Contains(string(event.ID), canary) && !slices.Contains(s.Description.IDFields, field):
		return fmt.Errorf("the payout is %s, and Description.IDFields does not have the field", event.ID)
	}
	return nil
}

// planted is a JSON text with a canary in a field.
type planted struct {
	field string
	body  []byte
}

// plant returns the JSON text with a canary in each of its fields in turn.
func plant(text []byte) []planted {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var decoded any
	if decoder.Decode(&decoded) != nil {
		return nil
	}
	var all []planted
	var walk func(name string, value any, set func(any))
	walk = func(name string, value any, set func(any)) {
		switch value := value.(type) {
		case map[string]any:
			for field, inner := range value {
				walk(field, inner, func(next any) { value[field] = next })
			}
			return
		case []any:
			for i, inner := range value {
				walk(name, inner, func(next any) { value[i] = next })
			}
			return
		}
		set(canary)
		if body, err := json.Marshal(decoded); err == nil {
			all = append(all, planted{name, body})
		}
		set(value)
	}
	walk("", decoded, func(next any) { decoded = next })
	return all
}
