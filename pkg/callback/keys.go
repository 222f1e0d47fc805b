package callback

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
)

// Keys are the callback keys of one provider, by account.
type Keys map[string]AccountKeys

// AccountKeys are the keys of an account. During a rotation there are two; otherwise
// Previous is empty.
type AccountKeys struct {
	Current  Key `json:"current"`
	Previous Key `json:"previous,omitempty"`
	// Flawed is set if a key of the account is stored in a way that cannot be used:
	// a callback that these keys do not verify may be authentic.
	Flawed bool `json:"-"`
}

// Refusal returns the error for a request that names the account and fails
// verification with its keys.
func (k AccountKeys) Refusal() error {
	if k.Flawed {
		return ErrUnusableKeys
	}
	return ErrUnauthenticated
}

// Key is a shared secret. It prints as [redacted].
type Key string

// ID returns a public name of the key: six hexadecimal digits of a hash.
func (k Key) ID() string {
	named := make([]byte, 0, 128) // on the stack, for all but the longest keys
	named = append(named, "payout-callbacks key id\x00"...)
	named = append(named, k...)
	sum := sha256.Sum256(named)
	return hex.EncodeToString(sum[:3])
}

// LogValue keeps keys out of logs.
func (Key) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// String keeps keys out of formatted text.
func (Key) String() string { return "[redacted]" }

// GoString keeps keys out of formatted text.
func (Key) GoString() string { return "[redacted]" }
