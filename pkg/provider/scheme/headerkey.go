package scheme

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"

	"payout-callbacks/pkg/callback"
)

// HeaderKey is the scheme of a provider that sends a key in a header and signs nothing,
// so that whoever has the key can write any body. The value is the name of the header.
type HeaderKey string

// Verify looks the header's key up among the keys of all accounts. The body decides only
// among accounts that share a key. It fails with ErrUnauthenticated or ErrUnusableKeys.
func (s HeaderKey) Verify(header http.Header, keys callback.Keys, claim Claim) (callback.Sender, error) {
	return chooseSender(ownersOf(header.Values(string(s)), keys), keys, claim)
}

// Sign returns a header with the key.
func (s HeaderKey) Sign(key callback.Key) http.Header {
	header := http.Header{}
	header.Set(string(s), string(key))
	return header
}

// ownersOf returns the accounts that have the key in the header. A key that is sent
// several times counts once: net/http separates several headers, API Gateway joins them
// by commas. A single value may be a key that contains commas, so it is first looked up
// as it is.
func ownersOf(values []string, keys callback.Keys) []callback.Sender {
	if len(values) == 1 {
		if owners := findOwners(keys, isKey(values[0])); len(owners) > 0 {
			return owners
		}
	}
	if key, ok := findRepeated(values); ok {
		return findOwners(keys, isKey(key))
	}
	return nil
}

// isKey returns a function that reports whether a key is the text. It compares digests,
// so that its time reveals neither a key's length nor the position of the first
// difference.
func isKey(text string) func(callback.Key) bool {
	digest := sha256.Sum256([]byte(text))
	return func(key callback.Key) bool {
		want := sha256.Sum256([]byte(key))
		return subtle.ConstantTimeCompare(digest[:], want[:]) == 1
	}
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
