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

// Editor writes what a person does to the records by hand, each under a
// condition on what was read; the functions never need it. It is safe for
// concurrent use.
type Editor struct{ Reader }

// Close takes a held receipt out of the index and marks it as closed says:
// released, with the receipt that it became, or dismissed. A dismissed receipt
// may still be released. It returns the state that was met, "" where there is
// no such receipt; the receipt was marked if it could be.
func (e *Editor) Close(ctx context.Context, closed inbox.Receipt) (inbox.State, error) {
	input := &dynamodb.UpdateItemInput{
		TableName:                &e.Receipts,
		Key:                      receiptKey(closed.Key),
		UpdateExpression:         aws.String("SET #state = :closed, #hand = :hand REMOVE #due, dueAt"),
		ConditionExpression:      aws.String("#state = :held"),
		ExpressionAttributeNames: map[string]string{"#state": "state", "#hand": "changedBy", "#due": "dueShard"},
		ExpressionAttributeValues: item{
			":closed": text(string(closed.State)),
			":held":   text(string(inbox.Held)),
			":hand":   &types.AttributeValueMemberM{Value: encodeChangedBy(closed.ChangedBy)},
		},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		ReturnValues:                        types.ReturnValueAllOld,
	}
	if closed.State == inbox.Released {
		input.UpdateExpression = aws.String("SET #state = :closed, #hand = :hand, #as = :as REMOVE #due, dueAt")
		input.ConditionExpression = aws.String("#state IN (:held, :dismissed)")
		input.ExpressionAttributeNames["#as"] = "releasedAs"
		input.ExpressionAttributeValues[":as"] = &types.AttributeValueMemberM{Value: encodeKey(closed.ReleasedAs)}
		input.ExpressionAttributeValues[":dismissed"] = text(string(inbox.Dismissed))
	}
	return e.update(ctx, input)
}

// update returns the state that an update met, whether it was refused or not.
func (e *Editor) update(ctx context.Context, input *dynamodb.UpdateItemInput) (inbox.State, error) {
	var out *dynamodb.UpdateItemOutput
	err := retryContention(ctx, func() (err error) {
		out, err = e.Client.UpdateItem(ctx, input)
		return err
	})
	if refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return stateOf(refused.Item), nil
	}
	if err != nil {
		return "", err
	}
	return stateOf(out.Attributes), nil
}

// Rewrite puts a record where the payout still stands as it was read, and
// reports whether it did. The hand is kept beside it until the next fact is
// applied.
func (e *Editor) Rewrite(ctx context.Context, record payout.Record, read inbox.StoredPayout, changedBy inbox.ChangedBy) (bool, error) {
	encoded, err := encodeRecord(record, changedBy.At)
	if err != nil {
		return false, err
	}
	encoded.setChild("rebuilt", encodeChangedBy(changedBy))
	input := &dynamodb.PutItemInput{TableName: &e.Payouts, Item: encoded, ConditionExpression: aws.String(absent)}
	if read.Exists {
		// Whatever stands there as the version, also where that is no number.
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
	if _, refused := errors.AsType[*types.ConditionalCheckFailedException](err); refused {
		return false, nil
	}
	return err == nil, err
}

// Reindex gives a receipt the place in the index that its state wants, as due
// now where it is received, and reports whether it had another one.
func (e *Editor) Reindex(ctx context.Context, key inbox.Key, now time.Time) (bool, error) {
	i, err := e.get(ctx, e.Receipts, receiptKey(key))
	if err != nil || i == nil {
		return false, err
	}
	receipt, err := decodeReceipt(i)
	if err != nil || placed(i, receipt) {
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
	if waits(receipt) {
		dueAt := now
		if receipt.State == inbox.Held {
			dueAt = receipt.AcceptedAt
		}
		input.UpdateExpression = aws.String("SET #due = :due, dueAt = :at")
		input.ExpressionAttributeValues[":due"] = text(dueShard(key, receipt.State))
		input.ExpressionAttributeValues[":at"] = number(dueAt.UnixMilli())
	}
	met, err := e.update(ctx, input)
	return met == receipt.State, err
}

// waits reports whether a receipt belongs into the index.
func waits(receipt inbox.Receipt) bool {
	return receipt.State == inbox.Received || receipt.State == inbox.Held
}

// placed reports whether an item stands in the index as its receipt wants.
func placed(i item, receipt inbox.Receipt) bool {
	_, isNumber := i["dueAt"].(*types.AttributeValueMemberN)
	if waits(receipt) {
		return isNumber && i.text("dueShard") == dueShard(receipt.Key, receipt.State)
	}
	return i["dueShard"] == nil && i["dueAt"] == nil && i["claimed"] == nil
}
