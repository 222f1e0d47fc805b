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

// Close removes a held receipt from the index and sets the state of closed:
// released, with the key of the receipt that replaces it, or dismissed. A dismissed
// receipt can still be released. Close returns the state before, or "" if there is
// no such receipt; in another state than held or dismissed it changes nothing.
func (e *Editor) Close(ctx context.Context, closed inbox.Receipt) (inbox.State, error) {
	input := &dynamodb.UpdateItemInput{
		TableName:                &e.Receipts,
		Key:                      receiptKey(closed.Key),
		UpdateExpression:         aws.String("SET #state = :closed, #changedBy = :changedBy REMOVE #due, dueAt"),
		ConditionExpression:      aws.String("#state = :held"),
		ExpressionAttributeNames: map[string]string{"#state": "state", "#changedBy": "changedBy", "#due": "dueShard"},
		ExpressionAttributeValues: item{
			":closed":    text(string(closed.State)),
			":held":      text(string(inbox.Held)),
			":changedBy": &types.AttributeValueMemberM{Value: encodeChangedBy(closed.ChangedBy)},
		},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		ReturnValues:                        types.ReturnValueAllOld,
	}
	if closed.State == inbox.Released {
		input.UpdateExpression = aws.String("SET #state = :closed, #changedBy = :changedBy, #releasedAs = :releasedAs REMOVE #due, dueAt")
		input.ConditionExpression = aws.String("#state IN (:held, :dismissed)")
		input.ExpressionAttributeNames["#releasedAs"] = "releasedAs"
		input.ExpressionAttributeValues[":releasedAs"] = &types.AttributeValueMemberM{Value: encodeKey(closed.ReleasedAs)}
		input.ExpressionAttributeValues[":dismissed"] = text(string(inbox.Dismissed))
	}
	return e.update(ctx, input)
}

// update returns the state before an update, whether its condition failed or not.
func (e *Editor) update(ctx context.Context, input *dynamodb.UpdateItemInput) (inbox.State, error) {
	var out *dynamodb.UpdateItemOutput
	err := retryContention(ctx, func() (err error) {
		out, err = e.Client.UpdateItem(ctx, input)
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
// reports whether it did. The table holds changedBy until the next event is applied.
func (e *Editor) Rewrite(ctx context.Context, record payout.Record, read inbox.StoredPayout, changedBy inbox.ChangedBy) (bool, error) {
	encoded, err := encodeRecord(record, changedBy.At)
	if err != nil {
		return false, err
	}
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
		ReturnValues:              types.ReturnValueAllOld,
	}
	if isUnapplied(receipt) {
		dueAt := now
		if receipt.State == inbox.Held {
			dueAt = receipt.AcceptedAt
		}
		input.UpdateExpression = aws.String("SET #due = :due, dueAt = :at")
		input.ExpressionAttributeValues[":due"] = text(dueShard(key, receipt.State))
		input.ExpressionAttributeValues[":at"] = number(dueAt.UnixMilli())
	}
	state, err := e.update(ctx, input)
	return state == receipt.State, err
}

// isUnapplied reports whether a receipt belongs in the index.
func isUnapplied(receipt inbox.Receipt) bool {
	return receipt.State == inbox.Received || receipt.State == inbox.Held
}

// hasIndexEntry reports whether the index attributes of an item are right for its
// receipt.
func hasIndexEntry(i item, receipt inbox.Receipt) bool {
	_, isNumber := i["dueAt"].(*types.AttributeValueMemberN)
	if isUnapplied(receipt) {
		return isNumber && i.text("dueShard") == dueShard(receipt.Key, receipt.State)
	}
	return i["dueShard"] == nil && i["dueAt"] == nil && i["claimed"] == nil
}
