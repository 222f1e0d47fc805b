package providertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/testkit/memory"
)

func (s suite) verdict(v Vector) error {
	request, err := v.Request(s, s.Keys)
	if err != nil {
		return err
	}
	got, err := s.check(request, s.Keys)
	switch {
	case err != nil:
		return err
	case got.expect != v.Expect && got.held != nil:
		return fmt.Errorf("got %s (%s), want %s", got.expect, got.held.Note, v.Expect)
	case got.expect != v.Expect:
		return fmt.Errorf("got %s, want %s", got.expect, v.Expect)
	case v.Expect == Accepted:
		return compareEvent(v, got.event)
	}
	return nil
}

// untouched checks that neither Verify nor Event writes to the request: the receipt
// keeps the raw body, and the request may be verified twice.
func (s suite) untouched(v Vector) error {
	request, err := v.Request(s, s.Keys)
	if err != nil {
		return err
	}
	body, header := bytes.Clone(request.Body), request.Header.Clone()
	if _, err := s.check(request, s.Keys); err != nil {
		return err
	}
	if !bytes.Equal(body, request.Body) || !reflect.DeepEqual(header, request.Header) {
		return errors.New("the request was written to")
	}
	if !v.Authentic() {
		return errNoCase // only verified, and not parsed
	}
	return nil
}

func (s suite) names(v Vector) error {
	return s.ifAuthentic(v, func(_ callback.Request, got result) error {
		key := s.Keys[got.sender.Account].Current
		if got.sender.Previous {
			key = s.Keys[got.sender.Account].Previous
		}
		switch {
		case key == "" || got.sender.KeyID != key.ID():
			return fmt.Errorf("sender %+v names none of its keys", got.sender)
		case v.Account != "" && got.sender.Account != v.Account:
			return fmt.Errorf("sender is %s, want %s", got.sender.Account, v.Account)
		case v.Account != "" && got.sender.Previous != v.Previous:
			return fmt.Errorf("previous = %t, want %t", got.sender.Previous, v.Previous)
		}
		return nil
	})
}

func (s suite) resent(v Vector) error {
	return s.ifAuthentic(v, func(request callback.Request, got result) error {
		if again, err := s.check(request, s.Keys); err != nil || again.identity() != got.identity() {
			return fmt.Errorf("the same request: %w", different(got, again, err))
		}
		again, err := s.under(v, s.Keys[got.sender.Account].Current)
		if err != nil || again.identity() != got.identity() {
			return fmt.Errorf("signed again: %w", different(got, again, err))
		}
		return nil
	})
}

// respaced checks that other spaces and another order of names make no other event.
// Only JSON has both.
func (s suite) respaced(v Vector) error {
	return s.ifAuthentic(v, func(request callback.Request, got result) error {
		body := jsontext.Value(bytes.Clone(request.Body))
		if request.TooLarge() || !body.IsValid() {
			return errNoCase
		}
		err := body.Format(jsontext.SpaceAfterColon(true), jsontext.SpaceAfterComma(true),
			jsontext.ReorderRawObjects(true), jsontext.PreserveRawStrings(true))
		if err != nil {
			return err
		}
		again, err := s.check(callback.NewRequest(v.Type, request.Header, body), s.Keys)
		if again.expect == Unauthentic { // the scheme covers the bytes
			v.Body = body
			again, err = s.under(v, s.Keys[got.sender.Account].Current)
		}
		if err != nil || again.identity() != got.identity() {
			return different(got, again, err)
		}
		return nil
	})
}

func (s suite) previous(v Vector) error {
	return s.ifAuthentic(v, func(_ callback.Request, got result) error {
		key := s.Keys[got.sender.Account].Previous
		if key == "" {
			return errNoCase
		}
		again, err := s.under(v, key)
		switch {
		case err != nil || again.identity() != got.identity():
			return different(got, again, err)
		case !again.sender.Previous || again.sender.KeyID != key.ID():
			return fmt.Errorf("sender %+v, want previous key %s", again.sender, key.ID())
		}
		return nil
	})
}

// withoutKeys checks that nothing is accepted without keys, nor for an account that has
// no key yet; not even a callback that is signed with an empty key.
func (s suite) withoutKeys(v Vector) error {
	return s.ifAuthentic(v, func(request callback.Request, got result) error {
		blank := callback.Keys{got.sender.Account: {}}
		for _, keys := range []callback.Keys{nil, {}, blank} {
			if err := s.refused(request, keys); err != nil {
				return fmt.Errorf("keys of %d accounts: %w", len(keys), err)
			}
		}
		body, header, err := v.SignedWith(s, "")
		if err != nil {
			return nil //nolint:nilerr // a signer may refuse an empty key
		}
		return s.refused(callback.NewRequest(v.Type, header, body), blank)
	})
}

