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

// endless is a source of any number of payouts with two receipts each, made as
// they are asked for.
type endless struct{ payouts int }

func (e endless) pair(n int) []inbox.Receipt {
	id := strconv.Itoa(n)
	var pair []inbox.Receipt
	for _, status := range []payout.Status{payout.Pending, payout.Succeeded} {
		receipt := inbox.NewReceipt(event(id, status, 0), nil, "0a1b2c3d", noon)
		receipt.State = inbox.Applied
		pair = append(pair, receipt)
	}
	return pair
}

func (e endless) ScanReceipts(context.Context, time.Time, time.Time) iter.Seq2[inbox.Receipt, error] {
	return func(yield func(inbox.Receipt, error) bool) {
		for n := range e.payouts {
			for _, receipt := range e.pair(n) {
				if !yield(receipt, nil) {
					return
				}
			}
		}
	}
}

func (e endless) ScanPayouts(ctx context.Context, _ time.Time) iter.Seq2[inbox.StoredPayout, error] {
	return func(yield func(inbox.StoredPayout, error) bool) {
		for n := range e.payouts {
			if !yield(e.StoredPayout(ctx, numbered(strconv.Itoa(n)))) {
				return
			}
		}
	}
}

func (e endless) number(id string) int {
	n, err := strconv.Atoi(id[len(numbered("")):])
	if err != nil {
		panic(err)
	}
	return n
}

func (e endless) Receipt(_ context.Context, key inbox.Key) (inbox.Receipt, bool, error) {
	return e.pair(e.number(key.Payout))[0], true, nil
}

func (e endless) ReceiptsOf(_ context.Context, id payout.ID) iter.Seq2[inbox.Receipt, error] {
	return func(yield func(inbox.Receipt, error) bool) {
		for _, receipt := range e.pair(e.number(string(id))) {
			if !yield(receipt, nil) {
				return
			}
		}
	}
}

func (e endless) StoredPayout(ctx context.Context, id payout.ID) (inbox.StoredPayout, error) {
	fold, err := inbox.FoldReceipts(e.ReceiptsOf(ctx, id))
	return inbox.StoredPayout{Record: fold.Record, Exists: true, ReadVersion: fold.Record.Version}, err
}

// What an audit holds does not grow with the tables: some megabytes, most of
// them garbage, whatever there is to read.
func TestAnAuditHoldsLittle(t *testing.T) {
	const most = 32 << 20
	payouts := 5_000
	if testing.Short() {
		payouts = 1_000
	}
	var highest uint64
	a := &audit.Audit{
		Source: endless{payouts}, Now: noon, Report: func(f audit.Finding) { t.Errorf("found %+v", f) },
		Progress: func(audit.Summary) {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			highest = max(highest, m.HeapAlloc)
		},
	}
	began := time.Now()
	summary, err := a.Run(t.Context())
	if err != nil || summary.Payouts != int64(payouts) || summary.Receipts != 2*int64(payouts) {
		t.Fatalf("%+v, %v", summary, err)
	}
	if highest == 0 || highest > most {
		t.Errorf("it held up to %d bytes, want at most %d", highest, most)
	}
	t.Logf("%d payouts in %s, %.1f MB at most", payouts, time.Since(began).Round(time.Millisecond), float64(highest)/1e6)
}
