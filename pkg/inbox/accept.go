package inbox

import (
	"context"
	"errors"
	"fmt"
)

// Acceptance says how a receipt was accepted.
type Acceptance string

// The ways in which a receipt becomes durable.
const (
	AcceptedNew       Acceptance = "new"        // in the store and, unless held, in the queue
	AcceptedDuplicate Acceptance = "duplicate"  // the store had it from an earlier delivery
	AcceptedStoreOnly Acceptance = "store-only" // in the store only; Sweep will send it
	AcceptedQueueOnly Acceptance = "queue-only" // in the queue only; Apply or Sweep will record it
)

// Accepted is the result of Accept: the receipt is durable.
type AcceptResult struct {
	Acceptance Acceptance
	// Fault is what failed although the receipt is durable: nil unless the
	// receipt was accepted ByRecord or ByQueue, or a duplicate could not be
	// sent again.
	Fault error
}

// Accept makes a receipt durable: put, then send, then the caller may
// acknowledge. An error means that neither store is known to have it, and the
// callback must not be acknowledged.
//
// A crash after the put leaves a receipt that Sweep finds when it is due. A
// put that fails may have happened: the message that is sent instead carries
// the whole receipt and meets the same condition in the consumer.
func (in *Inbox) Accept(ctx context.Context, receipt Receipt) (AcceptResult, error) {
	existing, err := in.create(ctx, receipt)
	switch {
	case err != nil:
		if sendErr := in.send(ctx, receipt); sendErr != nil {
			return AcceptResult{}, errors.Join(err, sendErr)
		}
		return AcceptResult{Acceptance: AcceptedQueueOnly, Fault: err}, nil
	case existing.State == "" || existing.AcceptedAt.Equal(receipt.AcceptedAt):
		// The second is our own put, tried again because its answer was lost.
		return in.acceptNew(ctx, receipt), nil
	case existing.State == Received && receipt.AcceptedAt.Sub(existing.AcceptedAt) >= resendAfter:
		// The first delivery's message may have been lost; another message does no
		// harm and brings the payout up to date before Sweep would.
		return AcceptResult{Acceptance: AcceptedDuplicate, Fault: in.send(ctx, receipt)}, nil
	}
	return AcceptResult{Acceptance: AcceptedDuplicate}, nil
}

func (in *Inbox) acceptNew(ctx context.Context, receipt Receipt) AcceptResult {
	if receipt.State != Received {
		return AcceptResult{Acceptance: AcceptedNew}
	}
	if err := in.send(ctx, receipt); err != nil {
		return AcceptResult{Acceptance: AcceptedStoreOnly, Fault: err}
	}
	return AcceptResult{Acceptance: AcceptedNew}
}

func (in *Inbox) create(ctx context.Context, receipt Receipt) (Existing, error) {
	ctx, cancel := context.WithTimeout(ctx, putTimeout)
	defer cancel()
	existing, err := in.Store.Create(ctx, receipt)
	if err != nil {
		return Existing{}, fmt.Errorf("put receipt: %w", err)
	}
	return existing, nil
}

func (in *Inbox) send(ctx context.Context, receipt Receipt) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := in.Queue.Send(ctx, receipt); err != nil {
		return fmt.Errorf("send receipt: %w", err)
	}
	return nil
}
