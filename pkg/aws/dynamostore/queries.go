package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

var _ reconcile.Store = (*Store)(nil)

// DueQueries implements reconcile.Store, with as many requests as Due.
func (s *Store) DueQueries(ctx context.Context, now time.Time, limit int) ([]reconcile.DueQuery, error) {
	entries, err := queries(s.Client, s.Payouts).due(ctx, now, limit)
	var due []reconcile.DueQuery
	for _, entry := range entries {
		due = append(due, reconcile.DueQuery{ID: payout.ID(entry.Key.Payout), At: entry.DueAt})
	}
	return due, err
}

// ClaimQuery implements reconcile.Store. It leaves the version as it is: a change that
// read the payout before the claim overwrites the claimed schedule, which costs a query.
func (s *Store) ClaimQuery(ctx context.Context, due reconcile.DueQuery, next inbox.Schedule) (inbox.PayoutItem, bool, error) {
	input := s.replaceSchedule(due.ID, next)
	before := item{}
	before.setTime("queryAt", due.At)
	require(input, []string{"queryAt"}, before)
	attributes, ok, err := updateIf(ctx, s.Client, input)
	if err != nil || !ok {
		return inbox.PayoutItem{}, false, err
	}
	record, err := decodeRecord(attributes)
	if err != nil {
		record = payout.Record{ID: due.ID}
	}
	return inbox.PayoutItem{Record: record, Schedule: decodeSchedule(attributes)}, err == nil, err
}

// FinishQuery implements reconcile.Store.
func (s *Store) FinishQuery(ctx context.Context, id payout.ID, claimed, next inbox.Schedule) error {
	input := s.replaceSchedule(id, next)
	before := item{}
	encodeSchedule(before, id, claimed)
	require(input, []string{"queryAt", "queryTries"}, before)
	_, _, err := updateIf(ctx, s.Client, input)
	return err
}

func (s *Store) replaceSchedule(id payout.ID, next inbox.Schedule) *dynamodb.UpdateItemInput {
	values := item{}
	encodeSchedule(values, id, next)
	return replace(s.Payouts, item{"payout": text(string(id))}, scheduleAttributes, values)
}

// ByReference implements reconcile.Store.
func (s *Store) ByReference(ctx context.Context, reference string) ([]payout.ID, error) {
	var ids []payout.ID
	for i, err := range query(ctx, s.Client, byReference(s.Payouts, reference)) {
		if err != nil {
			return nil, fmt.Errorf("query index %s: %w", referenceIndex, err)
		}
		ids = append(ids, payout.ID(i.text("payout")))
	}
	return ids, nil
}

func byReference(table, reference string) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName:                 &table,
		IndexName:                 aws.String(referenceIndex),
		KeyConditionExpression:    aws.String("#reference = :reference"),
		ExpressionAttributeNames:  map[string]string{"#reference": "reference"},
		ExpressionAttributeValues: item{":reference": text(reference)},
	}
}

// updateIf makes a conditional update and returns the item after it, and false if the
// condition failed.
func updateIf(ctx context.Context, client *dynamodb.Client, input *dynamodb.UpdateItemInput) (item, bool, error) {
	input.ReturnValues = types.ReturnValueAllNew
	if len(input.ExpressionAttributeValues) == 0 {
		input.ExpressionAttributeValues = nil // DynamoDB rejects an empty map
	}
	var out *dynamodb.UpdateItemOutput
	err := retryContention(ctx, func() (err error) {
		out, err = client.UpdateItem(ctx, input)
		return err
	})
	if _, failed := errors.AsType[*types.ConditionalCheckFailedException](err); failed {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return out.Attributes, true, nil
}
