package main

// notification is the part of an event's detail that this service needs. It ignores
// other fields, because schema version 1 may gain fields.
type notification struct {
	Schema    int    `json:"v"`
	Payout    string `json:"payout"`
	Version   int64  `json:"version"`
	Status    string `json:"status"`
	Reference string `json:"reference"`
	Amount    string `json:"amount"` // exact decimal, not a float
	Currency  string `json:"currency"`

	Republished string `json:"republished"` // reason of a manual republication, or ""
}

// entry is this service's record of a payout. Several notifications may report one
// success, but a payout has one entry, and an entry one credit.
type entry struct {
	Payout    string
	Version   int64  // greatest that was received
	Status    string // at that version
	Reference string
	Credited  string // amount, or ""
	Currency  string // of the credit
	Review    bool   // a person must review the payout; see docs/EVENTS.md
}

// apply returns the entry after a notification, and reports whether it changed.
// The order is the one with the reference of the notification. Notifications
// arrive more than once and in any order: one without a greater version is out of
// date.
//
// It uses the status and not the event type, so that it credits a success that an
// operator decided on (PayoutResolved), too. A PayoutConfirmed repeats a status and a
// PayoutOverdue ends nothing: if they are received, they change the version at most.
func (e entry) apply(n notification, ordered order) (entry, bool) {
	if n.Version <= e.Version {
		reviewed := e
		reviewed.Review = e.Review || e.contradicts(n)
		return reviewed, reviewed != e
	}
	e.Payout, e.Version, e.Status = n.Payout, n.Version, n.Status
	succeeded := n.Status == "succeeded"
	if succeeded && e.Credited == "" && ordered.isPaidBy(n) {
		e.Credited, e.Currency, e.Reference = n.Amount, n.Currency, n.Reference
	}
	// A conflict after the credit does not reverse it: the next notification states
	// the resolution. Until then, and if the resolution differs from the credit, a
	// person reviews the entry. A success that does not match the order, or the
	// second one of an order, is not credited, and is reviewed.
	e.Review = succeeded && !e.hasCredited(n) || !succeeded && e.Credited != ""
	return e, true
}

func (e entry) hasCredited(n notification) bool {
	return n.Amount == e.Credited && n.Currency == e.Currency && n.Reference == e.Reference && n.Amount != ""
}

// contradicts reports whether a republished notification without a greater version
// differs from the entry. After a restore, versions decrease and are used again, so
// it may be correct; or it may be late. A person decides.
func (e entry) contradicts(n notification) bool {
	isSame := n.Version == e.Version && n.Status == e.Status && (n.Status != "succeeded" || e.hasCredited(n))
	return n.Republished != "" && !isSame
}
