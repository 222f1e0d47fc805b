package inbox

import (
	"context"
	"errors"
	"time"

	"payout-callbacks/pkg/payout"
)

// ErrDamaged means that what is stored under a receipt's key is not a receipt
// that we can read. It is a person's to mend; trying again does not help.
var ErrDamagedReceipt = errors.New("damaged receipt")

// ErrDamagedRecord means the same of a payout.
var ErrDamagedPayout = errors.New("damaged payout")

// ErrLaterRecord means that a later version of this program wrote a payout. We
// would lose what it knows, so nothing of ours may write it.
var ErrLaterVersion = errors.New("written by a later version")

// Store holds receipts and payouts. Its writes are conditional and durable once
// they return without an error; an error means that the write may or may not
// have happened. It is safe for concurrent use. It retries what its technology
// says is worth retrying within the context's deadline; nothing else does.
type Store interface {
	// Create records a receipt unless a receipt of its key exists. It returns the
	// one that exists, or a zero Existing when the receipt is new. Where the store
	// tries its own write again, the one that exists may be the receipt itself.
	Create(ctx context.Context, receipt Receipt) (Existing, error)

	// Apply writes both halves of a change, or neither. Where a condition
	// refuses it, nothing is written and the refusal says what was met.
	Apply(ctx context.Context, change Change) (*ConditionFailed, error)

	// Due lists receipts in state received whose time has come, at most limit
	// of them, those due for the longest first. The list may be slightly stale.
	Due(ctx context.Context, now time.Time, limit int) ([]DueReceipt, error)

	// OldestClaimed returns when the oldest receipt in state received that was ever
	// claimed was accepted, and false where no such receipt waits. Its answer may be
	// slightly stale; its cost does not depend on how many receipts wait.
	OldestClaimed(ctx context.Context) (acceptedAt time.Time, ok bool, err error)

	// Claim moves a due receipt's time, if it is still received and still due
	// when it was seen to be, and returns it. Of two callers that saw the same
	// time only one gets true; a receipt that is gone or applied gives false.
	// It fails with ErrDamaged where the receipt cannot be read; its time has
	// then moved all the same.
	Claim(ctx context.Context, due DueReceipt, next time.Time) (Receipt, bool, error)
}

// Existing is the receipt that stands under a key.
type Existing struct {
	State      State
	AcceptedAt time.Time
}

// Change is the effect of one receipt: the receipt as applied and the payout's
// record with it merged.
type Change struct {
	Receipt         Receipt // in state applied
	Create          bool    // the receipt must not exist yet; otherwise it must be received
	Record          payout.Record
	ExpectedVersion int64 // the version the record must have now; 0 that it must not exist
}

// Refusal says which condition of a Change was not met and what stood there.
type ConditionFailed struct {
	// Receipt is the state of the receipt that was met: "" where it is absent.
	// It means something only if ReceiptRefused.
	ReceiptState  State
	ReceiptFailed bool
	// Record is the payout's record as it stands. It means something only if
	// RecordRefused.
	Record       payout.Record
	RecordFailed bool
}

// Due names a receipt that is to be sent again, as the index saw it.
type DueReceipt struct {
	Key        Key
	DueAt      time.Time
	AcceptedAt time.Time
}

// Queue carries receipts to the consumer: at least once, in any order. It is
// safe for concurrent use.
type Queue interface {
	// Send enqueues receipts. Without an error, all of them are durable in the
	// queue. SendErrors says which of them the queue refused; the others are
	// durable. After any other error, any of them may be in the queue or not.
	Send(ctx context.Context, receipts ...Receipt) error

	// Waiting returns about how many messages wait to be delivered.
	Waiting(ctx context.Context) (int, error)
}

// DeadLetters is the queue of messages that could not be consumed.
type DeadLetters interface {
	// Receive takes up to most messages out of sight for long enough to decide
	// about them. An empty list means that there may be none.
	Receive(ctx context.Context, most int) ([]DeadLetter, error)
	// Delete removes a message for good.
	Delete(ctx context.Context, letter DeadLetter) error
	// Return puts a message back in sight.
	Return(ctx context.Context, letter DeadLetter) error
}

// DeadLetter is one message of the dead-letter queue.
type DeadLetter struct {
	Receipt    Receipt
	Unreadable bool   // it does not decode as a receipt of ours; Receipt is empty
	Handle     string // the queue's own name of this delivery
}
