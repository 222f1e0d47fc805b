package providertest_test

import (
	"errors"
	"fmt"
	"strings"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// broken is a provider with one fault, and the law that finds it.
type broken struct {
	provider toy
	law      string
}

var sound toy

func newSender(account string, key callback.Key) callback.Sender {
	return callback.Sender{Account: account, KeyID: key.ID()}
}

func brokenVerify() map[string]broken {
	return map[string]broken{
		"verifies everything": {toy{verify: func(_ callback.Request, k callback.Keys) (callback.Sender, error) {
			return newSender("a", k["a"].Current), nil
		}}, "is refused with a byte flipped"},
		"accepts any key that it has": {toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			fields, _ := flat(r.Body)
			for _, accountKeys := range k {
				if fields["sign"] == signature(fields, accountKeys.Current) {
					return newSender("a", k["a"].Current), nil
				}
			}
			return sound.authenticate(r, k)
		}}, "is not accepted under another account's key"},
		"accepts a key for any account": {toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			fields, _ := flat(r.Body)
			for account, accountKeys := range k {
				if fields["sign"] == signature(fields, accountKeys.Current) {
					return newSender(account, accountKeys.Current), nil
				}
			}
			return sound.authenticate(r, k)
		}}, "is not accepted under another account's key"},
		"accepts an empty key": {toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			fields, _ := flat(r.Body)
			if fields["sign"] == signature(fields, k["a"].Current) {
				return newSender("a", k["a"].Current), nil
			}
			return sound.authenticate(r, k)
		}}, "is refused without keys"},
		"does not cover the id": {toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			fields, err := flat(r.Body)
			if err != nil || fields["account"] != "a" || fields["status"] != "paid" || fields["id"] == "" {
				return sound.authenticate(r, k)
			}
			fields["id"] = "7"
			if fields["sign"] == signature(fields, k["a"].Current) {
				return newSender("a", k["a"].Current), nil
			}
			return sound.authenticate(r, k)
		}}, "is refused with a byte flipped"},
		"remembers keys": {toy{verify: func(r callback.Request, _ callback.Keys) (callback.Sender, error) {
			return sound.authenticate(r, keys())
		}}, "is refused under a retired key"},
		"ignores the previous key": {toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			sender, err := sound.authenticate(r, k)
			if sender.Previous {
				return callback.Sender{}, callback.ErrUnauthenticated
			}
			return sender, err
		}}, "is accepted under the previous key"},
		"hides that it was the previous key": {toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			sender, err := sound.authenticate(r, k)
			sender.Previous = false
			return sender, err
		}}, "is accepted under the previous key"},
		"names no key": {toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			sender, err := sound.authenticate(r, k)
			sender.KeyID = ""
			return sender, err
		}}, "names its sender and key"},
		"blames the sender for our keys": {toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			sender, err := sound.authenticate(r, k)
			if errors.Is(err, callback.ErrUnusableKeys) {
				err = callback.ErrUnauthenticated
			}
			return sender, err
		}}, "is our fault if the keys cannot be used"},
		"fails with its own error": {toy{verify: func(callback.Request, callback.Keys) (callback.Sender, error) {
			return callback.Sender{}, errors.New("own error")
		}}, "gets its verdict"},
		"writes to the body": {toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			sender, err := sound.authenticate(r, k)
			r.Body[0] = ' '
			return sender, err
		}}, "is not changed"},
	}
}

func brokenParse() map[string]broken {
	arrivals := 0
	return map[string]broken{
		"returns another event": {toy{parse: func(callback.Request, callback.Sender) (payout.Event, *callback.Held) {
			return payout.Event{ID: "toy/payout/a/8", Status: payout.Succeeded}, nil
		}}, "gets its verdict"},
		"holds what it should read": {toy{parse: func(callback.Request, callback.Sender) (payout.Event, *callback.Held) {
			return payout.Event{}, &callback.Held{Reason: callback.ReasonField, Note: "note"}
		}}, "gets its verdict"},
		"holds and returns an event": {toy{parse: func(r callback.Request, s callback.Sender) (payout.Event, *callback.Held) {
			event, _ := sound.event(r, s)
			return event, &callback.Held{Reason: callback.ReasonField, Note: "note"}
		}}, "gets its verdict"},
		"uses the spaces of the body": {toy{parse: func(r callback.Request, s callback.Sender) (payout.Event, *callback.Held) {
			event, held := sound.event(r, s)
			event.Memo = fmt.Sprint(strings.Count(string(r.Body), " "))
			return event, held
		}}, "re-spaced and re-ordered is the same event"},
		"counts arrivals": {toy{parse: func(r callback.Request, s callback.Sender) (payout.Event, *callback.Held) {
			event, held := sound.event(r, s)
			arrivals++
			event.Memo = fmt.Sprint(arrivals)
			return event, held
		}}, "sent again is the same event"},
	}
}
