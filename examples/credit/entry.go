package main

// notice is what is read of an event's detail. What else stands there is ignored:
// version 1 may gain fields.
type notice struct {
	Schema    int    `json:"v"`
	Payout    string `json:"payout"`
	Version   int64  `json:"version"`
	Status    string `json:"status"`
	Reference string `json:"reference"`
	Amount    string `json:"amount"` // exact decimal: never a float
	Currency  string `json:"currency"`

	Republished string `json:"republished"` // why a person had it published again; "" of all others
}

// entry is all that this service knows of one payout. It is keyed by the payout
// and not by the notice: there may be several notices of one success, but a
// payout has one entry, and an entry one credit.
type entry struct {
	Payout    string
	Version   int64  // greatest that was heard of
	Status    string // at that version
	Reference string
	Credited  string // amount; "" while nothing was
	Currency  string // of the credit
	Review    bool   // a person has to look; see docs/EVENTS.md for how that ends
}

// hears returns the entry after a notice, and whether it is another one. The order
// is the one under the reference of the notice. Events
// come more than once and in any order: what is not above the version that was
// heard of is old news.
//
// It looks at the status and not at the type, so that a success that a person
// decided on (PayoutResolved) is credited like any other.
func (e entry) hears(n notice, of order) (entry, bool) {
	if n.Version <= e.Version {
		doubted := e
		doubted.Review = e.Review || e.isDoubtedBy(n)
		return doubted, doubted != e
	}
	e.Payout, e.Version, e.Status = n.Payout, n.Version, n.Status
	succeeded := n.Status == "succeeded"
	if succeeded && e.Credited == "" && of.isPaidBy(n) {
		e.Credited, e.Currency, e.Reference = n.Amount, n.Currency, n.Reference
	}
	// A contradiction after the credit takes nothing back: it may end in our
	// favour. A person looks, and the next notice says how it ended. Where it
	// ended otherwise than we acted on, the mark stays. A success that is not what
	// was ordered, or the second one of an order, is not credited: a person looks.
	e.Review = succeeded && !e.hasCredited(n) || !succeeded && e.Credited != ""
	return e, true
}

func (e entry) hasCredited(n notice) bool {
	return n.Amount == e.Credited && n.Currency == e.Currency && n.Reference == e.Reference && n.Amount != ""
}

// isDoubtedBy reports whether a notice that is not above the version we heard of
// may be more than old news: after a restore, versions go down and are used
// again, and people publish what is true. It may as well be late, so it is never
// believed by itself: a person compares.
func (e entry) isDoubtedBy(n notice) bool {
	asHeard := n.Version == e.Version && n.Status == e.Status && (n.Status != "succeeded" || e.hasCredited(n))
	return n.Republished != "" && !asHeard
}
