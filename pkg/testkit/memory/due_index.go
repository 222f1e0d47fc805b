package memory

import (
	"cmp"
	"container/heap"
	"time"

	"payout-callbacks/pkg/inbox"
)

// dueIndex is a heap of receipts by time, as the index `unapplied` is on AWS, so that
// listing receipts does not slow down with their number. An entry is added whenever a
// receipt is written as received, and is stale once the receipt was written again;
// readers drop stale entries.
type dueIndex []indexEntry

type indexEntry struct {
	at  time.Time
	key inbox.Key
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

// firstDue returns up to limit received receipts whose due time isDue accepts, the
// earliest due first; s.mu is held.
func (s *Store) firstDue(isDue func(dueAt time.Time) bool, limit int) []indexEntry {
	var entries []indexEntry
	for len(entries) < limit && len(s.due) > 0 && isDue(s.due[0].at) {
		entry := heap.Pop(&s.due).(indexEntry) //nolint:forcetypeassert // the index holds nothing else
		receipt := s.receipts[entry.key]
		isDuplicate := len(entries) > 0 && entries[len(entries)-1].compare(entry) == 0
		if receipt.State == inbox.Received && receipt.DueAt.Equal(entry.at) && !isDuplicate {
			entries = append(entries, entry)
		}
	}
	for _, entry := range entries {
		heap.Push(&s.due, entry)
	}
	return entries
}
