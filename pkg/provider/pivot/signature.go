package pivot

import (
	"crypto/sha256"
	"crypto/subtle"
	"maps"
	"net/http"
	"slices"
	"strings"

	"payout-callbacks/pkg/callback"
)

// headerKey is X-API-Key as http.Header spells it: "Callback API Key, an
// additional API Key used specifically for receiving callbacks"
// (docs/api-lists/payout-local/payout-callback).
const headerKey = "X-Api-Key"

// chooseSender returns the owner of the key that the body names, or else the
// first owner. If nobody owns the key and the body names no merchant, the key
// may belong to any merchant whose keys cannot be used.
func chooseSender(owners []callback.Sender, merchant string, keys callback.Keys) (callback.Sender, error) {
	for _, owner := range owners {
		if isSameID(owner.Account, merchant) {
			return owner, nil
		}
	}
	named := keysOf(merchant, keys)
	switch {
	case len(owners) == 0 && merchant == "":
		return callback.Sender{}, callback.ErrUnusableKeys
	case len(owners) == 0, named.Flawed:
		return callback.Sender{}, named.Refusal()
	}
	return first(owners), nil
}

// hasFlawed reports whether some merchant's keys cannot be used.
func hasFlawed(keys callback.Keys) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(keys)), func(k callback.AccountKeys) bool { return k.Flawed })
}

// keysOf returns the keys of the merchant that a body names, in either spelling.
func keysOf(merchant string, keys callback.Keys) callback.AccountKeys {
	for account, of := range keys {
		if isSameID(account, merchant) {
			return of
		}
	}
	return callback.AccountKeys{}
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

// ownersOf returns the accounts that have the key which the header holds, each
// once. A key that is sent several times counts once: net/http keeps several
// headers apart, API Gateway joins them by a comma. A single value may be a key
// with commas in it, so it is looked up as it is first.
func owners(values []string, keys callback.Keys) []callback.Sender {
	if len(values) == 1 {
		if owners := ownersOfKey(values[0], keys); len(owners) > 0 {
			return owners
		}
	}
	if key, ok := repeated(values); ok {
		return ownersOfKey(key, keys)
	}
	return nil
}

// repeated returns the text of which the values are copies, joined by commas or
// not. Where they are copies of nothing, ok is false.
func repeated(values []string) (text string, ok bool) {
	parts := strings.Split(strings.Join(values, ","), ",")
	for i := range parts {
		parts[i] = strings.Trim(parts[i], " \t")
	}
	for size := 1; size <= len(parts)/2; size++ {
		if len(parts)%size == 0 && slices.Equal(parts[size:], parts[:len(parts)-size]) {
			return strings.Join(parts[:size], ","), true
		}
	}
	return "", false
}

// ownersOfKey returns the accounts that have a key. All keys are looked at
// whatever is found, and digests are compared rather than keys, so that the time
// tells neither a key's length nor where the first difference is.
func ownersOfKey(sent string, keys callback.Keys) []callback.Sender {
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
