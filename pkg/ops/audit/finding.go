package audit

import "payout-callbacks/pkg/inbox"

// Kind is the kind of a finding.
type Kind string

// The kinds of finding.
const (
	ReceiptDamaged       Kind = "receipt-damaged"     // its content does not match its key
	ReceiptIndexMismatch Kind = "receipt-misplaced"   // missing from the index, or in it by mistake
	ReceiptUnknown       Kind = "receipt-unknown"     // in a state that this version does not know
	ReceiptWaiting       Kind = "receipt-waiting"     // received for longer than MaxPending
	ReceiptGone          Kind = "receipt-gone"        // released or answered, and the receipt that replaces it does not exist
	ReceiptUnexplained   Kind = "receipt-unexplained" // released, answered or dismissed without an actor and a reason

	PayoutMissing     Kind = "payout-missing"     // it has applied receipts, and does not exist
	PayoutDamaged     Kind = "payout-damaged"     // unreadable, or its attributes contradict each other
	PayoutAltered     Kind = "payout-altered"     // it has the right version, and differs from its receipts
	PayoutUnchecked   Kind = "payout-unchecked"   // one of its receipts is unreadable
	PayoutUnscheduled Kind = "payout-unscheduled" // its entry in the index of queries is missing, or there by mistake
	FactMissing       Kind = "fact-missing"       // it lacks the event of an applied receipt
	FactUnproven      Kind = "fact-unproven"      // it has more events than applied receipts

	AcknowledgedLost     Kind = "acknowledged-lost"     // a function acknowledged a callback without a receipt
	AcknowledgedUnlogged Kind = "acknowledged-unlogged" // the gateway answered 200, and no function logged it
	AcknowledgedTooFew   Kind = "acknowledged-too-few"  // fewer callbacks were acknowledged than have receipts
)

// Finding is an inconsistency.
type Finding struct {
	Kind    Kind   `json:"kind"`
	Payout  string `json:"payout,omitempty"`
	Receipt string `json:"receipt,omitempty"`
	Request string `json:"request,omitempty"` // the id of a request in a log
	Detail  string `json:"detail,omitempty"`  // without values of a callback
}

func newFinding(kind Kind, key inbox.Key, detail string) Finding {
	return Finding{Kind: kind, Payout: key.Payout, Receipt: key.Receipt, Detail: detail}
}
