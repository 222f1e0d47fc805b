package dynamostore

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Editor writes the changes that an operator makes, each under a condition on what
// was read. No function uses it. It is safe for concurrent use.
type Editor struct{ Reader }

// Close removes a held receipt from the index, with its schedule, and sets the state of
// closed: released, with the key of the receipt that replaces it, or dismissed. A
// dismissed receipt can still be released. Close returns the state before, or "" if there
// is no such receipt; in another state than held or dismissed it changes nothing.
func (e *Editor) Close(ctx context.Context, closed inbox.Receipt) (inbox.State, error) {
	states := []inbox.State{inbox.Held}
	if closed.State == inbox.Released {
		states = append(states, inbox.Dismissed)
	}
	return updateState(ctx, e.Client, closeHeld(e.Receipts, closed, states...))
}

// updateState returns the state before an update, whether its condition failed or not.
func updateState(ctx context.Context, client *dynamodb.Client, input *dynamodb.UpdateItemInput) (inbox.State, error) {
	input.ReturnValues = types.ReturnValueAllOld
	input.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	var out *dynamodb.UpdateItemOutput
	err := retryContention(ctx, func() (err error) {
		out, err = client.UpdateItem(ctx, input)
		return err
	})
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return stateFromItem(failed.Item), nil
	}
	if err != nil {
		return "", err
	}
	return stateFromItem(out.Attributes), nil
}

// Rewrite replaces the record of a payout if it is still as it was read, and
// reports whether it did. A query about the payout is due now if any mode needs it. The
// table holds changedBy until the next event is applied.
func (e *Editor) Rewrite(ctx context.Context, record payout.Record, read inbox.StoredPayout, changedBy inbox.ChangedBy) (bool, error) {
	encoded, err := encodeRecord(record, changedBy.At)
	if err != nil {
		return false, err
	}
	encodeSchedule(encoded, record.ID, read.Schedule.Rebuilt(record, changedBy.At))
	encoded.setChild("rebuilt", encodeChangedBy(changedBy))
	input := &dynamodb.PutItemInput{TableName: &e.Payouts, Item: encoded, ConditionExpression: aws.String(absent)}
	if read.Exists {
		// The version of a damaged payout may be absent, or not a number.
		input.ConditionExpression = aws.String("attribute_exists(payout) AND attribute_not_exists(version)")
		if version, ok := read.ReadVersion.(types.AttributeValue); ok {
			input.ConditionExpression = aws.String("version = :read")
			input.ExpressionAttributeValues = item{":read": version}
		}
	}
	err = retryContention(ctx, func() error {
		_, err := e.Client.PutItem(ctx, input)
		return err
	})
	if _, failed := errors.AsType[*types.ConditionalCheckFailedException](err); failed {
		return false, nil
	}
	return err == nil, err
}

// Reindex sets the index attributes of a receipt by its state, due now if it is
// received, and reports whether they were wrong.
func (e *Editor) Reindex(ctx context.Context, key inbox.Key, now time.Time) (bool, error) {
	i, err := e.get(ctx, e.Receipts, receiptKey(key))
	if err != nil || i == nil {
		return false, err
	}
	receipt, err := decodeReceipt(i)
	if err != nil || hasIndexEntry(i, receipt) {
		return false, err
	}
	input := &dynamodb.UpdateItemInput{
		TableName:                 &e.Receipts,
		Key:                       receiptKey(key),
		UpdateExpression:          aws.String("REMOVE #due, dueAt, claimed"),
		ConditionExpression:       aws.String("#state = :state"),
		ExpressionAttributeNames:  map[string]string{"#state": "state", "#due": "dueShard"},
		ExpressionAttributeValues: item{":state": text(string(receipt.State))},
	}
	if isUnapplied(receipt) {
		shard, dueAt := indexEntry(receipt, now)
		input.UpdateExpression = aws.String("SET #due = :due, dueAt = :at")
		input.ExpressionAttributeValues[":due"] = text(shard)
		input.ExpressionAttributeValues[":at"] = number(dueAt.UnixMilli())
	}
	state, err := updateState(ctx, e.Client, input)
	return state == receipt.State, err
}

// isUnapplied reports whether a receipt belongs in the index.
func isUnapplied(receipt inbox.Receipt) bool {
	return receipt.State == inbox.Received || receipt.State == inbox.Held
}

// indexEntry returns the index attributes of an unapplied receipt, due now if it is
// received.
func indexEntry(receipt inbox.Receipt, now time.Time) (shard string, dueAt time.Time) {
	switch {
	case receipt.State == inbox.Received:
		return dueShard(receipt.Key, receipt.State), now
	case receipt.Query.At.IsZero():
		return dueShard(receipt.Key, inbox.Held), receipt.AcceptedAt
	}
	return dueShard(receipt.Key, heldQuery), receipt.Query.At
}

// hasIndexEntry reports whether the index attributes of an item are right for its
// receipt.
func hasIndexEntry(i item, receipt inbox.Receipt) bool {
	_, isNumber := i["dueAt"].(*types.AttributeValueMemberN)
	if isUnapplied(receipt) {
		shard, _ := indexEntry(receipt, time.Time{})
		return isNumber && i.text("dueShard") == shard
	}
	return i["dueShard"] == nil && i["dueAt"] == nil && i["claimed"] == nil
}
