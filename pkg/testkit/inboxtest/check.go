package inboxtest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// State is everything that is stored and queued at one moment.
type State struct {
	Receipts []inbox.Receipt
	Records  []payout.Record
	Queued   []inbox.Receipt // dead letters included

	// Told is what those who may tell us something have told so far, and the
	// bodies in which they did; "" for a person's decision. Nil where the test
	// does not know: then nothing is said about forgeries.
	Delivered map[inbox.Key][]string
}

// Check returns what is wrong with a state, given the receipts that were
// acknowledged. settled says that faults have stopped, the queue was drained
// and the sweeper had time: then nothing may be left to do.
func Check(state State, acknowledged []inbox.Key, settled bool) []string {
	return new(Checker).Check(state, acknowledged, settled)
}

// Checker is Check for a test that looks at many states: it works a payout out
// of a set of receipts once. The zero Checker is ready; it is not safe for
// concurrent use.
type Checker struct {
	folds map[string]fold // by the applied receipts of a payout
}

// fold is what a payout must be, and what is wrong with that by the plain rule
// for finals.
type fold struct {
	record payout.Record
	wrong  string
}

// Check is what the function of that name does.
func (r *Checker) Check(state State, acknowledged []inbox.Key, settled bool) []string {
	c := &check{state: state, stored: keysOf(state.Receipts), queued: keysOf(state.Queued)}
	for _, key := range acknowledged {
		if !c.stored[key] && !c.queued[key] {
			c.complainf("I1, I7: receipt %v was acknowledged and is neither stored nor queued", key)
		}
	}
	c.checkFolds(r)
	if state.Delivered != nil {
		c.checkOrigin()
	}
	if settled {
		c.checkSettled(acknowledged)
	}
	return c.wrong
}

type check struct {
	state          State
	stored, queued map[inbox.Key]bool
	wrong          []string
}

func keysOf(receipts []inbox.Receipt) map[inbox.Key]bool {
	keys := make(map[inbox.Key]bool, len(receipts))
	for _, receipt := range receipts {
		keys[receipt.Key] = true
	}
	return keys
}

func (c *check) complainf(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// checkFolds compares each record with the fold of its applied receipts. A
// receipt applied twice shows as a version that is too great.
func (c *check) checkFolds(r *Checker) {
	applied := map[payout.ID][]inbox.Receipt{}
	for _, receipt := range c.state.Receipts {
		if receipt.State == inbox.Applied {
			id := payout.ID(receipt.Key.Payout)
			applied[id] = append(applied[id], receipt)
		}
	}
	for _, record := range c.state.Records {
		want := r.fold(applied[record.ID])
		delete(applied, record.ID)
		// DeepEqual is quick, and right whenever it says yes; Diff has the last word.
		if !reflect.DeepEqual(want.record, record) {
			if diff := cmp.Diff(want.record, record, same); diff != "" {
				c.complainf("I2, I4: payout %s is not the fold of its applied receipts:\n%s", record.ID, diff)
			}
		}
		if want.wrong != "" {
			c.complainf("%s", want.wrong)
		}
	}
	for id := range applied {
		c.complainf("I4: payout %s has applied receipts and no record", id)
	}
}

// fold folds the applied receipts of one payout, in an order of its own: the
// record must not depend on it (I5).
func (r *Checker) fold(applied []inbox.Receipt) fold {
	var name strings.Builder
	for _, receipt := range applied {
		// The key names the whole meaning, so that it can stand for it.
		name.WriteString(receipt.Key.Payout + " " + receipt.Key.Receipt + "\n")
	}
	if known, ok := r.folds[name.String()]; ok {
		return known
	}
	var f fold
	for _, receipt := range slices.Backward(applied) {
		if receipt.Resolution != nil {
			f.record, _ = f.record.Resolve(*receipt.Resolution)
			continue
		}
		f.record, _ = f.record.Apply(receipt.Event)
	}
	f.wrong = checkFinals(f.record, applied)
	if r.folds == nil {
		r.folds = map[string]fold{}
	}
	r.folds[name.String()] = f
	return f
}

// checkFinals works out a payout's status a second time, in the plainest way
// and not by the merge law: from the finals that were applied to it.
func checkFinals(record payout.Record, applied []inbox.Receipt) string {
	var finals []payout.Status
	var rejected []string
	for _, receipt := range applied {
		switch {
		case receipt.Resolution != nil && len(receipt.Resolution.Replaces) > 0, record.ID.Type() == payout.TypeBatch:
			return "" // who replaced whom, and what totals say, is the law's to tell
		case receipt.Resolution != nil:
			rejected = append(rejected, receipt.Resolution.Rejected[payout.FieldStatus]...)
		case receipt.Event.Status.IsFinal() && !slices.Contains(finals, receipt.Event.Status):
			finals = append(finals, receipt.Event.Status)
		}
	}
	live := slices.DeleteFunc(slices.Clone(finals), func(s payout.Status) bool { return slices.Contains(rejected, string(s)) })
	shown := record.Status()
	if len(finals) == 0 || shown == payout.Conflicted || len(live) == 1 && shown == live[0] {
		return ""
	}
	return fmt.Sprintf("I8: payout %s shows %s though it was told %v, of which %v stand", record.ID, shown, finals, live)
}

// checkOrigin holds every receipt, stored or queued, to what was told: its
// meaning, and a body in which that was told.
func (c *check) checkOrigin() {
	for _, receipt := range slices.Concat(c.state.Receipts, c.state.Queued) {
		bodies, ok := c.state.Delivered[receipt.Key]
		switch {
		case !ok:
			c.complainf("I6: receipt %v is of nothing that anybody authentic told", receipt.Key)
		case !slices.Contains(bodies, string(receipt.Body)):
			c.complainf("I7: receipt %v has lost its body, or has another one's", receipt.Key)
		}
	}
	for _, record := range c.state.Records {
		if record.Version == 0 {
			c.complainf("I6: payout %s has a record of nothing", record.ID)
		}
	}
}

func (c *check) checkSettled(acknowledged []inbox.Key) {
	for _, receipt := range c.state.Receipts {
		if receipt.State == inbox.Received {
			c.complainf("I3: receipt %v was never applied", receipt.Key)
		}
	}
	for _, key := range acknowledged {
		if !c.stored[key] {
			c.complainf("I3: receipt %v is only in the queue", key)
		}
	}
}

// Story tells the state in lines, for the message of a failing test.
func (s State) Dump() string {
	var builder strings.Builder
	for _, receipt := range s.Receipts {
		fmt.Fprintf(&builder, "receipt %s %s is %s %s\n", receipt.Key.Payout, receipt.Key.Receipt, receipt.State, receipt.Outcome)
	}
	for _, record := range s.Records {
		fmt.Fprintf(&builder, "payout %s is %s at version %d\n", record.ID, record.Status(), record.Version)
	}
	for _, receipt := range s.Queued {
		fmt.Fprintf(&builder, "queued %s %s\n", receipt.Key.Payout, receipt.Key.Receipt)
	}
	return builder.String()
}
