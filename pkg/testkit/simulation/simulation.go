package simulation

import (
	"fmt"
	"strings"
)

// Disable names features of a history that are left out, to find out which ones a failure needs.
type Disable uint16

// The features that can be left out.
const (
	Faults       Disable = 1 << iota // of single calls
	Outages                          // of a service, for a while
	Overlaps                         // of processes
	Repeats                          // of acknowledged callbacks
	Forgeries                        // forged callbacks
	Rotation                         // of keys
	Skew                             // of clocks
	Companions                       // payouts beside the first
	Expectations                     // of our own service
	Losses                           // of callbacks
	BadAnswers                       // of the providers' APIs, and keys that they refuse

	everything = BadAnswers<<1 - 1
)

var names = []string{"faults", "outages", "overlaps", "repeats", "forgeries", "rotation", "skew", "companions", "expectations", "losses", "bad answers"}

// String lists the features that are left out.
func (d Disable) String() string {
	var left []string
	for n, name := range names {
		if d&(1<<n) != 0 {
			left = append(left, name)
		}
	}
	return strings.Join(left, ", ")
}

// Tally counts what happened in histories.
type Tally struct {
	Histories, Steps, Calls, Faults, Callbacks, Acknowledged, Forged, Conflicts int

	// Receipts that were accepted by one of store and queue only, sent again by
	// the sweeper, and recovered from the dead-letter queue.
	StoreOnly, QueueOnly, Resent, Recovered int

	// Expectations that were answered, callbacks that were never sent, queries, payouts
	// that a query confirmed or made overdue, and held callbacks that one closed.
	Expected, Lost, Queries, Confirmed, Overdue, Answered int
}

// Add adds the counts of another tally.
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
	t.Expected += other.Expected
	t.Lost += other.Lost
	t.Queries += other.Queries
	t.Confirmed += other.Confirmed
	t.Overdue += other.Overdue
	t.Answered += other.Answered
}

// Failure is a history that broke an invariant.
type Failure struct {
	Seed     uint64
	Disabled Disable // features without which it fails as well
	Wrong    []string
	Steps    string // what happened, step by step, and the final state
}

// String describes the failure step by step.
func (f *Failure) String() string {
	return fmt.Sprintf("history %d, without %s:\n%s\n\n%s\nrepeat it: make simulate N=1 SEED=%d",
		f.Seed, f.Disabled, f.Steps, strings.Join(f.Wrong, "\n"), f.Seed)
}

// Play plays the history of a seed. A history that fails is played again with
// one feature after another left out, and the failure is that of the shortest
// history that still fails.
func Play(seed uint64) (Tally, *Failure) {
	w := newWorld(seed, 0)
	w.run()
	if len(w.wrong) == 0 {
		return w.tally, nil
	}
	var disabled Disable
	for disable := Disable(1); disable&everything != 0; disable <<= 1 {
		shorter := newWorld(seed, disabled|disable)
		shorter.run()
		if len(shorter.wrong) > 0 {
			disabled |= disable
		}
	}
	shortest := newWorld(seed, disabled)
	shortest.writesSteps = true
	shortest.run()
	return w.tally, &Failure{Seed: seed, Disabled: disabled, Wrong: shortest.wrong, Steps: shortest.steps.String() + "\n" + shortest.state().Dump()}
}
