package payout

// Status is the status of a payout or a batch.
type Status string

// The statuses that an event may state.
const (
	Expected  Status = "expected"  // ordered, by our own statement; the provider has not stated anything
	Pending   Status = "pending"   // accepted, not sent to the bank yet
	Delayed   Status = "delayed"   // on its way, later than usual
	Succeeded Status = "succeeded" // the money arrived; final
	Failed    Status = "failed"    // the money did not arrive; final
	Rejected  Status = "rejected"  // refused before it was sent, by signature or approval; final
	Done      Status = "done"      // a batch was processed; its totals say how
	Cancelled Status = "cancelled" // a payout was cancelled before it was sent; final. A batch was cancelled; its totals say how much of it
)

// The statuses that the reconciler states.
const (
	// Overdue adds its event's reason to the record and changes no status.
	Overdue Status = "overdue"
	// Linked is the status of an expected payout without a provider's id, once the
	// payout with the id is known ([Event.LinkedTo]). It never ends and is not counted.
	Linked Status = "linked"
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
	case s == Expected:
		return 1
	case s == Pending:
		return 2
	case s == Delayed:
		return 3
	case s == Done && t == TypeBatch:
		return 4
	case s == Cancelled && t == TypeBatch:
		return 5
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
