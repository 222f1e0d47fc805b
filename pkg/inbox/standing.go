package inbox

import (
	"errors"

	"payout-callbacks/pkg/payout"
)

// ErrMisplaced means that a receipt can be read but does not stand in the index
// as its state wants: one that waits and is not there is never sent again, one
// that is done and is there is found due for ever.
var ErrIndexMismatch = errors.New("misplaced receipt")

// Standing is a payout as it stands in a store, for those who look after it: it
// may be absent, and it may be damaged.
type StoredPayout struct {
	Record      payout.Record // as far as it can be read; its ID always
	Exists      bool
	Damage      error // ErrDamagedRecord and why, where it cannot be read or shows what it does not hold
	ReadVersion any   // the store's own mark of what was read, to write on no other condition
}
