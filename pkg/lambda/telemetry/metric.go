package telemetry

// Metric is one number that CloudWatch keeps of this application. Its name
// stands in the alarms and the dashboard of template.yaml; a test holds them to
// this list.
type Metric struct {
	Name string
	Unit string // CloudWatch's own word
	// PerProvider metrics are told twice: with the dimension "provider", and
	// with none for all providers together. The others have no dimension.
	PerProvider bool
}

// What is told of callbacks. A count of nothing is not told.
var (
	Callbacks         = Metric{"Callbacks", "Count", true}         // answered
	Acknowledged      = Metric{"Acknowledged", "Count", true}      // authentic, durable and not known before
	Refused           = Metric{"Refused", "Count", true}           // not authentic, malformed or too large
	Unavailable       = Metric{"Unavailable", "Count", true}       // answered 503: our fault
	Duplicates        = Metric{"Duplicates", "Count", true}        // known before
	Held              = Metric{"Held", "Count", true}              // authentic, not understood and not known before
	AcceptedStoreOnly = Metric{"AcceptedStoreOnly", "Count", true} // the queue was down
	AcceptedQueueOnly = Metric{"AcceptedQueueOnly", "Count", true} // the table was down
	PreviousKey       = Metric{"PreviousKey", "Count", true}       // verified by an account's previous key, and not known before
)

// What is told of batches from the queue. A count of nothing is not told.
var (
	Deliveries   = Metric{"Deliveries", "Count", false}       // messages received
	Redeliveries = Metric{"Redeliveries", "Count", false}     // of those, applied before
	Conflicts    = Metric{"Conflicts", "Count", false}        // of those, contradicting another one
	Failures     = Metric{"FailedDeliveries", "Count", false} // of those, to be delivered again
)

// What is told of sweeps, every one of them, nothing included.
var (
	Sweeps         = Metric{"Sweeps", "Count", false}         // that went well
	ReceiptsDue    = Metric{"ReceiptsDue", "Count", false}    // receipts found due
	ReceiptsResent = Metric{"ReceiptsResent", "Count", false} // receipts sent again
	// Unsendable counts receipts that the queue refuses for what they are. The sweep applies them itself.
	Unsendable            = Metric{"Unsendable", "Count", false}
	DeadLettersRecovered  = Metric{"DeadLettersRecovered", "Count", false}  // dead letters that are in the store now
	UnreadableDeadLetters = Metric{"UnreadableDeadLetters", "Count", false} // dead letters that are not ours to read
	CorruptRecords        = Metric{"CorruptRecords", "Count", false}        // receipts or payouts that cannot be read
	OldestUnappliedAge    = Metric{"OldestUnappliedAge", "Seconds", false}  // since the oldest receipt that waits, due or claimed, was accepted
)

// Metrics lists them all.
func Metrics() []Metric {
	return []Metric{
		Callbacks, Acknowledged, Refused, Unavailable, Duplicates, Held, AcceptedStoreOnly, AcceptedQueueOnly, PreviousKey,
		Deliveries, Redeliveries, Conflicts, Failures,
		Sweeps, ReceiptsDue, ReceiptsResent, Unsendable, DeadLettersRecovered, UnreadableDeadLetters, CorruptRecords, OldestUnappliedAge,
		Published, PublishFailed,
	}
}

// measured is a metric with what was measured.
type measured struct {
	Metric
	value int
}

// one counts where it is so.
func countIf(metric Metric, ok bool) measured {
	if !ok {
		return measured{}
	}
	return measured{metric, 1}
}
