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

	// Delivered lists the receipts that verified senders have sent so far, with the
	// bodies of their callbacks; "" for a resolution. It also lists what other sources may
	// state: answers, expectations, and the reconciler's statements. If it is nil, Check does
	// not look for forgeries.
	Delivered map[inbox.Key][]string

	// Schedules has the schedule of each payout, and Queries the mode of each provider. If
	// Schedules is nil, Check does not look at schedules.
	Schedules map[payout.ID]inbox.Schedule
	Queries   map[string]inbox.QueryMode
}

// Check returns the invariants that a state violates, given the receipts that were
// acknowledged. settled says that faults have stopped, the queue was drained and the
// sweeper has run: then no receipt may be left unapplied.
func Check(state State, acknowledged []inbox.Key, settled bool) []string {
	return new(Checker).Check(state, acknowledged, settled)
}

// Checker is Check for a test that checks many states: it merges each set of receipts
// only once. The zero Checker is ready; it is not safe for concurrent use.
type Checker struct {
	folds map[string]fold // by the applied receipts of a payout
}

// fold is the expected record of a payout, and how it violates the rule for final
// statuses ("" if it does not).
type fold struct {
	record    payout.Record
	violation string
}

// Check does the same as the function [Check].
func (r *Checker) Check(state State, acknowledged []inbox.Key, settled bool) []string {
	c := &check{state: state, stored: keySet(state.Receipts), queued: keySet(state.Queued)}
	for _, key := range acknowledged {
		if !c.stored[key] && !c.queued[key] {
			c.failf("I1, I7: receipt %v was acknowledged and is neither stored nor queued", key)
		}
	}
	c.checkFolds(r)
	c.checkReconciled(settled)
	if state.Delivered != nil {
		c.checkOrigin()
	}
	if settled {
		c.checkSettled(acknowledged)
	}
	return c.violations
}

type check struct {
	state          State
	stored, queued map[inbox.Key]bool
	violations     []string
}

func keySet(receipts []inbox.Receipt) map[inbox.Key]bool {
	keys := make(map[inbox.Key]bool, len(receipts))
	for i := range receipts {
		keys[receipts[i].Key] = true
	}
	return keys
}

func (c *check) failf(format string, args ...any) {
	c.violations = append(c.violations, fmt.Sprintf(format, args...))
}

// checkFolds compares each record with the fold of its applied receipts. If a receipt
// was applied twice, the version is too great.
func (c *check) checkFolds(r *Checker) {
	applied := map[payout.ID][]*inbox.Receipt{}
	for i := range c.state.Receipts {
		if receipt := &c.state.Receipts[i]; receipt.State == inbox.Applied {
			id := payout.ID(receipt.Key.Payout)
			applied[id] = append(applied[id], receipt)
		}
	}
	for _, record := range c.state.Records {
		want := r.fold(applied[record.ID])
		delete(applied, record.ID)
		// DeepEqual is fast, but distinguishes empty from nil; Diff decides.
		if !reflect.DeepEqual(want.record, record) {
			if diff := cmp.Diff(want.record, record, same); diff != "" {
				c.failf("I2, I4: payout %s is not the fold of its applied receipts:\n%s", record.ID, diff)
			}
		}
		if want.violation != "" {
			c.failf("%s", want.violation)
		}
	}
	for id := range applied {
		c.failf("I4: payout %s has applied receipts but no record", id)
	}
}

// fold merges the applied receipts of one payout, in reverse order: the record must not
// depend on the order (I5).
func (r *Checker) fold(applied []*inbox.Receipt) fold {
	var name strings.Builder
	for _, receipt := range applied {
		// Receipts with equal keys have equal content.
		name.WriteString(receipt.Key.Payout + " " + receipt.Key.Receipt + "\n")
	}
	if cached, ok := r.folds[name.String()]; ok {
		return cached
	}
	var f fold
	for _, receipt := range slices.Backward(applied) {
		if receipt.Resolution != nil {
			f.record, _ = f.record.Resolve(*receipt.Resolution)
			continue
		}
		f.record, _ = f.record.Apply(receipt.Event)
	}
	if f.violation = checkFinals(f.record, applied); f.violation == "" {
		f.violation = checkAnswers(f.record, applied)
	}
	if r.folds == nil {
		r.folds = map[string]fold{}
	}
	r.folds[name.String()] = f
	return f
}

// checkFinals checks the status of a payout without the merge: by the final statuses
// of its applied receipts and the resolutions that reject them.
func checkFinals(record payout.Record, applied []*inbox.Receipt) string {
	var finals []payout.Status
	var rejected []string
	for _, receipt := range applied {
		switch {
		case receipt.Resolution != nil && len(receipt.Resolution.Replaces) > 0, record.ID.Type() == payout.TypeBatch:
			return "" // replaced resolutions and totals are left to the merge
		case receipt.Resolution != nil:
			rejected = append(rejected, receipt.Resolution.Rejected[payout.FieldStatus]...)
		case receipt.Event.Status.IsFinal() && !slices.Contains(finals, receipt.Event.Status):
			finals = append(finals, receipt.Event.Status)
		}
	}
	live := slices.DeleteFunc(slices.Clone(finals), func(s payout.Status) bool { return slices.Contains(rejected, string(s)) })
	shown := record.Status()
	if len(finals) == 0 || shown == payout.Conflicted || shown == payout.Linked || len(live) == 1 && shown == live[0] {
		return ""
	}
	return fmt.Sprintf("I8: payout %s shows %s, but its final statuses are %v, of which %v are not rejected", record.ID, shown, finals, live)
}

// checkOrigin checks that every receipt, stored or queued, was delivered by a verified
// sender with the same body.
func (c *check) checkOrigin() {
	for _, receipts := range [][]inbox.Receipt{c.state.Receipts, c.state.Queued} {
		for i := range receipts {
			key := receipts[i].Key
			bodies, ok := c.state.Delivered[key]
			switch {
			case !ok:
				c.failf("I6: receipt %v was not sent by a verified sender", key)
			case !slices.Contains(bodies, string(receipts[i].Body)):
				c.failf("I7: receipt %v has lost its body or has another body", key)
			}
		}
	}
	for _, record := range c.state.Records {
		if record.Version == 0 {
			c.failf("I6: payout %s has a record of version 0", record.ID)
		}
	}
}

func (c *check) checkSettled(acknowledged []inbox.Key) {
	for _, receipt := range c.state.Receipts {
		if receipt.State == inbox.Received {
			c.failf("I3: receipt %v was never applied", receipt.Key)
		}
	}
	for _, key := range acknowledged {
		if !c.stored[key] {
			c.failf("I3: receipt %v is only in the queue", key)
		}
	}
}

// Dump formats the state for the message of a failing test.
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
