package memory

import (
	"context"
	"fmt"
	"iter"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// The methods in this file implement repair.Store and audit.Source.

// damage lists what tests have damaged on purpose.
type damage struct {
	indexMismatch map[inbox.Key]bool
	receipts      map[inbox.Key]bool
	records       map[payout.ID]bool
}

// CorruptIndex removes a received receipt from the index, or adds another one to it.
func (s *Store) CorruptIndex(key inbox.Key) {
	s.corrupt(func(d *damage) { d.indexMismatch[key] = true })
}

// CorruptReceipt makes a receipt unreadable.
func (s *Store) CorruptReceipt(key inbox.Key) { s.corrupt(func(d *damage) { d.receipts[key] = true }) }

// CorruptRecord makes a payout unreadable.
func (s *Store) CorruptRecord(id payout.ID) { s.corrupt(func(d *damage) { d.records[id] = true }) }

// Overwrite writes receipts and records without a condition.
func (s *Store) Overwrite(receipts []inbox.Receipt, records []payout.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, receipt := range receipts {
		s.put(receipt)
	}
	for _, record := range records {
		s.putPayout(inbox.PayoutItem{Record: record, Schedule: s.payouts[record.ID].Schedule})
	}
}

// DeleteRecord deletes a payout.
func (s *Store) DeleteRecord(id payout.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.payouts, id)
}

func (s *Store) corrupt(edit func(d *damage)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.damage.indexMismatch == nil {
		s.damage = damage{map[inbox.Key]bool{}, map[inbox.Key]bool{}, map[payout.ID]bool{}}
	}
	edit(&s.damage)
}

// Receipt implements repair.Store.
func (s *Store) Receipt(ctx context.Context, key inbox.Key) (inbox.Receipt, bool, error) {
	if err := ctx.Err(); err != nil {
		return inbox.Receipt{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	receipt, ok := s.receipts[key]
	if s.damage.receipts[key] {
		return inbox.Receipt{Key: key, State: receipt.State}, ok, inbox.ErrDamagedReceipt
	}
	return receipt, ok, nil
}

// ReceiptsOf implements repair.Store.
func (s *Store) ReceiptsOf(ctx context.Context, id payout.ID) iter.Seq2[inbox.Receipt, error] {
	return func(yield func(inbox.Receipt, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(inbox.Receipt{}, err)
			return
		}
		for _, receipt := range s.Receipts() {
			if receipt.Key.Payout != string(id) {
				continue
			}
			if !yield(s.read(receipt)) {
				return
			}
		}
	}
}

// ScanReceipts implements audit.Source.
func (s *Store) ScanReceipts(_ context.Context, from, to time.Time) iter.Seq2[inbox.Receipt, error] {
	return func(yield func(inbox.Receipt, error) bool) {
		for _, receipt := range s.Receipts() {
			if receipt.AcceptedAt.Before(from) || !to.IsZero() && !receipt.AcceptedAt.Before(to) {
				continue
			}
			receipt, err := s.read(receipt)
			if err == nil && s.hasIndexMismatch(receipt.Key) {
				err = inbox.ErrIndexMismatch
			}
			if !yield(receipt, err) {
				return
			}
		}
	}
}

func (s *Store) read(receipt inbox.Receipt) (inbox.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.damage.receipts[receipt.Key] {
		return inbox.Receipt{Key: receipt.Key, State: receipt.State, AcceptedAt: receipt.AcceptedAt}, inbox.ErrDamagedReceipt
	}
	return receipt, nil
}

func (s *Store) hasIndexMismatch(key inbox.Key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.damage.indexMismatch[key]
}

// ScanPayouts implements audit.Source. It yields all payouts, since the store does not
// know when a payout was updated.
func (s *Store) ScanPayouts(ctx context.Context, _ time.Time) iter.Seq2[inbox.StoredPayout, error] {
	return func(yield func(inbox.StoredPayout, error) bool) {
		for _, record := range s.Records() {
			if !yield(s.StoredPayout(ctx, record.ID)) {
				return
			}
		}
	}
}

// StoredPayout implements repair.Store.
func (s *Store) StoredPayout(ctx context.Context, id payout.ID) (inbox.StoredPayout, error) {
	if err := ctx.Err(); err != nil {
		return inbox.StoredPayout{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, exists := s.payouts[id]
	record := stored.Record
	record.ID = id
	storedPayout := inbox.StoredPayout{Record: record, Schedule: stored.Schedule, Exists: exists, ReadVersion: record.Version}
	if s.damage.records[id] {
		storedPayout.Record, storedPayout.Damage = payout.Record{ID: id}, inbox.ErrDamagedPayout
	}
	return storedPayout, nil
}

// Close implements repair.Store.
func (s *Store) Close(ctx context.Context, closed inbox.Receipt) (inbox.State, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if closed.State != inbox.Released && closed.State != inbox.Dismissed {
		panic("memory: close of a held receipt with state " + closed.State)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	receipt, exists := s.receipts[closed.Key]
	if !exists {
		return "", nil
	}
	before := receipt.State
	if before == inbox.Held || before == inbox.Dismissed && closed.State == inbox.Released {
		receipt.State, receipt.ReleasedAs, receipt.ChangedBy = closed.State, closed.ReleasedAs, closed.ChangedBy
		receipt.Query = inbox.Schedule{}
		s.put(receipt)
		delete(s.damage.indexMismatch, receipt.Key)
	}
	return before, nil
}

// Rewrite implements repair.Store.
func (s *Store) Rewrite(ctx context.Context, record payout.Record, read inbox.StoredPayout, changedBy inbox.ChangedBy) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	current, exists := s.payouts[record.ID]
	version, ok := read.ReadVersion.(int64)
	if !ok {
		panic(fmt.Sprintf("memory: payout %s was not read from this store", record.ID))
	}
	if exists != read.Exists || current.Record.Version != version {
		return false, nil
	}
	s.putPayout(inbox.PayoutItem{Record: record, Schedule: read.Schedule.Rebuilt(record, changedBy.At)})
	delete(s.damage.records, record.ID)
	return true, nil
}

// Reindex implements repair.Store.
func (s *Store) Reindex(ctx context.Context, key inbox.Key, now time.Time) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	receipt, exists := s.receipts[key]
	if !exists || !s.damage.indexMismatch[key] {
		return false, nil
	}
	delete(s.damage.indexMismatch, key)
	if receipt.State == inbox.Received {
		receipt.DueAt = now.UTC().Truncate(time.Millisecond)
		s.put(receipt)
	}
	return true, nil
}