// flawed checks that a callback that fails verification is not the sender's fault if
// the keys of its account cannot be used. A callback that names an account other than
// that of its key is verified with the keys of the account that it names.
func (s suite) flawed(v Vector) error {
	return s.ifAuthentic(v, func(request callback.Request, got result) error {
		if got.held != nil && got.held.Reason == callback.ReasonMismatch {
			return errNoCase
		}
		keys := maps.Clone(s.Keys)
		keys[got.sender.Account] = callback.AccountKeys{Flawed: true}
		if _, err := s.Verify(request, keys); !errors.Is(err, callback.ErrUnusableKeys) {
			return fmt.Errorf("keys that cannot be used: got %s, want %w", fmt.Sprint(err), callback.ErrUnusableKeys)
		}
		keys[got.sender.Account] = callback.AccountKeys{Current: s.Keys[got.sender.Account].Current, Flawed: true}
		if got.sender.Previous {
			return nil
		}
		again, err := s.check(request, keys)
		if err == nil && again.identity() != got.identity() {
			err = fmt.Errorf("with a previous key that cannot be used: %w", different(got, again, nil))
		}
		return err
	})
}

func (s suite) retired(v Vector) error {
	return s.ifAuthentic(v, func(request callback.Request, got result) error {
		keys := maps.Clone(s.Keys)
		keys[got.sender.Account] = callback.AccountKeys{Current: "new-key-0000000000", Previous: "new-key-1111111111"}
		return s.refused(request, keys)
	})
}

// renewed checks that a callback under a key that is stored meanwhile is accepted by the
// request that is refused under the old keys, which reads them once more; and that it is
// refused if they stay.
func (s suite) renewed(v Vector) error {
	return s.ifAuthentic(v, func(request callback.Request, got result) error {
		if got.held != nil && got.held.Reason == callback.ReasonMismatch {
			return errNoCase // which keys it is verified with depends on those that are stored
		}
		old := maps.Clone(s.Keys)
		old[got.sender.Account] = callback.AccountKeys{Current: "old-key-0000000000"}
		for _, keys := range []*rotation{{old: old}, {old: old, renewed: s.Keys}} {
			store, now := &memory.Store{}, func() time.Time { return signedAt }
			handler := &callback.Handler{
				Provider: s.Callbacks, Keys: keys, Now: now,
				Inbox: &inbox.Inbox{Store: store, Queue: &memory.Queue{Now: now}, Now: now},
			}
			want, stored := callback.Unauthenticated, 0
			if keys.renewed != nil {
				want, stored = callback.Acknowledged, 1
			}
			if result := handler.Handle(context.Background(), request); result.Verdict != want || len(store.Receipts()) != stored {
				return fmt.Errorf("got %s with %d receipts after new keys were stored: %t; want %s", result.Verdict, len(store.Receipts()), keys.renewed != nil, want)
			}
		}
		return nil
	})
}

// rotation is a source of keys that are replaced while a callback arrives.
type rotation struct{ old, renewed callback.Keys }

// Keys implements [callback.KeySource].
func (r *rotation) Keys(context.Context) (callback.Keys, error) { return r.old, nil }

// Refresh implements [callback.KeySource].
func (r *rotation) Refresh(context.Context) (callback.Keys, bool, error) {
	return r.renewed, r.renewed != nil, nil
}

// otherAccount checks that a callback signed with the key of another account is
// refused, or held for the owner of that key. It becomes an event only if it was held
// under the first key, and then an event of the owner.
func (s suite) otherAccount(v Vector) error {
	return s.ifAuthentic(v, func(_ callback.Request, got result) error {
		for account, keys := range s.Keys {
			if account == got.sender.Account || keys.Current == s.Keys[got.sender.Account].Current {
				continue
			}
			again, err := s.under(v, keys.Current)
			if err != nil {
				return err
			}
			isHeld := again.held != nil || got.held != nil && again.event.ID.Account() == account
			if again.expect == Unauthentic || isHeld && again.sender.Account == account {
				continue
			}
			return fmt.Errorf("under the key of %s: %s, sender %s", account, again.expect, again.sender.Account)
		}
		return nil
	})
}

func (s suite) ifAuthentic(v Vector, check func(callback.Request, result) error) error {
	if !v.Authentic() {
		return errNoCase
	}
	request, err := v.Request(s, s.Keys)
	if err != nil {
		return err
	}
	got, err := s.check(request, s.Keys)
	if err != nil {
		return err
	}
	if got.sender.Account == "" {
		return errors.New("not authentic")
	}
	return check(request, got)
}

// under checks the vector signed with a key, with its own headers.
func (s suite) under(v Vector, key callback.Key) (result, error) {
	body, header, err := v.SignedWith(s, key)
	if err != nil {
		return result{}, err
	}
	if s.sendsKey {
		header.Set(s.Description.ProofHeader, string(key))
	}
	return s.check(callback.NewRequest(v.Type, header, body), s.Keys)
}

func (s suite) refused(request callback.Request, keys callback.Keys) error {
	got, err := s.check(request, keys)
	if err != nil {
		return err
	}
	if got.expect != Unauthentic {
		return fmt.Errorf("got %s, want %s", got.expect, Unauthentic)
	}
	return nil
}

func different(want, got result, err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("got %.200s, want %.200s", got.identity(), want.identity())
}

func cloneWith(header http.Header, name, value string) http.Header {
	header = header.Clone()
	header.Set(name, value)
	return header
}
