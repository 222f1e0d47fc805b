package inbox

import "time"

// Timeouts of accepting a callback. Together they let the provider have its
// response within four seconds, even if a call hangs.
const (
	putTimeout  = 2 * time.Second
	sendTimeout = 1 * time.Second
)

// resendAfter is the minimum age at which a receipt is sent again by another
// delivery of its callback. Replays of a younger receipt do not fill the queue.
const resendAfter = time.Minute

// Inbox accepts, applies and sweeps receipts. All fields are required except
// DeadLetters, which only Sweep uses, and Queries. An Inbox is safe for concurrent use.
type Inbox struct {
	Store       Store
	Queue       Queue
	DeadLetters DeadLetters
	Now         func() time.Time
	// Queries has the mode of each provider; a provider that is not in it is not asked.
	Queries map[string]QueryMode
}
