package repair

import (
	"context"
	"iter"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Store is what repairs need of a store besides [inbox.Store]. Its reads see
// every write that was finished before; its writes are conditional and durable
// once they return without an error. It is safe for concurrent use.
type Store interface {
	// Receipt returns the receipt of a key and whether there is one. It fails
	// with inbox.ErrDamaged where the receipt cannot be read.
	Receipt(ctx context.Context, key inbox.Key) (inbox.Receipt, bool, error)

	// Story lists the receipts of a payout. An error that is inbox.ErrDamaged is
	// about the one receipt that comes with it; any other ends the sequence.
	ReceiptsOf(ctx context.Context, id payout.ID) iter.Seq2[inbox.Receipt, error]

	// Standing returns a payout as it stands.
	StoredPayout(ctx context.Context, id payout.ID) (inbox.StoredPayout, error)

	// Close moves a held receipt to the state that closed is in, with its hand
	// and the receipt that it became, and takes it out of the index. A dismissed
	// receipt may still be released. It returns the state that was met, "" where
	// there is no such receipt; the receipt was moved if that is one of those.
	Close(ctx context.Context, closed inbox.Receipt) (inbox.State, error)

	// Rewrite puts a record where the payout still stands as it was read, and
	// reports whether it did.
	Rewrite(ctx context.Context, record payout.Record, read inbox.StoredPayout, hand inbox.ChangedBy) (bool, error)

	// Reindex gives a receipt the place in the index that its state wants, as
	// due now where it is received, and reports whether it had another one.
	Reindex(ctx context.Context, key inbox.Key, now time.Time) (bool, error)
}
