package repair

import (
	"context"
	"iter"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Store is what repairs need besides [inbox.Store]. A read returns every write
// that finished before it. A write is conditional, and durable once it returns
// without an error. A Store is safe for concurrent use.
type Store interface {
	// Receipt returns the receipt of a key; ok is false if none exists. It fails
	// with inbox.ErrDamagedReceipt if the receipt is unreadable.
	Receipt(ctx context.Context, key inbox.Key) (receipt inbox.Receipt, ok bool, err error)

	// ReceiptsOf lists the receipts of a payout. The error
	// inbox.ErrDamagedReceipt concerns the receipt that comes with it; any other
	// error ends the sequence.
	ReceiptsOf(ctx context.Context, id payout.ID) iter.Seq2[inbox.Receipt, error]

	// StoredPayout returns a payout.
	StoredPayout(ctx context.Context, id payout.ID) (inbox.StoredPayout, error)

	// Close moves a held receipt to the state of closed, stores the actor and
	// the released event's key, and removes the receipt from the index. It moves
	// a dismissed receipt to released, too. It returns the state before, or "" if
	// no receipt exists; CanClose says whether the receipt was moved.
	Close(ctx context.Context, closed inbox.Receipt) (before inbox.State, err error)

	// Rewrite replaces the record of a payout that was not written since it was
	// read. It reports whether it did.
	Rewrite(ctx context.Context, record payout.Record, read inbox.StoredPayout, changedBy inbox.ChangedBy) (bool, error)

	// Reindex sets the index entry that the state of a receipt requires: of a
	// received receipt, due now. It reports whether the entry was another.
	Reindex(ctx context.Context, key inbox.Key, now time.Time) (bool, error)
}
