package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Source is the store that is audited. It is safe for concurrent use.
//
// A read returns every write that finished before it; a scan, every write that
// finished before it read the item. In a sequence of receipts, an error that is
// inbox.ErrDamagedReceipt or inbox.ErrIndexMismatch concerns the receipt that
// comes with it. Any other error ends the sequence.
type Source interface {
	// ScanReceipts lists the receipts that were accepted at from or later, and
	// before to. A zero time is no bound.
	ScanReceipts(ctx context.Context, from, to time.Time) iter.Seq2[inbox.Receipt, error]
	// ScanPayouts lists the payouts that were updated at since or later.
	ScanPayouts(ctx context.Context, since time.Time) iter.Seq2[inbox.StoredPayout, error]
	// Receipt, ReceiptsOf and StoredPayout are those of repair.Store.
	Receipt(ctx context.Context, key inbox.Key) (inbox.Receipt, bool, error)
	ReceiptsOf(ctx context.Context, id payout.ID) iter.Seq2[inbox.Receipt, error]
	StoredPayout(ctx context.Context, id payout.ID) (inbox.StoredPayout, error)
}

// MaxPending is how long a receipt may stay received before the audit reports it:
// the time until it is first due, and several runs of the sweeper.
const MaxPending = inbox.FirstDue + 10*time.Minute

// Audit is one run of an audit. Source, Now and Report are required.
type Audit struct {
	Source   Source
	From, To time.Time // receipts accepted in [From, To), payouts updated since From; zero: no bound
	Now      time.Time
	Queries  map[string]inbox.QueryMode // the mode of each provider
	Report   func(Finding)              // called for each finding, not concurrently
	Progress func(Summary)              // called every progressInterval items; may be nil

	mu      sync.Mutex
	summary Summary
	log     *log
}

// Summary counts what an audit read and found.
type Summary struct {
	Receipts int64                     `json:"receipts"`
	States   map[inbox.State]int64     `json:"states"`
	Oldest   map[inbox.State]time.Time `json:"oldest,omitempty"` // acceptance of the oldest received and the oldest held receipt
	Payouts  int64                     `json:"payouts"`
	Moving   int64                     `json:"moving,omitempty"` // payouts that changed each time they were read, which are not checked
	Expected ExpectedSummary           `json:"expected"`
	// Unscheduled counts payouts that the provider is not asked about although the mode of
	// queries says so: it was changed after they were updated.
	Unscheduled int64       `json:"unscheduled,omitempty"`
	Findings    int64       `json:"findings"`
	Log         *LogSummary `json:"log,omitempty"`

	callbacks int64 // receipts that were callbacks
}

// ExpectedSummary counts the payouts that our own service ordered. None of the counts is
// a finding, and Total is the sum of the others. An order that is linked to the payout
// with the provider's id is counted there.
type ExpectedSummary struct {
	Total      int64 `json:"total"`
	Final      int64 `json:"final"`
	Open       int64 `json:"open"`
	Overdue    int64 `json:"overdue"`
	Conflicted int64 `json:"conflicted"`
}

// progressInterval is the number of items between two calls of Progress.
const progressInterval = 500

// maxConcurrency is the number of concurrent requests to the source.
const maxConcurrency = 16

func newGroup(ctx context.Context) (*errgroup.Group, context.Context) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxConcurrency)
	return group, ctx
}

// Run checks the receipts, then the payouts, then the log that ReadLog read. After
// an error, the audit is incomplete.
func (a *Audit) Run(ctx context.Context) (Summary, error) {
	a.summary.States, a.summary.Oldest = map[inbox.State]int64{}, map[inbox.State]time.Time{}
	if err := a.checkReceipts(ctx); err != nil {
		return a.snapshot(), err
	}
	if err := a.checkPayouts(ctx); err != nil {
		return a.snapshot(), err
	}
	a.compareLogCounts()
	return a.snapshot(), nil
}

func (a *Audit) addFinding(finding Finding) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.summary.Findings++
	a.Report(finding)
}

func (a *Audit) snapshot() Summary {
	a.mu.Lock()
	defer a.mu.Unlock()
	summary := a.summary
	summary.States, summary.Oldest = maps.Clone(a.summary.States), maps.Clone(a.summary.Oldest)
	return summary
}

func (a *Audit) reportProgress(items int64) {
	if a.Progress != nil && items%progressInterval == 0 {
		a.Progress(a.snapshot())
	}
}

