package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/payout"
)

// maxScanned and maxLocal limit the payouts that the console scans, of a deployed and of
// the local stack.
const (
	maxScanned = 10_000
	maxLocal   = 50_000
)

// tableCopy is what a scan read of the table of payouts.
type tableCopy struct {
	Rows     []row // the latest update first
	ReadAt   time.Time
	IsCut    bool // the table has more
	ByStatus map[payout.Status]int

	took time.Duration
}

// table keeps the last copy of the table of payouts. No index lists all payouts, so the
// console reads the local table again when the copy is old and a page needs it, and a
// deployed one when a person asks for it.
type table struct {
	scanning sync.Mutex
	last     atomic.Pointer[tableCopy]
}

// fresh is how old a copy may be. One that takes long to read may be older: reading takes
// a fifth of the time at most.
const fresh = time.Second

// read returns a fresh copy of the table. Pages that need one at the same time share a scan.
func (t *table) read(ctx context.Context, stack cli.Stack, limit int) (*tableCopy, error) {
	t.scanning.Lock()
	defer t.scanning.Unlock()
	if last := t.last.Load(); last != nil && time.Since(last.ReadAt) < max(fresh, 4*last.took) {
		return last, nil
	}
	last, err := scanPayouts(ctx, stack, limit)
	if err == nil {
		t.last.Store(last)
	}
	return last, err
}

// scanPayouts reads the payouts of the table, up to limit.
func scanPayouts(ctx context.Context, stack cli.Stack, limit int) (*tableCopy, error) {
	read := &tableCopy{ReadAt: time.Now(), ByStatus: map[payout.Status]int{}}
	var err error
	read.Rows, read.IsCut, err = display.Take(limit, rows(stack.Reader().List(ctx, dynamostore.Filter{})), func(row) bool { return true })
	slices.SortFunc(read.Rows, latestFirst)
	for _, r := range read.Rows {
		read.ByStatus[r.Status]++
	}
	read.took = time.Since(read.ReadAt)
	return read, err
}

// localTable returns a fresh copy of the local table. A page that is closed does not end
// the scan, which others may wait for.
func (c *Console) localTable(stack cli.Stack) (*tableCopy, error) {
	return c.table.read(c.jobs.ctx, stack, maxLocal)
}

// readTable reads a page from the copy of the table, of which a deployed stack may have
// none.
func (c *Console) readTable(ctx context.Context, stack cli.Stack, l *payoutList) (err error) {
	if c.isReadOnly() {
		l.Scan, err = describeScan(ctx, stack)
		l.Copy = c.table.last.Load()
	} else {
		l.Copy, err = c.localTable(stack)
	}
	if err != nil || l.Copy == nil {
		return err
	}
	return l.take(withoutErrors(l.Copy.Rows), maxLocal)
}

// scan reads the table of a deployed stack. It ends when the browser ends the request.
func (c *Console) scan(r *http.Request, stack cli.Stack) (string, error) {
	if _, err := c.table.read(r.Context(), stack, maxScanned); err != nil {
		return "", err
	}
	return c.search(r, stack)
}

// Sizes and prices of DynamoDB, on demand, from
// https://aws.amazon.com/dynamodb/pricing/on-demand/.
const (
	bytesPerUnit   = 4096 // of a strongly consistent read
	dollarsPerUnit = 0.125 / 1e6
)

// describeScan says what a scan of the payouts reads, and what it costs.
func describeScan(ctx context.Context, stack cli.Stack) (string, error) {
	out, err := dynamodb.NewFromConfig(stack.AWS).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &stack.PayoutsTable})
	if err != nil || out.Table == nil {
		return "", err
	}
	items, size := aws.ToInt64(out.Table.ItemCount), aws.ToInt64(out.Table.TableSizeBytes)
	scanned := float64(size) * min(1, maxScanned/max(1, float64(items)))
	units := scanned/bytesPerUnit + 1
	return fmt.Sprintf("No index lists these payouts. The table has %d payouts and %d bytes, as DynamoDB counted within the last six hours. "+
		"A scan reads up to %d payouts in no order: about %.0f read request units, about $%.4f in us-east-1. The stop button of the browser cancels it.",
		items, size, maxScanned, units, units*dollarsPerUnit), nil
}
