package dynamostore

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Counts are the numbers of items in the sparse indexes, which are eventually consistent.
type Counts struct {
	Waiting    int // receipts that are not applied
	Held       int // callbacks and answers
	Conflicted int // payouts
	Overdue    int // payouts
}

// Counts counts from the indexes alone, up to limit each, with one request for each
// partition.
func (r *Reader) Counts(ctx context.Context, limit int) (Counts, error) {
	const parallel = 8
	var counts Counts
	var first error
	var mu sync.Mutex // guards both
	var group sync.WaitGroup
	running := make(chan struct{}, parallel)
	count := func(n *int, input *dynamodb.QueryInput) {
		input.Select, input.Limit = types.SelectCount, aws.Int32(int32(limit)) //nolint:gosec // a constant of the caller
		running <- struct{}{}
		group.Go(func() {
			out, err := r.Client.Query(ctx, input)
			<-running
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				first = cmp.Or(first, fmt.Errorf("count index %s: %w", *input.IndexName, err))
				return
			}
			*n = min(limit, *n+int(out.Count))
		})
	}
	count(&counts.Conflicted, r.sparseIndex(conflictedIndex, string(payout.Conflicted)))
	count(&counts.Overdue, r.sparseIndex(overdueIndex, string(payout.Overdue)))
	for n := range shards {
		count(&counts.Waiting, unapplied{r.Client, r.Receipts, inbox.Received}.input(n))
		count(&counts.Held, unapplied{r.Client, r.Receipts, inbox.Held}.input(n))
		count(&counts.Held, unapplied{r.Client, r.Receipts, heldQuery}.input(n))
	}
	group.Wait()
	return counts, first
}
