package payout

// Status is where a payout or a batch stands.
type Status string

// Statuses that an event may tell.
const (
	Pending   Status = "pending"   // accepted, not sent to the bank yet
	Delayed   Status = "delayed"   // on its way, later than usual
	Succeeded Status = "succeeded" // the money arrived; final
	Failed    Status = "failed"    // the money did not arrive; final
	Rejected  Status = "rejected"  // refused before it was sent, by signature or approval; final
	Done      Status = "done"      // a batch was processed; its totals say how
	Cancelled Status = "cancelled" // a batch was cancelled; its totals say how much of it
)

// Conflicted is shown, never told: the facts about a payout contradict each
// other and a person has to look.
const Conflicted Status = "conflicted"

// rank orders what is known of the progress; a greater rank is never
// overwritten by a lesser one. Final statuses of a payout have no rank: they
// are claims, and two of them contradict each other. Those of a batch do have
// one, because its totals decide: a request that is done with items pending
// may be cancelled afterwards.
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

// Final reports whether s is a status after which a provider says no more.
func (s Status) IsFinal() bool {
	switch s {
	case Succeeded, Failed, Rejected, Done, Cancelled:
		return true
	}
	return false
}
