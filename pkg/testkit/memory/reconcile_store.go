package memory

import (
	"container/heap"
	"context"
	"math"
	"slices"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// The methods in this file implement reconcile.Store.

var _ reconcile.Store = (*Store)(nil)

// DueQueries implements reconcile.Store.
func (s *Store) DueQueries(ctx context.Context, now time.Time, limit int) ([]reconcile.DueQuery, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []reconcile.DueQuery
	for _, entry := range s.queries.first(func(at time.Time) bool { return !at.After(now) }, s.isQueryScheduled, math.MaxInt) {
		id := payout.ID(entry.key.Payout)
		due = append(due, reconcile.DueQuery{ID: id, At: entry.at, Confirms: s.payouts[id].Schedule.Confirms})
	}
	return reconcile.LimitDue(due, limit), nil
}

// NextQuery returns the earliest time at which the query of a payout or of a held callback
// is due, and false if none is scheduled.
func (s *Store) NextQuery() (next time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	always := func(time.Time) bool { return true }
	entries := slices.Concat(s.queries.first(always, s.isQueryScheduled, 1), s.held.first(always, s.isHeldScheduled, 1))
	for _, entry := range entries {
		if !ok || entry.at.Before(next) {
			next, ok = entry.at, true
		}
	}
	return next, ok
}

func (s *Store) isQueryScheduled(entry indexEntry) bool {
	return s.payouts[payout.ID(entry.key.Payout)].Schedule.At.Equal(entry.at)
}

func (s *Store) isHeldScheduled(entry indexEntry) bool {
	receipt := s.receipts[entry.key]
	return receipt.State == inbox.Held && receipt.Query.At.Equal(entry.at)
}

// ClaimQuery implements reconcile.Store.
func (s *Store) ClaimQuery(ctx context.Context, due reconcile.DueQuery, next inbox.Schedule) (inbox.PayoutItem, bool, error) {
	if err := ctx.Err(); err != nil {
		return inbox.PayoutItem{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, ok := s.payouts[due.ID]
	if !ok || !stored.Schedule.At.Equal(due.At) || stored.Schedule.Confirms != due.Confirms {
		return inbox.PayoutItem{}, false, nil
	}
	stored.Schedule = next
	s.putPayout(stored)
	if s.damage.records[due.ID] {
		return inbox.PayoutItem{Record: payout.Record{ID: due.ID}, Schedule: next}, false, inbox.ErrDamagedPayout
	}
	return stored, true, nil
}

// FinishQuery implements reconcile.Store.
func (s *Store) FinishQuery(ctx context.Context, id payout.ID, claimed, next inbox.Schedule) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if stored, ok := s.payouts[id]; ok && isClaimed(stored.Schedule, claimed) {
		stored.Schedule = next
		s.putPayout(stored)
	}
	return nil
}

// isClaimed reports whether a schedule is the claimed one: a change of the payout starts
// the tries again, even if it leaves the time.
func isClaimed(schedule, claimed inbox.Schedule) bool {
	return schedule.At.Equal(claimed.At) && schedule.Tries == claimed.Tries && schedule.Confirms == claimed.Confirms
}

// ByReference implements reconcile.Store.
func (s *Store) ByReference(ctx context.Context, reference string) ([]payout.ID, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var ids []payout.ID
	for _, record := range s.Records() {
		if record.Value(payout.FieldReference) == reference {
			ids = append(ids, record.ID)
		}
	}
	return ids, nil
}

// DueHeld implements reconcile.Store.
func (s *Store) DueHeld(ctx context.Context, now time.Time, limit int) ([]reconcile.DueHeld, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []reconcile.DueHeld
	for _, entry := range s.held.first(func(at time.Time) bool { return !at.After(now) }, s.isHeldScheduled, limit) {
		due = append(due, reconcile.DueHeld{Key: entry.key, At: entry.at, AcceptedAt: s.receipts[entry.key].AcceptedAt})
	}
	return due, nil
}

// ClaimHeld implements reconcile.Store.
func (s *Store) ClaimHeld(ctx context.Context, due reconcile.DueHeld, next inbox.Schedule) (inbox.Receipt, bool, error) {
	if err := ctx.Err(); err != nil {
		return inbox.Receipt{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	receipt := s.receipts[due.Key]
	if receipt.State != inbox.Held || !receipt.Query.At.Equal(due.At) {
		return inbox.Receipt{}, false, nil
	}
	receipt.Query = next
	s.put(receipt)
	if s.damage.receipts[due.Key] {
		return inbox.Receipt{Key: due.Key, State: receipt.State}, false, inbox.ErrDamagedReceipt
	}
	return receipt, true, nil
}

// FinishHeld implements reconcile.Store.
func (s *Store) FinishHeld(ctx context.Context, key inbox.Key, claimed, next inbox.Schedule) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if receipt := s.receipts[key]; receipt.State == inbox.Held && isClaimed(receipt.Query, claimed) {
		receipt.Query = next
		s.put(receipt)
	}
	return nil
}

// AnswerHeld implements reconcile.Store.
func (s *Store) AnswerHeld(ctx context.Context, key, answer inbox.Key, by inbox.ChangedBy) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	receipt := s.receipts[key]
	if receipt.State != inbox.Held {
		return false, nil
	}
	receipt.State, receipt.ReleasedAs, receipt.ChangedBy = inbox.Answered, answer, by
	receipt.Query = inbox.Schedule{}
	s.put(receipt)
	return true, nil
}

// putPayout writes a payout; s.mu is held.
func (s *Store) putPayout(stored inbox.PayoutItem) {
	if s.payouts == nil {
		s.payouts = map[payout.ID]inbox.PayoutItem{}
	}
	s.payouts[stored.Record.ID] = stored
	if !stored.Schedule.At.IsZero() {
		heap.Push(&s.queries, indexEntry{stored.Schedule.At, inbox.Key{Payout: string(stored.Record.ID)}})
	}
}
