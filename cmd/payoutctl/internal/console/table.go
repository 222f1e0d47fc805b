package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
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
	mu      sync.Mutex
	last    *tableCopy
	err     error         // of the last scan
	running chan struct{} // closed when the scan has ended
}

const (
	// fresh is how old a copy may be. One that takes long to read may be older: reading
	// takes a fifth of the time at most.
	fresh = time.Second
	// patience is how long a page waits for a new copy if there is an old one.
	patience = 300 * time.Millisecond
)

// read returns a fresh copy of the table. It scans the table, unless that runs already,
// and waits for the end of the scan until ctx ends; if isPatient is not set and there is
// an older copy, only shortly.
func (t *table) read(ctx context.Context, isPatient bool, scan func() (*tableCopy, error)) (*tableCopy, error) {
	t.mu.Lock()
	last := t.last
	if last != nil && t.err == nil && time.Since(last.ReadAt) < max(fresh, 4*last.took) {
		t.mu.Unlock()
		return last, nil
	}
	running := t.running
	if running == nil {
		running = make(chan struct{})
		t.running = running
		go func() {
			last, err := scan()
			t.mu.Lock()
			defer t.mu.Unlock()
			if t.err, t.running = err, nil; err == nil {
				t.last = last
			}
			close(running)
		}()
	}
	t.mu.Unlock()
	if last != nil && !isPatient {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	select {
	case <-running:
	case <-ctx.Done():
	}
	return t.get()
}

func (t *table) get() (*tableCopy, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last, t.err
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

// localTable returns a recent copy of the local table. The pages are read again when a
// scan for which they did not wait has ended.
func (c *Console) localTable(ctx context.Context, stack cli.Stack) (*tableCopy, error) {
	return c.table.read(ctx, false, func() (*tableCopy, error) {
		last, err := scanPayouts(c.jobs.ctx, stack, maxLocal)
		if err == nil && last.took > patience {
			defer c.hub.announce()
		}
		return last, err
	})
}

// readTable reads a page from the copy of the table, of which a deployed stack may have
// none.
func (c *Console) readTable(ctx context.Context, stack cli.Stack, l *payoutList) (err error) {
	if c.isReadOnly() {
		l.Scan, err = describeScan(ctx, stack)
		l.Copy, _ = c.table.get()
	} else {
		l.Copy, err = c.localTable(ctx, stack)
	}
	if err != nil || l.Copy == nil {
		return err
	}
	return l.take(withoutErrors(l.Copy.Rows), maxLocal)
}

// scan reads the table of a deployed stack. It ends when the browser ends the request.
func (c *Console) scan(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	stack, err := c.stack(ctx)
	if err == nil {
		_, err = c.table.read(ctx, true, func() (*tableCopy, error) { return scanPayouts(ctx, stack, maxScanned) })
	}
	if err != nil {
		c.failWith(w, r, err)
		return
	}
	c.search(w, r)
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
