package telemetry

// Metric is a CloudWatch metric of this application. The alarms and the
// dashboard of template.yaml name it; a test compares them with this list.
type Metric struct {
	Name string
	Unit string // CloudWatch's word
	// PerProvider metrics are recorded twice: with the dimension "provider", and
	// without it for all providers together. Other metrics have no dimension.
	PerProvider bool
}

// Metrics of callbacks. A zero is not recorded.
var (
	Callbacks         = Metric{"Callbacks", "Count", true}         // answered
	Acknowledged      = Metric{"Acknowledged", "Count", true}      // verified, durable and not a duplicate
	Refused           = Metric{"Refused", "Count", true}           // not verified, malformed or too large
	Unavailable       = Metric{"Unavailable", "Count", true}       // answered with 503: our fault
	Duplicates        = Metric{"Duplicates", "Count", true}        // accepted before
	Held              = Metric{"Held", "Count", true}              // verified, not understood and not a duplicate; also an answer
	AcceptedStoreOnly = Metric{"AcceptedStoreOnly", "Count", true} // the queue failed
	AcceptedQueueOnly = Metric{"AcceptedQueueOnly", "Count", true} // the table failed
	PreviousKey       = Metric{"PreviousKey", "Count", true}       // verified with an account's previous key, and not a duplicate
)

// Metrics of batches from the queue.
var (
	Deliveries   = Metric{"Deliveries", "Count", false}       // messages received
	Redeliveries = Metric{"Redeliveries", "Count", false}     // of those, applied before
	Conflicts    = Metric{"Conflicts", "Count", false}        // of those, in conflict with another event
	Failures     = Metric{"FailedDeliveries", "Count", false} // of those, to be delivered again
	// ApplyLatency has a value for each message that was applied: the time from the acceptance
	// of its receipt to the end of the batch.
	ApplyLatency = Metric{"ApplyLatency", "Milliseconds", false}
)

// Metrics of sweeps. Every sweep records them all, zeros included.
var (
	Sweeps         = Metric{"Sweeps", "Count", false}         // without an error
	ReceiptsDue    = Metric{"ReceiptsDue", "Count", false}    // receipts found due
	ReceiptsResent = Metric{"ReceiptsResent", "Count", false} // receipts sent again
	// Unsendable counts receipts that SQS rejects for their content. The sweep applies them itself.
	Unsendable            = Metric{"Unsendable", "Count", false}
	DeadLettersRecovered  = Metric{"DeadLettersRecovered", "Count", false}  // dead-letter messages whose receipt is in the store now
	UnreadableDeadLetters = Metric{"UnreadableDeadLetters", "Count", false} // dead-letter messages that cannot be decoded
	CorruptRecords        = Metric{"CorruptRecords", "Count", false}        // receipts or payouts that cannot be decoded
	OldestUnappliedAge    = Metric{"OldestUnappliedAge", "Seconds", false}  // age of the oldest receipt that is not applied, due or claimed
)

// Metrics of batches of the stream of payouts, which also record CorruptRecords:
// changes that were skipped.
var (
	Published     = Metric{"Published", "Count", false}     // notifications on the bus
	PublishFailed = Metric{"PublishFailed", "Count", false} // notifications of a batch that is delivered again, because the bus failed
)

// Metrics of expectations and of runs of the reconciler. Every run records its metrics,
// zeros included. An expectation also records Conflicts.
var (
	Expectations    = Metric{"Expectations", "Count", false}    // expectations applied, duplicates included
	QueriesAnswered = Metric{"QueriesAnswered", "Count", false} // payouts about which the provider answered
	QueriesFailed   = Metric{"QueriesFailed", "Count", false}   // payouts about which it did not, or not usably
	Overdue         = Metric{"Overdue", "Count", false}         // payouts that are overdue now
	// AccountsFailing counts accounts that are not asked for a while, or whose queries
	// fail since then.
	AccountsFailing = Metric{"AccountsFailing", "Count", false}
)

// Metrics returns all metrics.
func Metrics() []Metric {
	return []Metric{
		Callbacks, Acknowledged, Refused, Unavailable, Duplicates, Held, AcceptedStoreOnly, AcceptedQueueOnly, PreviousKey,
		Deliveries, Redeliveries, Conflicts, Failures, ApplyLatency,
		Sweeps, ReceiptsDue, ReceiptsResent, Unsendable, DeadLettersRecovered, UnreadableDeadLetters, CorruptRecords, OldestUnappliedAge,
		Published, PublishFailed,
		Expectations, QueriesAnswered, QueriesFailed, Overdue, AccountsFailing,
	}
}

// measurement is a metric with its value: an int, or an []int64 of values that CloudWatch
// aggregates.
type measurement struct {
	Metric
	value any
}

// countIf returns 1 for the metric if ok is true, else 0.
func countIf(metric Metric, ok bool) measurement {
	if ok {
		return measurement{metric, 1}
	}
	return measurement{metric, 0}
}
