package simulation

import (
	"cmp"
	"slices"
	"time"
)

// agenda holds what is planned, the earliest first. Entries of one time keep
// the order in which they were added.
type agenda struct {
	entries []entry
	count   int
}

type entry struct {
	at       time.Time
	position int
	act      func()
}

func (a *agenda) push(at time.Time, act func()) {
	a.count++
	added := entry{at: at, position: a.count, act: act}
	index, _ := slices.BinarySearchFunc(a.entries, added, func(e, other entry) int {
		return cmp.Or(e.at.Compare(other.at), cmp.Compare(e.position, other.position))
	})
	a.entries = slices.Insert(a.entries, index, added)
}

func (a *agenda) pop() entry {
	next := a.entries[0]
	a.entries = slices.Delete(a.entries, 0, 1)
	return next
}
