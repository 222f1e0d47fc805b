package traffic

import (
	"context"

	"payout-callbacks/pkg/callback"
)

// Keys is a key source whose keys never change and are always available.
type Keys callback.Keys

// Keys implements [callback.KeySource].
func (k Keys) Keys(context.Context) (callback.Keys, error) { return callback.Keys(k), nil }

// Refresh implements [callback.KeySource].
func (k Keys) Refresh(context.Context) (callback.Keys, bool, error) {
	return callback.Keys(k), false, nil
}
