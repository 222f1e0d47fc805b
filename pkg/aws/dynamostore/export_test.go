package dynamostore

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Receipt reads one receipt, for tests: the store itself never does.
func (s *Store) Receipt(ctx context.Context, key inbox.Key) (inbox.Receipt, error) {
	out, err := s.Client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.Receipts, Key: receiptKey(key)})
	if err != nil || out.Item == nil {
		return inbox.Receipt{}, err
	}
	return decodeReceipt(out.Item)
}

// Record reads one payout, for tests.
func (s *Store) Record(ctx context.Context, id payout.ID) (payout.Record, error) {
	out, err := s.Client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.Payouts, Key: item{"payout": text(string(id))}})
	if err != nil || out.Item == nil {
		return payout.Record{}, err
	}
	return decodeRecord(out.Item)
}
