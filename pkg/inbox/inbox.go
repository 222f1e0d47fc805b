package inbox

import "time"

// Deadlines of accepting a callback, so that the provider has its answer within
// four seconds whatever hangs.
const (
	putTimeout  = 2 * time.Second
	sendTimeout = 1 * time.Second
)

// resendAfter is how long a receipt waits before another delivery of its callback
// sends it again: replays of a receipt that is on its way do not fill the queue.
const resendAfter = time.Minute

// Inbox accepts, applies and sweeps receipts. All fields are required except
// DeadLetters, which only Sweep needs. It is safe for concurrent use.
type Inbox struct {
	Store       Store
	Queue       Queue
	DeadLetters DeadLetters
	Now         func() time.Time
}
