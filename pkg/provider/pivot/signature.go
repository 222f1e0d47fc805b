package pivot

import (
	"crypto/sha256"
	"crypto/subtle"
	"maps"
	"net/http"
	"slices"

	"payout-callbacks/pkg/callback"
)

// headerKey is X-API-Key as http.Header spells it: "Callback API Key, an
// additional API Key used specifically for receiving callbacks"
// (docs/api-lists/payout-local/payout-callback).
const headerKey = "X-Api-Key"

// Verify looks the header's key up among those of all merchants and, where the
// body names its merchant, demands that it be that one's. A body that names
// none, or cannot be read, belongs to the merchant whose key it is; Parse holds
// it. It fails with ErrUnauthentic or ErrUnusableKeys only.
//
// Several headers are refused: net/http keeps them apart, API Gateway joins
// them by a comma, and neither is a key.
func (Provider) Verify(request callback.Request, keys callback.Keys) (callback.Sender, error) {
	sent := request.Header[headerKey]
	if len(sent) != 1 {
		return callback.Sender{}, callback.ErrUnauthentic
	}
	owners := ownersOf(sent[0], keys)
	if len(owners) == 0 {
		return callback.Sender{}, refusal(request, keys)
	}
	merchant := merchantOf(request)
	if merchant == "" {
		return first(owners), nil
	}
	for _, owner := range owners {
		if owner.Account == merchant {
			return owner, nil
		}
	}
	return callback.Sender{}, keys[merchant].Refusal()
}

// refusal returns the error for a key that no merchant has. Where the body does
// not say whose it should be, it may be the key of any merchant whose keys cannot
// be used.
func refusal(request callback.Request, keys callback.Keys) error {
	flawed := slices.ContainsFunc(slices.Collect(maps.Values(keys)), func(k callback.AccountKeys) bool { return k.Flawed })
	if !flawed {
		return callback.ErrUnauthentic
	}
	if merchant := merchantOf(request); merchant != "" {
		return keys[merchant].Refusal()
	}
	return callback.ErrUnusableKeys
}

// Sign returns the body as it is, with the headers that Pivot documents, in
// its spelling of the values.
func (Provider) Sign(body []byte, key callback.Key) ([]byte, http.Header, error) {
	header := http.Header{}
	header.Set(headerKey, string(key))
	header.Set("Content-Type", "application/JSON")
	header.Set("Accept", "application/JSON")
	return body, header, nil
}

// ownersOf returns the accounts that have the key, each once. All keys are
// looked at whatever is found, and digests are compared rather than keys, so
// that the time tells neither a key's length nor where the first difference is.
func ownersOf(sent string, keys callback.Keys) []callback.Sender {
	digest := sha256.Sum256([]byte(sent))
	var owners []callback.Sender
	for account, of := range keys {
		current, previous := same(digest, of.Current), same(digest, of.Previous)
		switch {
		case current:
			owners = append(owners, callback.Sender{Account: account, KeyID: of.Current.ID()})
		case previous:
			owners = append(owners, callback.Sender{Account: account, KeyID: of.Previous.ID(), Previous: true})
		}
	}
	return owners
}

// same reports whether the digest is that of the key. An empty key is one that
// was not set yet and is nobody's, which is no secret and may be told by the time.
func same(digest [sha256.Size]byte, key callback.Key) bool {
	if key == "" {
		return false
	}
	of := sha256.Sum256([]byte(key))
	return subtle.ConstantTimeCompare(digest[:], of[:]) == 1
}

// first chooses among merchants that share one key when the body does not: any
// of them may have sent it, and the choice must be the same each time, or a
// repeated callback would be held twice. An account whose current key it is
// comes before one that has given it up.
func first(owners []callback.Sender) callback.Sender {
	chosen := owners[0]
	for _, owner := range owners[1:] {
		newer := chosen.Previous && !owner.Previous
		if newer || owner.Previous == chosen.Previous && owner.Account < chosen.Account {
			chosen = owner
		}
	}
	return chosen
}

// merchantOf returns the merchant that the body names, or "" where it names
// none that can be read. What was cut off cannot be known, so a body that is
// too large names none.
func merchantOf(request callback.Request) string {
	if request.TooLarge() {
		return ""
	}
	found, err := readOnce(request)
	if err != nil {
		return ""
	}
	return found.string(merchantID)
}
