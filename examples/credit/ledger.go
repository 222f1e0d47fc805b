package main

import (
	"context"
	"errors"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// errRaced means that somebody else wrote the entry since it was read.
var errRaced = errors.New("the entry was written by another one")

// ledger keeps the entries in a table with the partition key payout. A customer's
// credits are the entries with their reference; where you keep a balance as a
// number of its own, change it in one TransactWriteItems with the put below.
type ledger struct {
	client *dynamodb.Client
	table  string
}

// read returns the entry of a payout, which is empty before the first notice.
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

// write puts the entry in the place of the one that was read. The condition is
// what makes the credit happen once: of two that read the same version, one is
// refused, and reads again.
func (l *ledger) write(ctx context.Context, next entry, read int64) error {
	input := &dynamodb.PutItemInput{
		TableName: &l.table, Item: encode(next), ConditionExpression: aws.String("attribute_not_exists(payout)"),
	}
	if read > 0 {
		input.ConditionExpression = aws.String("version = :read")
		input.ExpressionAttributeValues = map[string]types.AttributeValue{":read": number(read)}
	}
	_, err := l.client.PutItem(ctx, input)
	if _, refused := errors.AsType[*types.ConditionalCheckFailedException](err); refused {
		return errRaced
	}
	return err
}

func encode(e entry) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"payout": text(e.Payout), "version": number(e.Version), "status": text(e.Status), "reference": text(e.Reference),
		"credited": text(e.Credited), "currency": text(e.Currency), "review": &types.AttributeValueMemberBOOL{Value: e.Review},
	}
}

func decode(item map[string]types.AttributeValue) entry {
	read := func(name string) string {
		value, _ := item[name].(*types.AttributeValueMemberS)
		if value == nil {
			return ""
		}
		return value.Value
	}
	e := entry{
		Payout: read("payout"), Status: read("status"), Reference: read("reference"),
		Credited: read("credited"), Currency: read("currency"),
	}
	if version, ok := item["version"].(*types.AttributeValueMemberN); ok {
		e.Version, _ = strconv.ParseInt(version.Value, 10, 64)
	}
	if review, ok := item["review"].(*types.AttributeValueMemberBOOL); ok {
		e.Review = review.Value
	}
	return e
}

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

func number(value int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(value, 10)}
}
