package console

import (
	"cmp"
	"context"
	"fmt"
	"iter"
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

// maxScanned limits the payouts that the console scans, of the local and of a deployed
// stack.
var maxScanned = map[bool]int{true: 50_000, false: 10_000}

// tableCopy is what was read of the table of payouts.
type tableCopy struct {
	Rows     []dynamostore.Stored // the latest update first
	ReadAt   time.Time
	IsCut    bool // there are more
	ByStatus map[payout.Status]int

	took time.Duration
}

// readCopy reads up to limit payouts.
func readCopy(payouts iter.Seq2[dynamostore.Stored, error], limit int) (*tableCopy, error) {
	read := &tableCopy{ReadAt: time.Now(), ByStatus: map[payout.Status]int{}}
	var err error
	read.Rows, read.IsCut, err = display.Take(limit, display.Payouts(payouts), nil)
	slices.SortFunc(read.Rows, func(a, b dynamostore.Stored) int {
		return cmp.Or(b.UpdatedAt.Compare(a.UpdatedAt), cmp.Compare(a.ID, b.ID))
	})
	for _, stored := range read.Rows {
		read.ByStatus[stored.Status()]++
	}
	read.took = time.Since(read.ReadAt)
	return read, err
}

// list lists the payouts without an error.
func (t *tableCopy) list(yield func(dynamostore.Stored, error) bool) {
	for _, stored := range t.Rows {
		if !yield(stored, nil) {
			return
		}
	}
}

// table keeps the last copy of the table of payouts.
type table struct {
	scanning sync.Mutex
	last     atomic.Pointer[tableCopy]
}

// readTable returns a fresh copy of the table, which no index lists. Reading takes a fifth of
// the time at most. Pages of the local stack share a scan, so a page that is closed does not
// end it.
func (c *Console) readTable(ctx context.Context, stack cli.Stack) (*tableCopy, error) {
	if stack.Local {
		ctx = context.WithoutCancel(ctx)
	}
	c.table.scanning.Lock()
	defer c.table.scanning.Unlock()
	if last := c.table.last.Load(); last != nil && time.Since(last.ReadAt) < max(time.Second, 4*last.took) {
		return last, nil
	}
	read, err := readCopy(stack.Reader().List(ctx, dynamostore.Filter{}), maxScanned[stack.Local])
	if err == nil {
		c.table.last.Store(read)
	}
	return read, err
}

// scan reads the table of a deployed stack, because a person asks for it. It ends when the
// browser ends the request.
func (c *Console) scan(r *http.Request, stack cli.Stack) (string, error) {
	if _, err := c.readTable(r.Context(), stack); err != nil {
		return "", err
	}
	return c.search(r, stack)
}

// describeScan says what a scan of the payouts reads, and what it costs on demand, from
// https://aws.amazon.com/dynamodb/pricing/on-demand/.
func describeScan(ctx context.Context, stack cli.Stack) (string, error) {
	const bytesPerUnit, dollarsPerUnit = 4096, 0.125 / 1e6 // of a strongly consistent read
	out, err := dynamodb.NewFromConfig(stack.AWS).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &stack.PayoutsTable})
	if err != nil || out.Table == nil {
		return "", err
	}
	items, size, limit := aws.ToInt64(out.Table.ItemCount), aws.ToInt64(out.Table.TableSizeBytes), maxScanned[stack.Local]
	units := float64(size)*min(1, float64(limit)/max(1, float64(items)))/bytesPerUnit + 1
	return fmt.Sprintf("No index lists these payouts. The table has %d payouts and %d bytes, as DynamoDB counted within the last six hours. "+
		"A scan reads up to %d payouts in no order: about %.0f read request units, about $%.4f in us-east-1. The stop button of the browser cancels it.",
		items, size, limit, units, units*dollarsPerUnit), nil
}
