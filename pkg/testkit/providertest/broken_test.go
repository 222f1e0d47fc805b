package providertest_test

import (
	"errors"
	"fmt"
	"strings"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// broken is a provider with one fault, and the law by which that is found.
type broken struct {
	provider toy
	law      string
}

var sound toy

func verifyAndParse(account string, key callback.Key) callback.Sender {
	return callback.Sender{Account: account, KeyID: key.ID()}
}

func brokenVerify() map[string]broken {
	return map[string]broken{
		"believes everything": {toy{verify: func(_ callback.Request, k callback.Keys) (callback.Sender, error) {
			return verifyAndParse("a", k["a"].Current), nil
		}}, "is refused with a byte flipped"},
		"believes any key that it knows": {toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			fields, _ := flat(r.Body)
			for _, of := range k {
				if fields["sign"] == signature(fields, of.Current) {
					return verifyAndParse("a", k["a"].Current), nil
				}
			}
			return sound.authenticate(r, k)
		}}, "is not believed under another account's key"},
		"takes a key for proof about any account": {toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			fields, _ := flat(r.Body)
			for account, of := range k {
				if fields["sign"] == signature(fields, of.Current) {
					return verifyAndParse(account, of.Current), nil
				}
			}
			return sound.authenticate(r, k)
		}}, "is not believed under another account's key"},
		"believes an empty key": {toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			fields, _ := flat(r.Body)
			if fields["sign"] == signature(fields, k["a"].Current) {
				return verifyAndParse("a", k["a"].Current), nil
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
				return verifyAndParse("a", k["a"].Current), nil
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
		}}, "is our fault where the keys cannot be used"},
		"fails in a way of its own": {toy{verify: func(callback.Request, callback.Keys) (callback.Sender, error) {
			return callback.Sender{}, errors.New("own error")
		}}, "gets its verdict"},
		"writes to the body": {toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			sender, err := sound.authenticate(r, k)
			r.Body[0] = ' '
			return sender, err
		}}, "is not changed by being looked at"},
	}
}

func brokenParse() map[string]broken {
	arrivals := 0
	return map[string]broken{
		"tells another event": {toy{parse: func(callback.Request, callback.Sender) (payout.Event, *callback.Held) {
			return payout.Event{ID: "toy/payout/a/8", Status: payout.Succeeded}, nil
		}}, "gets its verdict"},
		"holds what it should read": {toy{parse: func(callback.Request, callback.Sender) (payout.Event, *callback.Held) {
			return payout.Event{}, &callback.Held{Reason: callback.ReasonField, Note: "note"}
		}}, "gets its verdict"},
		"holds and tells": {toy{parse: func(r callback.Request, s callback.Sender) (payout.Event, *callback.Held) {
			event, _ := sound.event(r, s)
			return event, &callback.Held{Reason: callback.ReasonField, Note: "note"}
		}}, "gets its verdict"},
		"takes the body's spaces for meaning": {toy{parse: func(r callback.Request, s callback.Sender) (payout.Event, *callback.Held) {
			event, held := sound.event(r, s)
			event.Memo = fmt.Sprint(strings.Count(string(r.Body), " "))
			return event, held
		}}, "re-spaced and re-ordered is the same fact"},
		"counts arrivals": {toy{parse: func(r callback.Request, s callback.Sender) (payout.Event, *callback.Held) {
			event, held := sound.event(r, s)
			arrivals++
			event.Memo = fmt.Sprint(arrivals)
			return event, held
		}}, "sent again is the same fact"},
	}
}
