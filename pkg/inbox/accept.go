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
	AcceptedDuplicate Acceptance = "duplicate"  // in the store from an earlier delivery
	AcceptedStoreOnly Acceptance = "store-only" // in the store only; Sweep sends it
	AcceptedQueueOnly Acceptance = "queue-only" // in the queue only; Apply or Sweep stores it
)

// AcceptResult is the result of Accept: the receipt is durable.
type AcceptResult struct {
	Acceptance Acceptance
	// Fault is the error of a call that failed although the receipt is durable: not
	// nil if the receipt is in the store only or in the queue only, or if a duplicate
	// could not be sent again.
	Fault error
}

// Accept makes a receipt durable: it puts the receipt into the store, then sends it,
// and returns so that the caller may acknowledge. An error means that neither store
// nor queue is known to have the receipt; the callback must not be acknowledged.
//
// A crash after the put leaves a receipt that Sweep resends when it is due. A put
// that fails may have been done: the message that is sent then carries the whole
// receipt, and Apply checks the same condition.
func (in *Inbox) Accept(ctx context.Context, receipt Receipt) (AcceptResult, error) {
	existing, err := in.create(ctx, receipt)
	switch {
	case err != nil:
		if sendErr := in.send(ctx, receipt); sendErr != nil {
			return AcceptResult{}, errors.Join(err, sendErr)
		}
		return AcceptResult{Acceptance: AcceptedQueueOnly, Fault: err}, nil
	case existing.State == "" || existing.AcceptedAt.Equal(receipt.AcceptedAt):
		// An equal time means that the store retried this put after a lost response.
		return in.acceptNew(ctx, receipt), nil
	case existing.State == Received && receipt.AcceptedAt.Sub(existing.AcceptedAt) >= resendAfter:
		// The message of the first delivery may be lost. A second message does no harm,
		// and updates the payout before Sweep would.
		return AcceptResult{Acceptance: AcceptedDuplicate, Fault: in.send(ctx, receipt)}, nil
	}
	return AcceptResult{Acceptance: AcceptedDuplicate}, nil
}

// acceptNew sends a receipt that is new in the store.
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
		return Existing{}, fmt.Errorf("put receipt %s: %w", receipt.Key.Receipt, err)
	}
	return existing, nil
}

func (in *Inbox) send(ctx context.Context, receipt Receipt) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := in.Queue.Send(ctx, receipt); err != nil {
		return fmt.Errorf("send receipt %s: %w", receipt.Key.Receipt, err)
	}
	return nil
}
