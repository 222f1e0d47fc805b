package simulation

import (
	"fmt"
	"strings"
)

// Without names what a history is played without, to find out what it takes to fail.
type Disable uint16

// What a history can do without.
const (
	Faults     Disable = 1 << iota // single calls that go wrong
	Outages                        // of a store, for a while
	Overlaps                       // two processes at once
	Repeats                        // duplicates and re-pushes
	Forgeries                      // callbacks of somebody else
	Rotation                       // of keys
	Skew                           // clocks that are wrong
	Companions                     // all payouts but one

	everything = Companions<<1 - 1
)

var names = []string{"faults", "outages", "overlaps", "repeats", "forgeries", "rotation", "skew", "companions"}

// String lists what is left out.
func (w Disable) String() string {
	var left []string
	for n, name := range names {
		if w&(1<<n) != 0 {
			left = append(left, name)
		}
	}
	return strings.Join(left, ", ")
}

// Tally is what histories were made of.
type Tally struct {
	Histories, Steps, Calls, Faults, Callbacks, Acknowledged, Forged, Conflicts int

	// Recoveries: acknowledged by one store alone, sent again by the sweeper,
	// and taken out of the dead letters.
	StoreOnly, QueueOnly, Resent, Recovered int
}

// Add adds another tally.
func (t *Tally) Add(other Tally) {
	t.Histories += other.Histories
	t.Steps += other.Steps
	t.Calls += other.Calls
	t.Faults += other.Faults
	t.Callbacks += other.Callbacks
	t.Acknowledged += other.Acknowledged
	t.Forged += other.Forged
	t.Conflicts += other.Conflicts
	t.StoreOnly += other.StoreOnly
	t.QueueOnly += other.QueueOnly
	t.Resent += other.Resent
	t.Recovered += other.Recovered
}

// Failure is a history in which something that was promised did not hold.
type Failure struct {
	Seed     uint64
	Disabled Disable // what could be left out of it
	Wrong    []string
	Steps    string // what happened, step by step, and what was there in the end
}

// Tell tells the failure from its beginning.
func (f *Failure) Write() string {
	return fmt.Sprintf("history %d, even without %s:\n%s\n\n%s\nAgain: make simulate N=1 SEED=%d",
		f.Seed, f.Disabled, f.Steps, strings.Join(f.Wrong, "\n"), f.Seed)
}

// Play plays the history of a seed. One that fails is played again without one
// thing after another, as long as it still fails, and that is what is told.
func Play(seed uint64) (Tally, *Failure) {
	w := newWorld(seed, 0)
	w.run()
	if len(w.wrong) == 0 {
		return w.tally, nil
	}
	var left Disable
	for disable := Disable(1); disable&everything != 0; disable <<= 1 {
		shorter := newWorld(seed, left|disable)
		shorter.run()
		if len(shorter.wrong) > 0 {
			left |= disable
		}
	}
	item := newWorld(seed, left)
	item.narrating = true
	item.run()
	return w.tally, &Failure{Seed: seed, Disabled: left, Wrong: item.wrong, Steps: item.steps.String() + "\n" + item.state().Dump()}
}
