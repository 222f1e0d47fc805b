package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"sync"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Source is what is audited. It is safe for concurrent use.
//
// All its reads see every write that was finished before; those of a scan, which
// goes on for long, every write that was finished before the item was read. In a sequence of receipts an error that is inbox.ErrDamaged
// or inbox.ErrMisplaced is about the one that comes with it; any other ends it.
type Source interface {
	// ScanReceipts lists the receipts that were accepted from a time until
	// before another, either of which may be zero.
	ScanReceipts(ctx context.Context, from, to time.Time) iter.Seq2[inbox.Receipt, error]
	// ScanPayouts lists the payouts that were updated since.
	ScanPayouts(ctx context.Context, since time.Time) iter.Seq2[inbox.StoredPayout, error]
	// Receipt, Story and Standing are those of repair.Store.
	Receipt(ctx context.Context, key inbox.Key) (inbox.Receipt, bool, error)
	ReceiptsOf(ctx context.Context, id payout.ID) iter.Seq2[inbox.Receipt, error]
	StoredPayout(ctx context.Context, id payout.ID) (inbox.StoredPayout, error)
}

// Patience is how long a receipt may be received before that is a finding: its
// first due time, and several runs of the sweeper.
const MaxPending = inbox.FirstDue + 10*time.Minute

// Audit is one audit. Source, Now and Report are required.
type Audit struct {
	Source   Source
	From, To time.Time // only receipts accepted in between, and payouts updated since From; zero: all
	Now      time.Time
	Report   func(Finding) // called for each finding, never twice at once
	Progress func(Summary) // called now and then; may be nil

	mu      sync.Mutex
	summary Summary
	log     *log
}

// Summary is what was counted.
type Summary struct {
	Receipts int64                 `json:"receipts"` // all that follow together
	States   map[inbox.State]int64 `json:"states"`
	// Oldest is when the oldest receipt of those that wait was accepted.
	Oldest   map[inbox.State]time.Time `json:"oldest,omitempty"`
	Payouts  int64                     `json:"payouts"`
	Moving   int64                     `json:"moving,omitempty"` // payouts that changed each time they were read: not judged
	Findings int64                     `json:"findings"`
	Log      *LogSummary               `json:"log,omitempty"`

	counts int64 // receipts that stand for a callback of the window
}

// progressEvery is how many items lie between two calls of Progress.
const progressEvery = 500

// Run audits receipts, then payouts, then what ReadLog has read. An error means
// that the audit was not finished.
func (a *Audit) Run(ctx context.Context) (Summary, error) {
	a.summary.States, a.summary.Oldest = map[inbox.State]int64{}, map[inbox.State]time.Time{}
	if err := a.receipts(ctx); err != nil {
		return a.snapshot(), err
	}
	if err := a.payouts(ctx); err != nil {
		return a.snapshot(), err
	}
	a.compareLogCounts()
	return a.snapshot(), nil
}

func (a *Audit) found(finding Finding) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.summary.Findings++
	a.Report(finding)
}

func (a *Audit) snapshot() Summary {
	a.mu.Lock()
	defer a.mu.Unlock()
	copied := a.summary
	copied.States, copied.Oldest = maps.Clone(a.summary.States), maps.Clone(a.summary.Oldest)
	return copied
}

func (a *Audit) progress(n int64) {
	if a.Progress != nil && n%progressEvery == 0 {
		a.Progress(a.snapshot())
	}
}

func (a *Audit) receipts(ctx context.Context) error {
	work := newPool(ctx)
	last := ""
	for receipt, err := range a.Source.ScanReceipts(work.ctx, a.From, a.To) { //nolint:contextcheck // the pool's context is made of ctx
		switch {
		case errors.Is(err, inbox.ErrDamagedReceipt):
			a.count(receipt)
			work.do(func() error { return a.damaged(work.ctx, receipt.Key) })
			continue
		case errors.Is(err, inbox.ErrIndexMismatch):
			a.found(about(ReceiptIndexMismatch, receipt.Key, indexMismatch(receipt.State)))
		case err != nil:
			return errors.Join(err, work.wait())
		}
		a.count(receipt)
		// Those of one payout come one after the other as a rule; where they do
		// not, it is looked for twice.
		if id := receipt.Key.Payout; receipt.State == inbox.Applied && id != last {
			last = id
			work.do(func() error { return a.hasPayout(work.ctx, payout.ID(id)) })
		}
		a.state(work, receipt)
	}
	return work.wait()
}

