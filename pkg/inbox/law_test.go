package inbox_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/memory"
)

// I2, I4, I5, exhaustively: of seven facts, every subset of up to three, each
// fact delivered once or twice, in every order of the deliveries, leaves the
// identical record, and replaying its receipts gives it once more.
func TestEveryOrderOfRedeliveriesGivesOneRecord(t *testing.T) {
	m := &multisets{T: t, facts: allFields(), records: map[uint]payout.Record{}}
	m.extend(nil, make([]int, len(m.facts)))
	t.Logf("%d facts, %d subsets, %d sequences of deliveries", len(m.facts), len(m.records), m.sequences)
	if len(m.records) != 7+21+35 || m.sequences != 8078 {
		t.Error("these are not all of them")
	}
}

func allFields() []inbox.Receipt {
	r := &run{now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	return []inbox.Receipt{
		r.told1(payout.Pending),
		r.told1(payout.Succeeded),
		r.told1(payout.Succeeded, amount("1.2")),
		r.told1(payout.Failed),
		r.told1(payout.Failed, reason("told again")),
		r.told1(payout.Rejected, reason("approval")),
		r.decision(),
	}
}

type multisets struct {
	*testing.T
	checker   inboxtest.Checker
	facts     []inbox.Receipt
	records   map[uint]payout.Record // by the set of facts, a bit each
	sequences int
}

// extend goes through all sequences that begin with this one.
func (m *multisets) extend(sequence, times []int) {
	if len(sequence) > 0 {
		m.deliver(sequence)
	}
	distinct := 0
	for _, n := range times {
		distinct += min(n, 1)
	}
	for n := range m.facts {
		if times[n] == 2 || times[n] == 0 && distinct == 3 {
			continue
		}
		times[n]++
		m.extend(append(slices.Clip(sequence), n), times)
		times[n]--
	}
}

func (m *multisets) deliver(sequence []int) {
	m.sequences++
	store := &memory.Store{}
	box := &inbox.Inbox{Store: store, Now: func() time.Time { return m.facts[0].AcceptedAt }}
	var set uint
	var keys []inbox.Key
	for _, n := range sequence {
		outcome, err := box.Apply(m.Context(), m.facts[n])
		if again := set&(1<<n) != 0; err != nil || again != (outcome == inbox.ApplyDuplicate) {
			m.Fatalf("%v: fact %d: %q, %v", sequence, n, outcome, err)
		}
		set |= 1 << n
		keys = append(keys, m.facts[n].Key)
	}
	got := store.Record(onePayout)
	if first, known := m.records[set]; !known {
		m.records[set] = got
	} else if !reflect.DeepEqual(first, got) {
		m.Fatalf("%v: got %+v, want %+v", sequence, got, first)
	}
	state := inboxtest.State{Receipts: store.Receipts(), Records: store.Records()}
	for _, wrong := range m.checker.Check(state, keys, true) {
		m.Errorf("%v: %s", sequence, wrong)
	}
}
