package drain

import (
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/inbox/inboxtest"
)

// What the model takes from the template.
const (
	Visibility  = visibility
	Retention   = retention
	MaxReceives = maxReceives
	Timeout     = timeout
)

// NewHarness is the queue alone, for its contract.
func NewHarness(*testing.T) inboxtest.Harness {
	q := &queue{now: time.Now, each: 1, decided: map[string]*message{}}
	return inboxtest.Harness{
		Queue:       q,
		DeadLetters: q,
		Take: func(*testing.T) []inbox.Receipt {
			var taken []inbox.Receipt
			for _, m := range q.deliver(1000) {
				taken = append(taken, m.receipt)
				q.delete(m)
			}
			return taken
		},
		Kill: func(_ *testing.T, receipt *inbox.Receipt) {
			m := &message{foreign: receipt == nil, sentAt: time.Now()}
			if receipt != nil {
				m.receipt = *receipt
			}
			q.dead = append(q.dead, m)
		},
	}
}
