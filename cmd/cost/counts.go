package main

// counts is what the code does for one callback, and how large it is. Nothing
// of it is reckoned here: counts_test.go sends the documented examples of both
// providers through the functions that Lambda runs, looks at the requests that
// leave them and at the lines that they write, and fails where this table says
// anything else. Sizes are the mean of the examples, in bytes.
type counts struct {
	// Requests to AWS.
	AcceptPuts        int64 // of a new event at the ingress
	AcceptSends       int64 // and of the same
	DuplicatePuts     int64 // of one that is applied already: the refused put
	ApplyTransactions int64 // of a payout's first event
	LaterTransactions int64 // of its later ones: refused once, then done
	SweepQueries      int64 // of a sweep that finds nothing
	SweepReceives     int64

	// Items, as DynamoDB counts them.
	Receipt        int64 // applied: as it is kept
	UnappliedEntry int64 // of the index that lists it until then
	Payout         int64
	ReferenceEntry int64 // of the index by our own reference

	Message int64 // in the queue

	// Lines of log.
	AccessLine    int64
	NewLine       int64 // of the ingress
	DuplicateLine int64
	DeliveryLine  int64 // of the consumer, one for each message
	BatchLine     int64
	SweepLine     int64

	// What the template has.
	Metrics      int64 // custom metrics: telemetry's, and those of metric filters
	AlarmMetrics int64 // metrics that alarms look at
	Dashboards   int64
	Secrets      int64
	Ingresses    int64 // functions that take callbacks
	Memory       int64 // of every function, MB
	Pollers      int64 // ConsumerConcurrency
	BatchSize    int64 // of the consumer
}

var counted = counts{
	AcceptPuts:        1,
	AcceptSends:       1,
	DuplicatePuts:     1,
	ApplyTransactions: 1,
	LaterTransactions: 2,
	SweepQueries:      16,
	SweepReceives:     1,

	Receipt:        820,
	UnappliedEntry: 164,
	Payout:         342,
	ReferenceEntry: 108,

	Message: 1067,

	AccessLine:    292,
	NewLine:       596,
	DuplicateLine: 660,
	DeliveryLine:  349,
	BatchLine:     494,
	SweepLine:     665,

	Metrics:      41,
	AlarmMetrics: 30,
	Dashboards:   1,
	Secrets:      2,
	Ingresses:    2,
	Memory:       256,
	Pollers:      5,
	BatchSize:    10,
}
