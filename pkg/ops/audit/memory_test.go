package audit_test

import (
	"context"
	"iter"
	"runtime"
	"strconv"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/audit"
	"payout-callbacks/pkg/payout"
)

// generated is a source that generates payouts, with two receipts each, on demand.
type generated struct{ payouts int }

func (g generated) pair(n int) []inbox.Receipt {
	id := strconv.Itoa(n)
	var pair []inbox.Receipt
	for _, status := range []payout.Status{payout.Pending, payout.Succeeded} {
		receipt := inbox.NewReceipt(event(id, status, 0), nil, "0a1b2c3d", noon)
		receipt.State = inbox.Applied
		pair = append(pair, receipt)
	}
	return pair
}

func (g generated) ScanReceipts(context.Context, time.Time, time.Time) iter.Seq2[inbox.Receipt, error] {
	return func(yield func(inbox.Receipt, error) bool) {
		for n := range g.payouts {
			for _, receipt := range g.pair(n) {
				if !yield(receipt, nil) {
					return
				}
			}
		}
	}
}

func (g generated) ScanPayouts(ctx context.Context, _ time.Time) iter.Seq2[inbox.StoredPayout, error] {
	return func(yield func(inbox.StoredPayout, error) bool) {
		for n := range g.payouts {
			if !yield(g.StoredPayout(ctx, payoutID(strconv.Itoa(n)))) {
				return
			}
		}
	}
}

func (g generated) number(id string) int {
	n, err := strconv.Atoi(id[len(payoutID("")):])
	if err != nil {
		panic(err)
	}
	return n
}

func (g generated) Receipt(_ context.Context, key inbox.Key) (inbox.Receipt, bool, error) {
	return g.pair(g.number(key.Payout))[0], true, nil
}

func (g generated) ReceiptsOf(_ context.Context, id payout.ID) iter.Seq2[inbox.Receipt, error] {
	return func(yield func(inbox.Receipt, error) bool) {
		for _, receipt := range g.pair(g.number(string(id))) {
			if !yield(receipt, nil) {
				return
			}
		}
	}
}

func (g generated) StoredPayout(ctx context.Context, id payout.ID) (inbox.StoredPayout, error) {
	fold, err := inbox.FoldReceipts(g.ReceiptsOf(ctx, id))
	return inbox.StoredPayout{Record: fold.Record, Exists: true, ReadVersion: fold.Record.Version}, err
}

// The memory of an audit does not grow with the tables.
func TestAudit_BoundedMemory(t *testing.T) {
	const limit = 32 << 20
	payouts := 5_000
	if testing.Short() {
		payouts = 1_000
	}
	var highest uint64
	a := &audit.Audit{
		Source: generated{payouts}, Now: noon, Report: func(f audit.Finding) { t.Errorf("finding %+v", f) },
		Progress: func(audit.Summary) {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			highest = max(highest, m.HeapAlloc)
		},
	}
	start := time.Now()
	summary, err := a.Run(t.Context())
	if err != nil || summary.Payouts != int64(payouts) || summary.Receipts != 2*int64(payouts) {
		t.Fatalf("%+v, %v", summary, err)
	}
	if highest == 0 || highest > limit {
		t.Errorf("the heap had %d bytes, want at most %d", highest, limit)
	}
	t.Logf("%d payouts in %s, %.1f MB at most", payouts, time.Since(start).Round(time.Millisecond), float64(highest)/1e6)
}
