package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

var _ reconcile.Store = (*Store)(nil)

// DueQueries implements reconcile.Store. Of each account and kind of query it reads a page
// of each shard, which is more than its share.
func (s *Store) DueQueries(ctx context.Context, now time.Time, limit int) ([]reconcile.DueQuery, error) {
	due, err := firstQueries(ctx, s.Client, s.Payouts, now, 10+2*limit/shards)
	return reconcile.LimitDue(due, limit), err
}

// firstQueries lists scheduled payouts whose query is due at the time now: of each shard,
// account, and kind of query the first page. It reads the shards at once.
func firstQueries(ctx context.Context, client *dynamodb.Client, table string, now time.Time, page int) ([]reconcile.DueQuery, error) {
	var running sync.WaitGroup
	var due [shards][]reconcile.DueQuery
	var failed [shards]error
	for n := range shards {
		running.Go(func() { due[n], failed[n] = firstInShard(ctx, client, queriesInShard(table, n, page), now) })
	}
	running.Wait()
	return slices.Concat(due[:]...), wrap(errors.Join(failed[:]...), "query index %s", queriesIndex)
}

func queriesInShard(table string, n, page int) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName:                 &table,
		IndexName:                 aws.String(queriesIndex),
		KeyConditionExpression:    aws.String("queryShard = :shard AND queryOrder > :skipped"),
		ExpressionAttributeValues: item{":shard": text(strconv.Itoa(n))},
		Limit:                     aws.Int32(int32(page)), //nolint:gosec // config bounds the limit
	}
}

// firstInShard sends a request for each account and kind of query, or fewer if a page has
// several. What it does not need of one, it skips.
func firstInShard(ctx context.Context, client *dynamodb.Client, input *dynamodb.QueryInput, now time.Time) ([]reconcile.DueQuery, error) {
	var due []reconcile.DueQuery
	counts := map[string]int32{}
	for skipped := " "; ; { // a blank is before every place
		input.ExpressionAttributeValues[":skipped"] = text(skipped)
		out, err := client.Query(ctx, input)
		if err != nil {
			return nil, err //nolint:wrapcheck // the caller names the index
		}
		for _, i := range out.Items {
			order := item(i).text("queryOrder")
			group, _ := cutOrder(order)
			s := decodeOrder(order)
			if order > skipped && !s.At.After(now) {
				due = append(due, reconcile.DueQuery{ID: payout.ID(item(i).text("payout")), At: s.At, Confirms: s.Confirms})
				counts[group]++
			}
			if s.At.After(now) || counts[group] == *input.Limit {
				skipped = group + "~" // after every time
			}
		}
		if len(out.LastEvaluatedKey) == 0 {
			return due, nil
		}
		input.ExclusiveStartKey = out.LastEvaluatedKey
		if item(out.LastEvaluatedKey).text("queryOrder") < skipped {
			input.ExclusiveStartKey = nil
		}
	}
}

// ClaimQuery implements reconcile.Store. It leaves the version as it is: a change that
// read the payout before the claim overwrites the claimed schedule, which costs a query.
func (s *Store) ClaimQuery(ctx context.Context, due reconcile.DueQuery, next inbox.Schedule) (inbox.PayoutItem, bool, error) {
	input := s.replaceSchedule(due.ID, next)
	before := item{}
	encodeSchedule(before, due.ID, inbox.Schedule{At: due.At, Confirms: due.Confirms})
	require(input, []string{"queryOrder"}, before)
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
	require(input, []string{"queryOrder", "queryTries"}, before)
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
