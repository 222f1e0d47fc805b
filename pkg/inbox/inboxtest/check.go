package inboxtest

import (
	"fmt"
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
}

// Check returns what is wrong with a state, given the receipts that were
// acknowledged. settled says that faults have stopped, the queue was drained
// and the sweeper had time: then nothing may be left to do.
func Check(state State, acknowledged []inbox.Key, settled bool) []string {
	var wrong []string
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for _, key := range acknowledged {
		if !state.holds(key) {
			complain("I1: receipt %v was acknowledged and is neither stored nor queued", key)
		}
	}
	folds := state.folds()
	for _, record := range state.Records {
		want := folds[record.ID]
		if diff := cmp.Diff(want, record, same); diff != "" {
			complain("I2, I4: payout %s is not the fold of its applied receipts:\n%s", record.ID, diff)
		}
		delete(folds, record.ID)
	}
	for id := range folds {
		complain("I4: payout %s has applied receipts and no record", id)
	}
	if !settled {
		return wrong
	}
	for _, receipt := range state.Receipts {
		if receipt.State == inbox.Received {
			complain("I3: receipt %v was never applied", receipt.Key)
		}
	}
	for _, key := range acknowledged {
		if !state.stores(key) {
			complain("I3: receipt %v is only in the queue", key)
		}
	}
	return wrong
}

// folds folds the applied receipts of each payout, in an order of its own: the
// record must not depend on it (I5).
func (s State) folds() map[payout.ID]payout.Record {
	folds := map[payout.ID]payout.Record{}
	for _, receipt := range slices.Backward(s.Receipts) {
		if receipt.State != inbox.Applied {
			continue
		}
		id := payout.ID(receipt.Key.Payout)
		if receipt.Decision != nil {
			folds[id], _ = folds[id].Resolve(*receipt.Decision)
			continue
		}
		folds[id], _ = folds[id].Apply(receipt.Event)
	}
	return folds
}

func (s State) stores(key inbox.Key) bool {
	return slices.ContainsFunc(s.Receipts, func(r inbox.Receipt) bool { return r.Key == key })
}

func (s State) holds(key inbox.Key) bool {
	return s.stores(key) || slices.ContainsFunc(s.Queued, func(r inbox.Receipt) bool { return r.Key == key })
}

// Story tells the state in lines, for the message of a failing test.
func (s State) Story() string {
	var story strings.Builder
	for _, receipt := range s.Receipts {
		fmt.Fprintf(&story, "receipt %s %s is %s %s\n", receipt.Key.Payout, receipt.Key.Receipt, receipt.State, receipt.Outcome)
	}
	for _, record := range s.Records {
		fmt.Fprintf(&story, "payout %s is %s at version %d\n", record.ID, record.Status(), record.Version)
	}
	for _, receipt := range s.Queued {
		fmt.Fprintf(&story, "queued %s %s\n", receipt.Key.Payout, receipt.Key.Receipt)
	}
	return story.String()
}
