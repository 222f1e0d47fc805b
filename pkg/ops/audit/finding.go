package audit

import "payout-callbacks/pkg/inbox"

// Kind is what a finding is about, in one word.
type Kind string

// The kinds of finding.
const (
	ReceiptDamaged       Kind = "receipt-damaged"   // it does not say what its key does
	ReceiptIndexMismatch Kind = "receipt-misplaced" // not in the index though it waits, or there though it is done
	ReceiptUnknown       Kind = "receipt-unknown"   // in a state that this program does not know
	ReceiptWaiting       Kind = "receipt-waiting"   // received, and not applied for longer than the sweeper needs
	ReceiptGone          Kind = "receipt-gone"      // released, and the receipt that it became is not there
	// ReceiptUnexplained is one that was released or dismissed, and nobody says who
	// did that and why: payoutctl always does.
	ReceiptUnexplained Kind = "receipt-unexplained"

	PayoutMissing   Kind = "payout-missing"   // receipts of it are applied, and it is not there
	PayoutDamaged   Kind = "payout-damaged"   // it cannot be read, or shows what its parts do not
	PayoutAltered   Kind = "payout-altered"   // it has the right number of facts, and not those
	PayoutUnchecked Kind = "payout-unchecked" // a receipt of it cannot be read
	FactMissing     Kind = "fact-missing"     // it lacks what an applied receipt told
	FactUnproven    Kind = "fact-unproven"    // it holds more facts than there are applied receipts

	AcknowledgedLost     Kind = "acknowledged-lost"     // a function acknowledged it, and there is no such receipt
	AcknowledgedUnlogged Kind = "acknowledged-unlogged" // the gateway answered 200, and no function says so
	AcknowledgedTooFew   Kind = "acknowledged-too-few"  // more receipts were accepted than callbacks acknowledged
)

// Finding is one thing that does not add up.
type Finding struct {
	Kind    Kind   `json:"kind"`
	Payout  string `json:"payout,omitempty"`
	Receipt string `json:"receipt,omitempty"`
	Request string `json:"request,omitempty"` // of a log: the id of the request
	Detail  string `json:"detail,omitempty"`  // without any value that a callback told
}

func about(kind Kind, key inbox.Key, detail string) Finding {
	return Finding{Kind: kind, Payout: key.Payout, Receipt: key.Receipt, Detail: detail}
}