// state holds a receipt to what its state promises.
func (a *Audit) state(work *pool, receipt inbox.Receipt) {
	switch receipt.State {
	case inbox.Received:
		if age := a.Now.Sub(receipt.AcceptedAt); age > MaxPending {
			work.do(func() error { return a.waiting(work.ctx, receipt.Key, age) })
		}
	case inbox.Released:
		a.explained(receipt)
		work.do(func() error { return a.checkReleased(work.ctx, receipt) })
	case inbox.Dismissed:
		a.explained(receipt)
	case inbox.Applied, inbox.Held:
	default:
		a.found(about(ReceiptUnknown, receipt.Key, "state "+string(receipt.State)))
	}
}

// explained looks for the hand that took a held receipt up.
func (a *Audit) explained(receipt inbox.Receipt) {
	if receipt.ChangedBy == (inbox.ChangedBy{}) {
		a.found(about(ReceiptUnexplained, receipt.Key, string(receipt.State)+", and nobody says who did that and why: payoutctl does"))
	}
}

func indexMismatch(state inbox.State) string {
	if state == inbox.Received || state == inbox.Held {
		return string(state) + ", and the index does not have it: nobody will find it"
	}
	return string(state) + ", and still in the index: it is found due for ever"
}

func (a *Audit) count(receipt inbox.Receipt) {
	a.mu.Lock()
	s := &a.summary
	s.Receipts++
	s.States[receipt.State]++
	// A released callback is counted where its event is: both were one callback.
	if receipt.Resolution == nil && receipt.State != inbox.Released {
		s.counts++
	}
	if receipt.State == inbox.Received || receipt.State == inbox.Held {
		if oldest, ok := s.Oldest[receipt.State]; !ok || receipt.AcceptedAt.Before(oldest) {
			s.Oldest[receipt.State] = receipt.AcceptedAt
		}
	}
	n := s.Receipts
	a.mu.Unlock()
	a.progress(n)
}

// damaged reads a receipt again that the scan could not read.
func (a *Audit) damaged(ctx context.Context, key inbox.Key) error {
	_, ok, err := a.Source.Receipt(ctx, key)
	if errors.Is(err, inbox.ErrDamagedReceipt) && ok {
		a.found(about(ReceiptDamaged, key, "it does not say what its key does, or was written by a later version"))
		return nil
	}
	return err
}

func (a *Audit) waiting(ctx context.Context, key inbox.Key, age time.Duration) error {
	receipt, ok, err := a.Source.Receipt(ctx, key)
	if err == nil && ok && receipt.State == inbox.Received {
		a.found(about(ReceiptWaiting, key, fmt.Sprintf("accepted %s ago and not applied", age.Round(time.Second))))
	}
	return unlessDamaged(err)
}

func (a *Audit) checkReleased(ctx context.Context, released inbox.Receipt) error {
	_, ok, err := a.Source.Receipt(ctx, released.ReleasedAs)
	if err == nil && !ok {
		a.found(about(ReceiptGone, released.Key, "released, and the receipt of its event is not there"))
	}
	return unlessDamaged(err)
}

// hasPayout looks for the payout of an applied receipt. Whatever else is wrong
// with it is found where payouts are gone through.
func (a *Audit) hasPayout(ctx context.Context, id payout.ID) error {
	storedPayout, err := a.Source.StoredPayout(ctx, id)
	if err != nil || storedPayout.Exists {
		return err
	}
	return a.verifyPayout(ctx, id)
}

func unlessDamaged(err error) error {
	if errors.Is(err, inbox.ErrDamagedReceipt) {
		return nil // the scan tells of it
	}
	return err
}
