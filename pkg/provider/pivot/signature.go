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

// chooseSender returns the owner of the key that the body names, or else one of the
// owners. If the key has no owner and the body names no merchant, the key may belong
// to any merchant whose keys cannot be used.
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
	return chooseOwner(owners), nil
}

// hasFlawed reports whether the keys of some merchant cannot be used.
func hasFlawed(keys callback.Keys) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(keys)), func(k callback.AccountKeys) bool { return k.Flawed })
}

// keysOf returns the keys of the merchant that a body names, in any spelling.
func keysOf(merchant string, keys callback.Keys) callback.AccountKeys {
	for account, accountKeys := range keys {
		if isSameID(account, merchant) {
			return accountKeys
		}
	}
	return callback.AccountKeys{}
}

// Sign returns the body unchanged, with the headers that Pivot documents in its
// spelling.
func (Provider) Sign(body []byte, key callback.Key) ([]byte, http.Header, error) {
	header := http.Header{}
	header.Set(headerKey, string(key))
	header.Set("Content-Type", "application/JSON")
	header.Set("Accept", "application/JSON")
	return body, header, nil
}

// findOwners returns the accounts that have the key in the header, each once. A key
// that is sent several times counts once: net/http separates several headers, API
// Gateway joins them by commas. A single value may be a key that contains commas, so
// it is first looked up as it is.
func findOwners(values []string, keys callback.Keys) []callback.Sender {
	if len(values) == 1 {
		if owners := ownersOfKey(values[0], keys); len(owners) > 0 {
			return owners
		}
	}
	if key, ok := findRepeated(values); ok {
		return ownersOfKey(key, keys)
	}
	return nil
}

// findRepeated returns the text of which the values are copies, joined by commas or
// not. ok is false if they are not copies of one text.
func findRepeated(values []string) (text string, ok bool) {
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

// ownersOfKey returns the accounts that have a key. It compares all keys, and their
// digests, so that its time reveals neither a key's length nor the position of the
// first difference.
func ownersOfKey(sent string, keys callback.Keys) []callback.Sender {
	digest := sha256.Sum256([]byte(sent))
	var owners []callback.Sender
	for account, accountKeys := range keys {
		isCurrent, isPrevious := hasDigest(accountKeys.Current, digest), hasDigest(accountKeys.Previous, digest)
		switch {
		case isCurrent:
			owners = append(owners, callback.Sender{Account: account, KeyID: accountKeys.Current.ID()})
		case isPrevious:
			owners = append(owners, callback.Sender{Account: account, KeyID: accountKeys.Previous.ID(), Previous: true})
		}
	}
	return owners
}

// hasDigest reports whether the key has the digest. An empty key is not set yet and
// matches nothing; its time may reveal that, which is no secret.
func hasDigest(key callback.Key, digest [sha256.Size]byte) bool {
	if key == "" {
		return false
	}
	want := sha256.Sum256([]byte(key))
	return subtle.ConstantTimeCompare(digest[:], want[:]) == 1
}

// chooseOwner chooses among merchants that share a key if the body does not. Any of
// them may have sent it; the choice must be the same each time, or a repeated
// callback would be held twice. An account with the key as its current one comes
// before an account with it as its previous one.
func chooseOwner(owners []callback.Sender) callback.Sender {
	chosen := owners[0]
	for _, owner := range owners[1:] {
		newer := chosen.Previous && !owner.Previous
		if newer || owner.Previous == chosen.Previous && owner.Account < chosen.Account {
			chosen = owner
		}
	}
	return chosen
}
