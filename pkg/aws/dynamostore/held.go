package dynamostore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/reconcile"
)

// DueHeld implements reconcile.Store.
func (s *Store) DueHeld(ctx context.Context, now time.Time, limit int) ([]reconcile.DueHeld, error) {
	entries, err := unapplied{s.Client, s.Receipts, heldQuery}.due(ctx, now, limit)
	var due []reconcile.DueHeld
	for _, entry := range entries {
		due = append(due, reconcile.DueHeld{Key: entry.Key, At: entry.DueAt, AcceptedAt: entry.AcceptedAt})
	}
	return due, err
}

// ClaimHeld implements reconcile.Store.
func (s *Store) ClaimHeld(ctx context.Context, due reconcile.DueHeld, next inbox.Schedule) (inbox.Receipt, bool, error) {
	input := s.replaceHeldSchedule(due.Key, next)
	requireHeld(input, due.Key, inbox.Schedule{At: due.At}, "dueShard", "dueAt")
	attributes, ok, err := updateIf(ctx, s.Client, input)
	if err != nil || !ok {
		return inbox.Receipt{}, false, err
	}
	receipt, err := decodeReceipt(attributes)
	return receipt, err == nil, err
}

// FinishHeld implements reconcile.Store.
func (s *Store) FinishHeld(ctx context.Context, key inbox.Key, claimed, next inbox.Schedule) error {
	input := s.replaceHeldSchedule(key, next)
	requireHeld(input, key, claimed, "dueShard", "dueAt", "queryTries")
	_, _, err := updateIf(ctx, s.Client, input)
	return err
}

// replaceHeldSchedule moves a held receipt to the partition of those that wait for a
// person, by the time at which they were accepted, if its queries end.
func (s *Store) replaceHeldSchedule(key inbox.Key, next inbox.Schedule) *dynamodb.UpdateItemInput {
	values := item{}
	encodeHeldSchedule(values, key, next, time.Time{})
	if !next.At.IsZero() {
		return replace(s.Receipts, receiptKey(key), heldScheduleAttributes, values)
	}
	names := []string{"dueShard", "queryTries", "queriedAt", "queryResult"}
	input := replace(s.Receipts, receiptKey(key), names, values)
	// A damaged receipt may have no acceptedAt.
	input.UpdateExpression = aws.String(strings.Replace(*input.UpdateExpression, "SET ", "SET dueAt = if_not_exists(acceptedAt, dueAt), ", 1))
	return input
}

// requireHeld adds the condition that a receipt is held, and that attributes are as in a
// schedule.
func requireHeld(input *dynamodb.UpdateItemInput, key inbox.Key, claimed inbox.Schedule, names ...string) {
	before := item{"state": text(string(inbox.Held))}
	encodeHeldSchedule(before, key, claimed, time.Time{})
	require(input, append(names, "state"), before)
}

// AnswerHeld implements reconcile.Store.
func (s *Store) AnswerHeld(ctx context.Context, key, answer inbox.Key, by inbox.ChangedBy) (bool, error) {
	closed := inbox.Receipt{Key: key, State: inbox.Answered, ReleasedAs: answer, ChangedBy: by}
	_, ok, err := updateIf(ctx, s.Client, closeHeld(s.Receipts, closed, inbox.Held))
	return ok, err
}

// closeHeld returns the update that closes a receipt, if it is in one of the states.
func closeHeld(table string, closed inbox.Receipt, states ...inbox.State) *dynamodb.UpdateItemInput {
	values := item{"state": text(string(closed.State))}
	values.setChild("changedBy", encodeChangedBy(closed.ChangedBy))
	values.setChild("releasedAs", encodeKey(closed.ReleasedAs))
	names := append([]string{"state", "changedBy", "releasedAs"}, heldScheduleAttributes...)
	input := replace(table, receiptKey(closed.Key), names, values)
	var conditions []string
	for n, state := range states {
		name := fmt.Sprint(":state", n)
		input.ExpressionAttributeValues[name] = text(string(state))
		conditions = append(conditions, "#state = "+name)
	}
	input.ConditionExpression = aws.String(strings.Join(conditions, " OR "))
	return input
}
