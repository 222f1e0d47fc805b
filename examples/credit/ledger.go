package main

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// errRaced means that the entry was written after it was read.
var errRaced = errors.New("the entry was written concurrently")

// ledger stores the entries in a table with the partition key payout, and the
// orders in a table with the partition key reference. If you store a balance, too,
// update it in the transaction below.
type ledger struct {
	client *dynamodb.Client
	table  string
	orders string
}

// read returns the entry of a payout, or the zero entry.
func (l *ledger) read(ctx context.Context, payout string) (entry, error) {
	out, err := l.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &l.table, ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{"payout": text(payout)},
	})
	if err != nil || out.Item == nil {
		return entry{}, err
	}
	return decode(out.Item), nil
}

// order returns the order under a reference, or the zero order.
func (l *ledger) order(ctx context.Context, reference string) (order, error) {
	if reference == "" {
		return order{}, nil
	}
	out, err := l.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &l.orders, ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{"reference": text(reference)},
	})
	if err != nil || out.Item == nil {
		return order{}, err
	}
	return order{
		Reference: textOf(out.Item, "reference"), Amount: textOf(out.Item, "amount"),
		Currency: textOf(out.Item, "currency"), Payout: textOf(out.Item, "payout"),
	}, nil
}

// write replaces the entry that was read. A credit marks the order in the same
// transaction. The conditions make sure that a credit happens once: of two writes
// that read the same version of a payout, or of two payouts of one order, one
// fails with errRaced and is tried again.
func (l *ledger) write(ctx context.Context, before, next entry) error {
	put := &types.Put{TableName: &l.table, Item: encode(next), ConditionExpression: aws.String("attribute_not_exists(payout)")}
	if before.Version > 0 {
		put.ConditionExpression = aws.String("version = :read")
		put.ExpressionAttributeValues = map[string]types.AttributeValue{":read": number(before.Version)}
	}
	writes := []types.TransactWriteItem{{Put: put}}
	if before.Credited == "" && next.Credited != "" {
		writes = append(writes, types.TransactWriteItem{Update: &types.Update{
			TableName: &l.orders, Key: map[string]types.AttributeValue{"reference": text(next.Reference)},
			UpdateExpression:          aws.String("SET payout = :payout"),
			ConditionExpression:       aws.String("attribute_exists(#reference) AND (attribute_not_exists(payout) OR payout = :payout)"),
			ExpressionAttributeNames:  map[string]string{"#reference": "reference"}, // a reserved word
			ExpressionAttributeValues: map[string]types.AttributeValue{":payout": text(next.Payout)},
		}})
	}
	_, err := l.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: writes})
	if canceled, ok := errors.AsType[*types.TransactionCanceledException](err); ok && isRace(canceled) {
		return errRaced
	}
	return err
}

// isRace reports whether another write was first, or is in progress.
func isRace(canceled *types.TransactionCanceledException) bool {
	return slices.ContainsFunc(canceled.CancellationReasons, func(reason types.CancellationReason) bool {
		code := aws.ToString(reason.Code)
		return code == "ConditionalCheckFailed" || code == "TransactionConflict"
	})
}

func encode(e entry) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"payout": text(e.Payout), "version": number(e.Version), "status": text(e.Status), "reference": text(e.Reference),
		"credited": text(e.Credited), "currency": text(e.Currency), "review": &types.AttributeValueMemberBOOL{Value: e.Review},
	}
}

func decode(item map[string]types.AttributeValue) entry {
	e := entry{
		Payout: textOf(item, "payout"), Status: textOf(item, "status"), Reference: textOf(item, "reference"),
		Credited: textOf(item, "credited"), Currency: textOf(item, "currency"),
	}
	if version, ok := item["version"].(*types.AttributeValueMemberN); ok {
		e.Version, _ = strconv.ParseInt(version.Value, 10, 64)
	}
	if review, ok := item["review"].(*types.AttributeValueMemberBOOL); ok {
		e.Review = review.Value
	}
	return e
}

func textOf(item map[string]types.AttributeValue, name string) string {
	value, _ := item[name].(*types.AttributeValueMemberS)
	if value == nil {
		return ""
	}
	return value.Value
}

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

func number(value int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(value, 10)}
}
