package memory

import (
	"cmp"
	"container/heap"
	"time"

	"payout-callbacks/pkg/inbox"
)

// dueIndex is a heap of receipts or payouts by time, as the indexes `unapplied` and
// `queries` are on AWS, so that listing does not slow down with their number. An entry is
// added whenever an item is written that belongs in the index, and is stale once the item
// was written again; readers drop stale entries.
type dueIndex []indexEntry

type indexEntry struct {
	at  time.Time
	key inbox.Key // of a payout: its ID without a receipt
}

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (d *dueIndex) Len() int           { return len(*d) }
func (d *dueIndex) Less(i, j int) bool { return (*d)[i].compare((*d)[j]) < 0 }
func (d *dueIndex) Swap(i, j int)      { (*d)[i], (*d)[j] = (*d)[j], (*d)[i] }

// Push appends an entry, for heap.Push.
func (d *dueIndex) Push(entry any) { *d = append(*d, entry.(indexEntry)) } //nolint:forcetypeassert // only heap.Push calls it

// Pop removes the last entry, for heap.Pop.
func (d *dueIndex) Pop() any {
	last := len(*d) - 1
	entry := (*d)[last]
	*d = (*d)[:last]
	return entry
}

func (e indexEntry) compare(other indexEntry) int {
	return cmp.Or(e.at.Compare(other.at), e.key.Compare(other.key))
}

// first returns up to limit entries whose time isDue accepts, the earliest first, and
// drops those that isCurrent rejects.
func (d *dueIndex) first(isDue func(at time.Time) bool, isCurrent func(entry indexEntry) bool, limit int) []indexEntry {
	var entries []indexEntry
	for len(entries) < limit && len(*d) > 0 && isDue((*d)[0].at) {
		entry := heap.Pop(d).(indexEntry) //nolint:forcetypeassert // the index holds nothing else
		isDuplicate := len(entries) > 0 && entries[len(entries)-1].compare(entry) == 0
		if isCurrent(entry) && !isDuplicate {
			entries = append(entries, entry)
		}
	}
	for _, entry := range entries {
		heap.Push(d, entry)
	}
	return entries
}

// firstDue returns up to limit received receipts whose due time isDue accepts, the
// earliest due first; s.mu is held.
func (s *Store) firstDue(isDue func(dueAt time.Time) bool, limit int) []indexEntry {
	return s.due.first(isDue, func(entry indexEntry) bool {
		receipt := s.receipts[entry.key]
		return receipt.State == inbox.Received && receipt.DueAt.Equal(entry.at)
	}, limit)
}
