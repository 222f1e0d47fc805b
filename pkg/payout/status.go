package payout

// Status is the status of a payout or a batch.
type Status string

// The statuses that an event may state.
const (
	Pending   Status = "pending"   // accepted, not sent to the bank yet
	Delayed   Status = "delayed"   // on its way, later than usual
	Succeeded Status = "succeeded" // the money arrived; final
	Failed    Status = "failed"    // the money did not arrive; final
	Rejected  Status = "rejected"  // refused before it was sent, by signature or approval; final
	Done      Status = "done"      // a batch was processed; its totals say how
	Cancelled Status = "cancelled" // a batch was cancelled; its totals say how much of it
)

// Conflicted is the status of a record with a conflict, until a person resolves
// it. No event states it.
const Conflicted Status = "conflicted"

// rank orders the statuses that show progress; a record keeps the status of the
// greatest rank. The final statuses of a payout have no rank: they are claims, and
// two of them are a conflict. Those of a batch have one, because its totals decide:
// a batch that is done with items pending may be cancelled afterwards.
func (s Status) rank(t Type) int {
	switch {
	case s == Pending:
		return 1
	case s == Delayed:
		return 2
	case s == Done && t == TypeBatch:
		return 3
	case s == Cancelled && t == TypeBatch:
		return 4
	}
	return 0
}

// IsFinal reports whether a provider sends no further status after s.
func (s Status) IsFinal() bool {
	switch s {
	case Succeeded, Failed, Rejected, Done, Cancelled:
		return true
	}
	return false
}
