package memory

import (
	"cmp"
	"container/heap"
	"time"

	"payout-callbacks/pkg/inbox"
)

// waiting is what the index `unapplied` is on AWS: receipts by when they are
// due (and `claimed`, by when they were accepted), so that finding some does not take longer the more there are. An entry
// is put down whenever a receipt is written as received, and is out of date
// once that was written again; whoever meets one like that drops it.
type waiting []waits

type waits struct {
	at  time.Time
	key inbox.Key
}

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (w *waiting) Len() int           { return len(*w) }
func (w *waiting) Less(i, j int) bool { return (*w)[i].compare((*w)[j]) < 0 }
func (w *waiting) Swap(i, j int)      { (*w)[i], (*w)[j] = (*w)[j], (*w)[i] }

// Push adds an entry; heap.Push is what is to be called.
func (w *waiting) Push(entry any) { *w = append(*w, entry.(waits)) } //nolint:forcetypeassert // ours alone

// Pop removes the last entry; heap.Pop is what is to be called.
func (w *waiting) Pop() any {
	last := len(*w) - 1
	entry := (*w)[last]
	*w = (*w)[:last]
	return entry
}

func (e waits) compare(other waits) int {
	return cmp.Or(e.at.Compare(other.at), e.key.Compare(other.key))
}

// firstWaiting returns up to most receipts in state received that are due by
// then, those due for the longest first; s.mu is held.
func (s *Store) firstWaiting(by func(at time.Time) bool, most int) []waits {
	var items []waits
	for len(items) < most && len(s.waiting) > 0 && by(s.waiting[0].at) {
		entry := heap.Pop(&s.waiting).(waits) //nolint:forcetypeassert // ours alone
		receipt := s.receipts[entry.key]
		twice := len(items) > 0 && items[len(items)-1].compare(entry) == 0
		if receipt.State == inbox.Received && receipt.DueAt.Equal(entry.at) && !twice {
			items = append(items, entry)
		}
	}
	for _, entry := range items {
		heap.Push(&s.waiting, entry)
	}
	return items
}
