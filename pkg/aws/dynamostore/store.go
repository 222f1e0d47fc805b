package dynamostore

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Store is reconcile.Store on two DynamoDB tables. It is safe for concurrent use.
type Store struct {
	Client   *dynamodb.Client
	Receipts string // table name
	Payouts  string // table name
}

// The indexes of the receipts table.
const (
	unappliedIndex = "unapplied" // received and held receipts, by when they are due; held ones by their query or acceptance
	claimedIndex   = "claimed"   // receipts that a sweep has claimed, by when they were accepted
)

const absent = "attribute_not_exists(payout)"

// Create implements inbox.Store.
func (s *Store) Create(ctx context.Context, receipt inbox.Receipt) (inbox.Existing, error) {
	encoded, err := encodeReceipt(receipt)
	if err != nil {
		return inbox.Existing{}, err
	}
	input := &dynamodb.PutItemInput{
		TableName:                           &s.Receipts,
		Item:                                encoded,
		ConditionExpression:                 aws.String(absent),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	err = retryContention(ctx, func() error {
		_, err := s.Client.PutItem(ctx, input)
		return err
	})
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return inbox.Existing{State: stateFromItem(failed.Item), AcceptedAt: item(failed.Item).time("acceptedAt")}, nil
	}
	return inbox.Existing{}, err
}

// Payout implements inbox.Store. The read is eventually consistent: half the price of a
// consistent one, and the condition of Apply detects a stale one.
func (s *Store) Payout(ctx context.Context, id payout.ID) (inbox.PayoutItem, error) {
	out, err := s.Client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.Payouts, Key: item{"payout": text(string(id))}})
	if err != nil || out.Item == nil {
		return inbox.PayoutItem{Record: payout.Record{ID: id}}, err
	}
	record, err := decodeRecord(out.Item)
	return inbox.PayoutItem{Record: record, Schedule: decodeSchedule(out.Item)}, err
}

// Apply implements inbox.Store.
func (s *Store) Apply(ctx context.Context, change inbox.Change) (*inbox.ConditionFailed, error) {
	receipt, err := s.receiptWrite(change)
	if err != nil {
		return nil, err
	}
	record, err := s.recordWrite(change)
	if err != nil {
		return nil, err
	}
	input := &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{receipt, record}}
	// There is no ClientRequestToken: a later call may have another outcome or time,
	// which DynamoDB would reject. The SDK adds a token for its own retries.
	err = retryContention(ctx, func() error {
		_, err := s.Client.TransactWriteItems(ctx, input)
		return err
	})
	return conditionFailed(err)
}

// receiptWrite returns the write that creates the receipt as applied, or marks the
// stored one: its body and its times stay those of the first delivery.
func (s *Store) receiptWrite(change inbox.Change) (types.TransactWriteItem, error) {
	encoded, err := encodeReceipt(change.Receipt)
	if err != nil {
		return types.TransactWriteItem{}, err
	}
	if change.Create {
		return types.TransactWriteItem{Put: &types.Put{
			TableName:                           &s.Receipts,
			Item:                                encoded,
			ConditionExpression:                 aws.String(absent),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}}, nil
	}
	update := &types.Update{
		TableName:                &s.Receipts,
		Key:                      receiptKey(change.Receipt.Key),
		UpdateExpression:         aws.String("SET #state = :applied, appliedAt = :now REMOVE #due, dueAt, claimed"),
		ConditionExpression:      aws.String("#state = :received"),
		ExpressionAttributeNames: map[string]string{"#state": "state", "#due": "dueShard"},
		ExpressionAttributeValues: item{
			":applied":  text(string(inbox.Applied)),
			":received": text(string(inbox.Received)),
			":now":      number(change.Receipt.AppliedAt.UnixMilli()),
		},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if outcome := encoded["outcome"]; outcome != nil {
		update.UpdateExpression = aws.String("SET #state = :applied, outcome = :outcome, appliedAt = :now REMOVE #due, dueAt, claimed")
		update.ExpressionAttributeValues[":outcome"] = outcome
	}
	return types.TransactWriteItem{Update: update}, nil
}

func (s *Store) recordWrite(change inbox.Change) (types.TransactWriteItem, error) {
	encoded, err := encodeRecord(change.Record, change.Receipt.AppliedAt)
	if err != nil {
		return types.TransactWriteItem{}, err
	}
	encodeSchedule(encoded, change.Record.ID, change.Schedule)
	put := &types.Put{
		TableName:                           &s.Payouts,
		Item:                                encoded,
		ConditionExpression:                 aws.String(absent),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if change.ExpectedVersion > 0 {
		put.ConditionExpression = aws.String("version = :base")
		put.ExpressionAttributeValues = item{":base": number(change.ExpectedVersion)}
	}
	return types.TransactWriteItem{Put: put}, nil
}

// Due implements inbox.Store.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]inbox.DueReceipt, error) {
	return unapplied{s.Client, s.Receipts, inbox.Received}.due(ctx, now, limit)
}

// Claim implements inbox.Store. The condition on dueAt stops a second sweeper; the
// condition on the state stops an applied receipt from returning to the index.
func (s *Store) Claim(ctx context.Context, due inbox.DueReceipt, next time.Time) (inbox.Receipt, bool, error) {
	input := &dynamodb.UpdateItemInput{
		TableName:                &s.Receipts,
		Key:                      receiptKey(due.Key),
		UpdateExpression:         aws.String("SET dueAt = :next, claimed = :claimed"),
		ConditionExpression:      aws.String("#state = :received AND dueAt = :seen"),
		ExpressionAttributeNames: map[string]string{"#state": "state"},
		ExpressionAttributeValues: item{
			":received": text(string(inbox.Received)),
			":seen":     number(due.DueAt.UnixMilli()),
			":next":     number(next.UnixMilli()),
			":claimed":  text(strconv.Itoa(shardNumber(due.Key))),
		},
	}
	attributes, ok, err := updateIf(ctx, s.Client, input)
	if err != nil || !ok {
		return inbox.Receipt{}, false, err
	}
	receipt, err := decodeReceipt(attributes)
	return receipt, err == nil, err
}

func receiptKey(key inbox.Key) item {
	return item{"payout": text(key.Payout), "receipt": text(key.Receipt)}
}

func stateFromItem(attributes map[string]types.AttributeValue) inbox.State {
	return inbox.State(item(attributes).text("state"))
}
