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

// I2, I4, I5, exhaustively: of seven receipts, every subset of up to three, each
// receipt delivered once or twice, in every order of the deliveries, gives an
// identical record, which is the fold of its receipts.
func TestApply_OrdersOfRedeliveries(t *testing.T) {
	m := &multisets{T: t, receipts: lawReceipts(), records: map[uint]payout.Record{}}
	m.extend(nil, make([]int, len(m.receipts)))
	t.Logf("%d receipts, %d subsets, %d sequences of deliveries", len(m.receipts), len(m.records), m.sequences)
	if len(m.records) != 7+21+35 || m.sequences != 8078 {
		t.Error("the subsets and sequences are not complete")
	}
}

func lawReceipts() []inbox.Receipt {
	r := &run{now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	return []inbox.Receipt{
		r.event(payout.Pending),
		r.event(payout.Succeeded),
		r.event(payout.Succeeded, amount("1.2")),
		r.event(payout.Failed),
		r.event(payout.Failed, reason("sent again")),
		r.event(payout.Rejected, reason("approval")),
		r.resolution(),
	}
}

type multisets struct {
	*testing.T
	checker   inboxtest.Checker
	receipts  []inbox.Receipt
	records   map[uint]payout.Record // by the set of receipts, one bit each
	sequences int
}

// extend delivers all sequences that begin with this one.
func (m *multisets) extend(sequence, times []int) {
	if len(sequence) > 0 {
		m.deliver(sequence)
	}
	distinct := 0
	for _, n := range times {
		distinct += min(n, 1)
	}
	for n := range m.receipts {
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
	box := &inbox.Inbox{Store: store, Now: func() time.Time { return m.receipts[0].AcceptedAt }}
	var set uint
	var keys []inbox.Key
	for _, n := range sequence {
		outcome, err := box.Apply(m.Context(), m.receipts[n])
		if again := set&(1<<n) != 0; err != nil || again != (outcome == inbox.ApplyDuplicate) {
			m.Fatalf("%v: receipt %d: %q, %v", sequence, n, outcome, err)
		}
		set |= 1 << n
		keys = append(keys, m.receipts[n].Key)
	}
	got := store.Record(onePayout)
	if first, known := m.records[set]; !known {
		m.records[set] = got
	} else if !reflect.DeepEqual(first, got) {
		m.Fatalf("%v: got %+v, want %+v", sequence, got, first)
	}
	state := inboxtest.State{Receipts: store.Receipts(), Records: store.Records()}
	for _, violation := range m.checker.Check(state, keys, true) {
		m.Errorf("%v: %s", sequence, violation)
	}
}
