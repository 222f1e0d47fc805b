package memory

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Store keeps receipts and payouts in memory. The zero Store is empty and ready.
type Store struct {
	mu       sync.Mutex
	receipts map[inbox.Key]inbox.Receipt
	waiting  waiting // index of those that are received, by when they are due
	claimed  waiting // index of those of them that were claimed, by when they were accepted
	records  map[payout.ID]payout.Record
	damage   damage // done on purpose; none as a rule
}

var _ inbox.Store = (*Store)(nil)

// Create implements inbox.Store.
func (s *Store) Create(ctx context.Context, receipt inbox.Receipt) (inbox.Existing, error) {
	if err := ctx.Err(); err != nil {
		return inbox.Existing{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.receipts[receipt.Key]; ok {
		return inbox.Existing{State: r.State, AcceptedAt: r.AcceptedAt}, nil
	}
	if receipt.State == inbox.Applied {
		panic("memory: an applied receipt is only created together with its effect")
	}
	s.put(receipt)
	return inbox.Existing{}, nil
}

// Apply implements inbox.Store.
func (s *Store) Apply(ctx context.Context, change inbox.Change) (*inbox.ConditionFailed, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	receipt, exists := s.receipts[change.Receipt.Key]
	record := s.records[change.Record.ID]
	refusal := inbox.ConditionFailed{
		ReceiptState:  receipt.State,
		ReceiptFailed: change.Create == exists || exists && receipt.State != inbox.Received,
		Record:        record,
		RecordFailed:  record.Version != change.ExpectedVersion,
	}
	if refusal.ReceiptFailed || refusal.RecordFailed {
		return &refusal, nil
	}
	if change.Record.Version != change.ExpectedVersion+1 || change.Receipt.State != inbox.Applied {
		panic(fmt.Sprintf("memory: change to %s is not one more fact", change.Record.ID))
	}
	if exists {
		// The body and the times of the first delivery stay.
		receipt.State, receipt.Outcome, receipt.AppliedAt = inbox.Applied, change.Receipt.Outcome, change.Receipt.AppliedAt
		receipt.DueAt = time.Time{}
		s.put(receipt)
	} else {
		s.put(change.Receipt)
	}
	s.putRecord(change.Record)
	return nil, nil
}

// Due implements inbox.Store.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]inbox.DueReceipt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []inbox.DueReceipt
	past := func(at time.Time) bool { return !at.After(now) }
	for _, entry := range s.firstWaiting(past, limit+len(s.damage.indexMismatch)) {
		if !s.damage.indexMismatch[entry.key] {
			due = append(due, inbox.DueReceipt{Key: entry.key, DueAt: entry.at, AcceptedAt: s.receipts[entry.key].AcceptedAt})
		}
	}
	return due[:min(limit, len(due))], nil
}

// Claim implements inbox.Store.
func (s *Store) Claim(ctx context.Context, due inbox.DueReceipt, next time.Time) (inbox.Receipt, bool, error) {
	if err := ctx.Err(); err != nil {
		return inbox.Receipt{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	receipt, ok := s.receipts[due.Key]
	if !ok || receipt.State != inbox.Received || !receipt.DueAt.Equal(due.DueAt) {
		return inbox.Receipt{}, false, nil
	}
	receipt.DueAt = next
	s.put(receipt)
	heap.Push(&s.claimed, waits{receipt.AcceptedAt, receipt.Key})
	return receipt, true, nil
}

// OldestClaimed implements inbox.Store.
func (s *Store) OldestClaimed(ctx context.Context) (acceptedAt time.Time, ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.claimed) > 0 {
		first := s.claimed[0]
		if s.receipts[first.key].State == inbox.Received {
			return first.at, true, nil
		}
		heap.Pop(&s.claimed)
	}
	return time.Time{}, false, nil
}

// Receipts returns all receipts, ordered by key.
func (s *Store) Receipts() []inbox.Receipt {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []inbox.Receipt
	for _, receipt := range s.receipts {
		all = append(all, receipt)
	}
	slices.SortFunc(all, func(a, b inbox.Receipt) int { return a.Key.Compare(b.Key) })
	return all
}

// NextDue returns when the first receipt that waits to be applied is due, and
// whether there is one.
func (s *Store) NextDue() (next time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, entry := range s.firstWaiting(func(time.Time) bool { return true }, 1) {
		return entry.at, true
	}
	return time.Time{}, false
}

// Record returns the record of a payout, zero where there is none.
func (s *Store) Record(id payout.ID) payout.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.records[id]
}

// Records returns all payouts, ordered by ID.
func (s *Store) Records() []payout.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []payout.Record
	for _, record := range s.records {
		all = append(all, record)
	}
	slices.SortFunc(all, func(a, b payout.Record) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Remove deletes a receipt, as a person with too much access would.
func (s *Store) DeleteReceipt(key inbox.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.receipts, key)
}

func (s *Store) put(receipt inbox.Receipt) {
	if !receipt.HasValidKey() {
		panic(fmt.Sprintf("memory: receipt %v has a key that does not follow from it", receipt.Key))
	}
	if s.receipts == nil {
		s.receipts = map[inbox.Key]inbox.Receipt{}
	}
	s.receipts[receipt.Key] = receipt
	if receipt.State == inbox.Received {
		heap.Push(&s.waiting, waits{receipt.DueAt, receipt.Key})
	}
}
