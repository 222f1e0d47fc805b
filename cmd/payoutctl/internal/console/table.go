package console

import (
	"context"
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

func (t *table) get() (*tableCopy, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last, t.err
}

const (
	// fresh is how old a copy may be. One that takes long to read may be older: reading
	// takes a fifth of the time at most.
	fresh = time.Second
	// patience is how long a page waits for a new copy if there is an old one.
	patience = 300 * time.Millisecond
)

// refresh scans the table, unless that runs already. Done is closed when the scan has
// ended; it is nil if the copy is fresh.
func (t *table) refresh(scan func() (*tableCopy, error)) (done <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last != nil && t.err == nil && time.Since(t.last.ReadAt) < max(fresh, 4*t.last.took) {
		return nil
	}
	if t.running == nil {
		running := make(chan struct{})
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
	return t.running
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

// localTable returns a recent copy of the local table. It waits for a scan only shortly if
// there is an older copy; the pages are read again when the scan has ended.
func (c *Console) localTable(ctx context.Context, stack cli.Stack) (*tableCopy, error) {
	done := c.table.refresh(func() (*tableCopy, error) {
		last, err := scanPayouts(c.jobs.ctx, stack, maxLocal)
		if err == nil && last.took > patience {
			defer c.hub.announce()
		}
		return last, err
	})
	last, err := c.table.get()
	if done == nil || err != nil && last != nil {
		return last, err
	}
	wait := ctx
	if last != nil {
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	select {
	case <-done:
	case <-wait.Done():
	}
	return c.table.get()
}

// readTable reads a page from the copy of the table, of which a deployed stack may have
// none.
func (c *Console) readTable(ctx context.Context, stack cli.Stack, l *payoutList) (err error) {
	if c.isReadOnly() {
		if l.Scan, err = readScanCost(ctx, stack); err != nil {
			return err
		}
		l.Copy, _ = c.table.get()
	} else if l.Copy, err = c.localTable(ctx, stack); err != nil {
		return err
	}
	if l.Copy == nil {
		return ctx.Err()
	}
	return l.take(withoutErrors(l.Copy.Rows), maxLocal, c.now())
}

// scan reads the table of a deployed stack. It ends when the browser ends the request.
func (c *Console) scan(w http.ResponseWriter, r *http.Request) {
	stack, err := c.stack(r.Context())
	if err == nil {
		done := c.table.refresh(func() (*tableCopy, error) { return scanPayouts(r.Context(), stack, maxScanned) })
		if done != nil {
			<-done
		}
		_, err = c.table.get()
	}
	if err != nil {
		c.failWith(w, r, err)
		return
	}
	c.search(w, r)
}

// scanCost says what a scan reads, and what it costs.
type scanCost struct {
	Items, Bytes int64 // of the table, up to six hours ago
	Limit        int64
	Units        int64   // read request units
	Dollars      float64 // in us-east-1
}

// Sizes and prices of DynamoDB, on demand, from
// https://aws.amazon.com/dynamodb/pricing/on-demand/.
const (
	bytesPerUnit   = 4096 // of a strongly consistent read
	dollarsPerUnit = 0.125 / 1e6
)

func readScanCost(ctx context.Context, stack cli.Stack) (*scanCost, error) {
	out, err := dynamodb.NewFromConfig(stack.AWS).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &stack.PayoutsTable})
	if err != nil {
		return nil, err
	}
	if out.Table == nil {
		return &scanCost{Limit: maxScanned}, nil // a table that is being created
	}
	cost := &scanCost{Items: aws.ToInt64(out.Table.ItemCount), Bytes: aws.ToInt64(out.Table.TableSizeBytes), Limit: maxScanned}
	scanned := cost.Bytes
	if cost.Items > maxScanned {
		scanned = int64(float64(cost.Bytes) / float64(cost.Items) * maxScanned)
	}
	cost.Units = scanned/bytesPerUnit + 1
	cost.Dollars = float64(cost.Units) * dollarsPerUnit
	return cost, nil
}
