package inbox

import (
	"errors"

	"payout-callbacks/pkg/payout"
)

// ErrIndexMismatch means that a receipt can be read, but its entry in the index of
// unapplied receipts does not match its state. A received receipt without an entry
// is never resent; an applied receipt with an entry is found due forever.
var ErrIndexMismatch = errors.New("receipt does not match the index of unapplied receipts")

// StoredPayout is a payout as a store returns it to the tools that inspect and
// repair it. The payout may be absent or damaged.
type StoredPayout struct {
	Record      payout.Record // as far as it can be read; its ID is always set
	Schedule    Schedule      // beside the record; its time is zero if the index of queries does not list the payout
	Exists      bool
	Damage      error // wraps ErrDamagedPayout if the payout cannot be read or shows values that its record does not
	ReadVersion any   // the version as the store read it; a repair writes on the condition that it is unchanged
}

// ScheduleProblem returns why the schedule of a payout is wrong in every mode of queries,
// or "".
func (s StoredPayout) ScheduleProblem() string {
	isScheduled := !s.Schedule.At.IsZero()
	switch {
	case isScheduled && !IsQueryNeeded(s.Record, 0, QueriesAll):
		return "scheduled for a query, and needs none"
	case !isScheduled && IsQueryNeeded(s.Record, 0, QueriesOff):
		return "expected and open, and not scheduled: nobody is alerted when it is overdue"
	}
	return ""
}
