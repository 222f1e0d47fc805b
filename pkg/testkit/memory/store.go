package memory

import (
	"container/heap"
	"context"
	"fmt"
	"maps"
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
	due      dueIndex // received receipts by due time
	claimed  dueIndex // claimed receipts by the time at which they were accepted
	held     dueIndex // held receipts by the time of their query
	payouts  map[payout.ID]inbox.PayoutItem
	queries  dueIndex // payouts by the time of their query
	damage   damage   // by tests
}

var _ inbox.Store = (*Store)(nil)

// Create implements inbox.Store.
func (s *Store) Create(ctx context.Context, receipt inbox.Receipt) (inbox.Existing, error) {
	if err := ctx.Err(); err != nil {
		return inbox.Existing{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if existing, ok := s.receipts[receipt.Key]; ok {
		return inbox.Existing{State: existing.State, AcceptedAt: existing.AcceptedAt}, nil
	}
	if receipt.State == inbox.Applied {
		panic("memory: create of an applied receipt without its change")
	}
	s.put(receipt)
	return inbox.Existing{}, nil
}

// Payout implements inbox.Store.
func (s *Store) Payout(ctx context.Context, id payout.ID) (inbox.PayoutItem, error) {
	if err := ctx.Err(); err != nil {
		return inbox.PayoutItem{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := s.payouts[id]
	stored.Record.ID = id
	return stored, nil
}

// Apply implements inbox.Store.
func (s *Store) Apply(ctx context.Context, change inbox.Change) (*inbox.ConditionFailed, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	receipt, exists := s.receipts[change.Receipt.Key]
	stored := s.payouts[change.Record.ID]
	failed := inbox.ConditionFailed{
		ReceiptState:  receipt.State,
		ReceiptFailed: change.Create == exists || exists && receipt.State != inbox.Received,
		Payout:        stored,
		RecordFailed:  stored.Record.Version != change.ExpectedVersion,
	}
	if failed.ReceiptFailed || failed.RecordFailed {
		return &failed, nil
	}
	if change.Record.Version != change.ExpectedVersion+1 || change.Receipt.State != inbox.Applied {
		panic(fmt.Sprintf("memory: change to %s does not add one statement", change.Record.ID))
	}
	if exists {
		// Body and time of the first delivery stay.
		receipt.State, receipt.Outcome, receipt.AppliedAt = inbox.Applied, change.Receipt.Outcome, change.Receipt.AppliedAt
		receipt.DueAt = time.Time{}
		s.put(receipt)
	} else {
		s.put(change.Receipt)
	}
	s.putPayout(inbox.PayoutItem{Record: change.Record, Schedule: change.Schedule})
	return nil, nil
}

// Due implements inbox.Store.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]inbox.DueReceipt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var receipts []inbox.DueReceipt
	for _, entry := range s.firstDue(func(dueAt time.Time) bool { return !dueAt.After(now) }, limit+len(s.damage.indexMismatch)) {
		if !s.damage.indexMismatch[entry.key] {
			receipts = append(receipts, inbox.DueReceipt{Key: entry.key, DueAt: entry.at, AcceptedAt: s.receipts[entry.key].AcceptedAt})
		}
	}
	return receipts[:min(limit, len(receipts))], nil
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
	heap.Push(&s.claimed, indexEntry{receipt.AcceptedAt, receipt.Key})
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
	keys := slices.SortedFunc(maps.Keys(s.receipts), inbox.Key.Compare)
	all := make([]inbox.Receipt, len(keys))
	for i, key := range keys {
		all[i] = s.receipts[key]
	}
	return all
}

// NextDue returns the earliest due time of the received receipts, and false if no
// receipt is received.
func (s *Store) NextDue() (next time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, entry := range s.firstDue(func(time.Time) bool { return true }, 1) {
		return entry.at, true
	}
	return time.Time{}, false
}

// Record returns the record of a payout, zero if the payout does not exist.
func (s *Store) Record(id payout.ID) payout.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.payouts[id].Record
}

// Schedule returns the schedule of a payout, zero if the payout does not exist.
func (s *Store) Schedule(id payout.ID) inbox.Schedule {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.payouts[id].Schedule
}

// Schedules returns the schedules of all payouts.
func (s *Store) Schedules() map[payout.ID]inbox.Schedule {
	s.mu.Lock()
	defer s.mu.Unlock()
	schedules := make(map[payout.ID]inbox.Schedule, len(s.payouts))
	for id, stored := range s.payouts {
		schedules[id] = stored.Schedule
	}
	return schedules
}

// Records returns all payouts, ordered by ID.
func (s *Store) Records() []payout.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := slices.Sorted(maps.Keys(s.payouts))
	all := make([]payout.Record, len(ids))
	for i, id := range ids {
		all[i] = s.payouts[id].Record
	}
	return all
}

// DeleteReceipt deletes a receipt, as a person may do by hand.
func (s *Store) DeleteReceipt(key inbox.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.receipts, key)
}

// put writes a receipt; s.mu is held.
func (s *Store) put(receipt inbox.Receipt) {
	if !receipt.HasValidKey() {
		panic(fmt.Sprintf("memory: receipt %v has a key that does not follow from its content", receipt.Key))
	}
	if s.receipts == nil {
		s.receipts = map[inbox.Key]inbox.Receipt{}
	}
	s.receipts[receipt.Key] = receipt
	switch {
	case receipt.State == inbox.Received:
		heap.Push(&s.due, indexEntry{receipt.DueAt, receipt.Key})
	case receipt.State == inbox.Held && !receipt.Query.At.IsZero():
		heap.Push(&s.held, indexEntry{receipt.Query.At, receipt.Key})
	}
}
