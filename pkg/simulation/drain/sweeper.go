package drain

import (
	"context"
	"time"

	"payout-callbacks/pkg/inbox"
)

// sweeping is one run of the sweeper's function: its deadline comes nearer by
// each request that it makes. The rest of what it uses takes no time.
type sweeping struct {
	context.Context //nolint:containedctx // it is one
	inbox.Store
	*queue

	left    time.Duration
	request time.Duration
}

// timeout is the sweeper's, by the template.
const timeout = 50 * time.Second

// Deadline implements context.Context: what is left of the virtual time, from
// now on by the clock that inbox measures it with.
func (s *sweeping) Deadline() (time.Time, bool) { return time.Now().Add(s.left), true }

func (s *sweeping) spend() { s.left -= s.request }

// Claim implements inbox.Store.
func (s *sweeping) Claim(ctx context.Context, due inbox.Due, next time.Time) (inbox.Receipt, bool, error) {
	s.spend()
	return s.Store.Claim(ctx, due, next)
}

// Create implements inbox.Store.
func (s *sweeping) Create(ctx context.Context, receipt inbox.Receipt) (inbox.Existing, error) {
	s.spend()
	return s.Store.Create(ctx, receipt)
}

// Send implements inbox.Queue.
func (s *sweeping) Send(ctx context.Context, receipts ...inbox.Receipt) error {
	s.spend()
	return s.queue.Send(ctx, receipts...)
}

// Receive implements inbox.DeadLetters.
func (s *sweeping) Receive(ctx context.Context, most int) ([]inbox.DeadLetter, error) {
	s.spend()
	return s.queue.Receive(ctx, most)
}

// Delete implements inbox.DeadLetters.
func (s *sweeping) Delete(ctx context.Context, letter inbox.DeadLetter) error {
	s.spend()
	return s.queue.Delete(ctx, letter)
}