func (a *Audit) checkReceipts(ctx context.Context) error {
	group, ctx := newGroup(ctx)
	lastPayout := ""
	for receipt, err := range a.Source.ScanReceipts(ctx, a.From, a.To) {
		switch {
		case errors.Is(err, inbox.ErrDamagedReceipt):
			a.countReceipt(receipt)
			group.Go(func() error { return a.checkCorruptReceipt(ctx, receipt.Key) })
			continue
		case errors.Is(err, inbox.ErrIndexMismatch):
			a.addFinding(newFinding(ReceiptIndexMismatch, receipt.Key, describeMismatch(receipt.State)))
		case err != nil:
			return errors.Join(err, group.Wait())
		}
		a.countReceipt(receipt)
		// A scan usually lists the receipts of a payout one after the other; if
		// it does not, the payout is checked again.
		if id := receipt.Key.Payout; receipt.State == inbox.Applied && id != lastPayout {
			lastPayout = id
			group.Go(func() error { return a.checkPayoutExists(ctx, payout.ID(id)) })
		}
		a.checkState(ctx, group, receipt)
	}
	return group.Wait()
}

// checkState checks what the state of a receipt requires.
func (a *Audit) checkState(ctx context.Context, group *errgroup.Group, receipt inbox.Receipt) {
	switch receipt.State {
	case inbox.Received:
		if age := a.Now.Sub(receipt.AcceptedAt); age > MaxPending {
			group.Go(func() error { return a.checkPending(ctx, receipt.Key, age) })
		}
	case inbox.Released, inbox.Answered:
		a.checkActor(receipt)
		group.Go(func() error { return a.checkReleased(ctx, receipt) })
	case inbox.Dismissed:
		a.checkActor(receipt)
	case inbox.Applied, inbox.Held:
	default:
		a.addFinding(newFinding(ReceiptUnknown, receipt.Key, "state "+string(receipt.State)))
	}
}

// checkActor checks that a released, answered or dismissed receipt has an actor and a reason.
func (a *Audit) checkActor(receipt inbox.Receipt) {
	if receipt.ChangedBy == (inbox.ChangedBy{}) {
		a.addFinding(newFinding(ReceiptUnexplained, receipt.Key, string(receipt.State)+" without an actor and a reason, which payoutctl always records"))
	}
}

func describeMismatch(state inbox.State) string {
	if state == inbox.Received || state == inbox.Held {
		return string(state) + ", and missing from the index: the sweeper and the lists do not see it"
	}
	return string(state) + ", and still in the index: each sweep finds it due"
}

func (a *Audit) countReceipt(receipt inbox.Receipt) {
	a.mu.Lock()
	s := &a.summary
	s.Receipts++
	s.States[receipt.State]++
	// A released callback and the receipt of its event are one callback, and the
	// latter counts.
	if receipt.Source() == payout.SourceCallback && receipt.State != inbox.Released {
		s.callbacks++
	}
	if receipt.State == inbox.Received || receipt.State == inbox.Held {
		if oldest, ok := s.Oldest[receipt.State]; !ok || receipt.AcceptedAt.Before(oldest) {
			s.Oldest[receipt.State] = receipt.AcceptedAt
		}
	}
	receipts := s.Receipts
	a.mu.Unlock()
	a.reportProgress(receipts)
}

// checkCorruptReceipt reads a receipt again that the scan could not read.
func (a *Audit) checkCorruptReceipt(ctx context.Context, key inbox.Key) error {
	_, ok, err := a.Source.Receipt(ctx, key)
	if errors.Is(err, inbox.ErrDamagedReceipt) && ok {
		a.addFinding(newFinding(ReceiptDamaged, key, "its content does not match its key, or a later version wrote it"))
		return nil
	}
	return err
}

// checkPending reports a receipt that is still received.
func (a *Audit) checkPending(ctx context.Context, key inbox.Key, age time.Duration) error {
	receipt, ok, err := a.Source.Receipt(ctx, key)
	if err == nil && ok && receipt.State == inbox.Received {
		a.addFinding(newFinding(ReceiptWaiting, key, fmt.Sprintf("accepted %s ago and not applied", age.Round(time.Second))))
	}
	return ignoreCorrupt(err)
}

// checkReleased checks that a released callback has the receipt of its event, and an
// answered one that of the answer.
func (a *Audit) checkReleased(ctx context.Context, released inbox.Receipt) error {
	_, ok, err := a.Source.Receipt(ctx, released.ReleasedAs)
	if err == nil && !ok {
		a.addFinding(newFinding(ReceiptGone, released.Key, string(released.State)+", and the receipt that replaces it does not exist"))
	}
	return ignoreCorrupt(err)
}

// checkPayoutExists checks that the payout of an applied receipt exists.
// checkPayouts checks its content.
func (a *Audit) checkPayoutExists(ctx context.Context, id payout.ID) error {
	stored, err := a.Source.StoredPayout(ctx, id)
	if err != nil || stored.Exists {
		return err
	}
	return a.verifyPayout(ctx, id)
}

// ignoreCorrupt drops the error of a corrupt receipt, which the scan reports.
func ignoreCorrupt(err error) error {
	if errors.Is(err, inbox.ErrDamagedReceipt) {
		return nil
	}
	return err
}
