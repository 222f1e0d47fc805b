package traffic

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
)

var providers = map[string]provider.Description{"cregis": cregis.Description(), "pivot": pivot.Description()}

// ProviderNamed returns a provider. The name must be one of [ProviderNames].
func ProviderNamed(name string) provider.Description { return providers[name] }

// ProviderNames returns the names of the providers whose traffic the package writes.
func ProviderNames() []string { return []string{"cregis", "pivot"} }

// Accounts returns two accounts of a provider. All callbacks are about the
// first; the key of the second signs forged ones.
func Accounts(provider string) [2]string {
	if provider == "cregis" {
		return [2]string{"1382528827416576", "1382528827416577"}
	}
	return [2]string{"922e39ab-7565-49f6-b84f-fb56122821ae", "922e39ab-7565-49f6-b84f-fb56122821af"}
}

// Callback is what a provider states about a payout. Each time it is sent, its
// body is written and signed again, as a push from the provider's console does.
type Callback struct {
	Provider string
	Type     payout.Type
	Event    payout.Event // what it means; empty if the application must hold it
	// Held is what a callback means that the application must hold and that names its
	// payout; empty if it means nothing that we know.
	Held  payout.Event
	write func(random *rand.Rand, now time.Time) []byte
}

// Account returns the account that the callback is about.
func (c Callback) Account() string { return Accounts(c.Provider)[0] }

// Sign returns a request with the callback.
func (c Callback) Sign(random *rand.Rand, now time.Time, key callback.Key) (callback.Request, error) {
	body, header, err := providers[c.Provider].Sign(c.write(random, now), key, now)
	if err != nil {
		return callback.Request{}, fmt.Errorf("sign callback: %w", err)
	}
	return callback.NewRequest(c.Type, header, body), nil
}

// Receipt returns the receipt that a request with the callback must leave.
func (c Callback) Receipt(request callback.Request, now time.Time) (inbox.Receipt, error) {
	if c.Event.ID != "" {
		return inbox.NewReceipt(c.Event, request.Body, "", now), nil
	}
	provider := providers[c.Provider]
	receipt := callback.NewReceipt(provider, provider.Restore(request, callback.Sender{Account: c.Account()}), now)
	if receipt.State != inbox.Held {
		return receipt, fmt.Errorf("the callback is not held: %s", request.Body)
	}
	return receipt, nil
}

// Acknowledges reports whether the provider reads an answer as an
// acknowledgement.
func Acknowledges(provider string, code int, body string) bool {
	if provider == "cregis" {
		return body == "success"
	}
	return code == 200
}

// Forge changes a signed request as somebody does who has seen it and has no
// key, or the key of another account. The application must refuse it.
func Forge(random *rand.Rand, provider string, seen callback.Request, otherKey callback.Key) (callback.Request, error) {
	body, header := bytes.Clone(seen.Body), seen.Header.Clone()
	if random.IntN(2) == 0 {
		body = bytes.ReplaceAll(body, []byte("100000"), []byte("999999"))
		body = bytes.Replace(body, []byte(`"amount":"1`), []byte(`"amount":"9`), 1)
	}
	switch pick(random, "wrong signature", "other key", "no signature") {
	case "wrong signature":
		header.Set("X-Api-Key", "key-00000000000000000000000000")
		body = bytes.Replace(body, []byte(`"sign":"`), []byte(`"sign":"0`), 1)
	case "other key":
		signed, signedHeader, err := providers[provider].Sign(body, otherKey, seen.ReceivedAt())
		if err != nil {
			return callback.Request{}, fmt.Errorf("sign forged callback: %w", err)
		}
		body, header = signed, signedHeader
		if provider == "pivot" {
			header.Del("X-Api-Key") // the key of another merchant is authentic, and the callback is held
		}
	case "no signature":
		header.Del("X-Api-Key")
		body = bytes.Replace(body, []byte(`"sign"`), []byte(`"sing"`), 1)
	}
	return callback.NewRequest(seen.Type, header, body), nil
}

// pick returns one of the values.
func pick[T any](random *rand.Rand, values ...T) T { return values[random.IntN(len(values))] }
