package awsfault

import (
	"context"
	"slices"
	"time"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/testkit/inboxtest"
)

// ReadState reads both tables completely. The receipts are sorted by their keys.
func ReadState(ctx context.Context, reader *dynamostore.Reader) (inboxtest.State, error) {
	var state inboxtest.State
	for stored, err := range reader.List(ctx, dynamostore.Filter{}) {
		if err != nil {
			return state, err
		}
		state.Records = append(state.Records, stored.Record)
	}
	for scanned, err := range reader.ScanReceipts(ctx, time.Time{}, time.Time{}) {
		if err != nil {
			return state, err
		}
		receipt, _, err := reader.Receipt(ctx, scanned.Key) // a scan leaves the bodies out
		if err != nil {
			return state, err
		}
		state.Receipts = append(state.Receipts, receipt)
	}
	slices.SortFunc(state.Receipts, func(a, b inbox.Receipt) int { return a.Key.Compare(b.Key) })
	return state, nil
}
