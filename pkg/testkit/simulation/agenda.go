package simulation

import (
	"cmp"
	"slices"
	"time"
)

// agenda is what is to be done, the next first; what has one time is done in
// the order in which it was put down.
type agenda struct {
	entries []entry
	count   int
}

type entry struct {
	at    time.Time
	place int
	act   func()
}

func (a *agenda) push(at time.Time, act func()) {
	a.count++
	item := entry{at: at, place: a.count, act: act}
	where, _ := slices.BinarySearchFunc(a.entries, item, func(e, other entry) int {
		return cmp.Or(e.at.Compare(other.at), cmp.Compare(e.place, other.place))
	})
	a.entries = slices.Insert(a.entries, where, item)
}

func (a *agenda) pop() entry {
	next := a.entries[0]
	a.entries = slices.Delete(a.entries, 0, 1)
	return next
}
