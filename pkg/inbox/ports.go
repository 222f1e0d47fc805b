package inbox

import (
	"context"
	"errors"
	"time"

	"payout-callbacks/pkg/payout"
)

// ErrDamagedReceipt means that the item under a receipt's key cannot be read as a
// receipt. A person has to repair it; retrying does not help.
var ErrDamagedReceipt = errors.New("damaged receipt")

// ErrDamagedPayout means that the item under a payout's key cannot be read as a
// payout.
var ErrDamagedPayout = errors.New("damaged payout")

// ErrLaterVersion means that a later version of this program wrote the payout.
// Writing it would lose what only that version knows, so this program does not.
var ErrLaterVersion = errors.New("written by a later version")

// Store stores receipts and payouts. Its writes are conditional, and durable once
// they return without an error; after an error, the write may or may not have been
// done. A Store is safe for concurrent use. It retries within the context's deadline
// what its technology considers retryable; its callers do not retry.
type Store interface {
	// Create stores a receipt unless a receipt with its key exists. It returns the
	// existing receipt, or a zero Existing if the receipt is new. If the store retries
	// its own write, the existing receipt may be the receipt itself.
	Create(ctx context.Context, receipt Receipt) (Existing, error)

	// Payout returns the record of a payout and its schedule, and a zero PayoutItem with
	// the ID if the payout does not exist. It may be slightly stale; the condition of
	// Apply detects that.
	Payout(ctx context.Context, id payout.ID) (PayoutItem, error)

	// Apply writes both parts of a change, or neither. If a condition fails, nothing
	// is written, and the result says which condition and what the store holds.
	Apply(ctx context.Context, change Change) (*ConditionFailed, error)

	// Due lists received receipts that are due at the time now, at most limit of them,
	// the earliest due first. The list may be slightly stale.
	Due(ctx context.Context, now time.Time, limit int) ([]DueReceipt, error)

	// OldestClaimed returns the time at which the oldest received receipt that was
	// ever claimed was accepted, and false if there is no such receipt. The result may
	// be slightly stale; its cost does not depend on the number of receipts.
	OldestClaimed(ctx context.Context) (acceptedAt time.Time, ok bool, err error)

	// Claim sets the time at which a receipt is due next and returns the receipt, if
	// it is still received and still due at the listed time. Of two callers with the
	// same listed time only one gets true; an absent or applied receipt gives false.
	// If the receipt cannot be read, the error is ErrDamagedReceipt, and its due time
	// is set all the same.
	Claim(ctx context.Context, due DueReceipt, next time.Time) (Receipt, bool, error)
}

// Existing describes the receipt that a store holds under a key.
type Existing struct {
	State      State
	AcceptedAt time.Time
}

// PayoutItem is what a store holds of a payout: the record, and the schedule beside it.
type PayoutItem struct {
	Record   payout.Record
	Schedule Schedule
}

// Change is the effect of one receipt: the receipt as applied, and the record of the
// payout with the receipt merged.
type Change struct {
	Receipt         Receipt // in state applied
	Create          bool    // the receipt must not exist yet; otherwise it must be received
	Record          payout.Record
	ExpectedVersion int64    // the version that the stored record must have; 0: it must not exist
	Schedule        Schedule // replaces the stored one
}

// ConditionFailed says which conditions of a Change failed, and what the store holds.
type ConditionFailed struct {
	// ReceiptState is the state of the stored receipt, "" if it is absent. It is set
	// only if ReceiptFailed.
	ReceiptState  State
	ReceiptFailed bool
	// Payout is the stored payout. It is set only if RecordFailed.
	Payout       PayoutItem
	RecordFailed bool
}

// DueReceipt names a receipt that is due to be resent, as the index lists it.
type DueReceipt struct {
	Key        Key
	DueAt      time.Time
	AcceptedAt time.Time
}

// Queue delivers receipts to the consumer at least once, in any order. A Queue is
// safe for concurrent use.
type Queue interface {
	// Send enqueues receipts. Without an error, all of them are durable in the queue.
	// SendError lists the receipts that the queue rejected; the others are durable.
	// After any other error, each of them may or may not be in the queue.
	Send(ctx context.Context, receipts ...Receipt) error

	// Waiting returns the approximate number of messages that wait for delivery.
	Waiting(ctx context.Context) (int, error)
}

// DeadLetters is the queue of messages that could not be consumed.
type DeadLetters interface {
	// Receive returns up to limit messages and hides them from other receivers for a
	// while. An empty list means that the queue may be empty.
	Receive(ctx context.Context, limit int) ([]DeadLetter, error)
	// Delete deletes a message.
	Delete(ctx context.Context, deadLetter DeadLetter) error
	// Return makes a message visible again.
	Return(ctx context.Context, deadLetter DeadLetter) error
}

// DeadLetter is one message of the dead-letter queue.
type DeadLetter struct {
	Receipt    Receipt
	Unreadable bool   // the message does not decode as a receipt; Receipt is empty
	Handle     string // the queue's handle of this delivery
}
