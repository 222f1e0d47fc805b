package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Reader reads what Store writes, for payoutctl and tools; no function uses it. It
// holds one page in memory and is safe for concurrent use.
//
// Its sequences end with the first error, except those that concern one item: a
// receipt with [inbox.ErrDamagedReceipt] has a valid key only, a payout with
// [inbox.ErrDamagedPayout] or [inbox.ErrLaterVersion] has a valid ID only, and the
// sequence continues.
type Reader struct {
	Client   *dynamodb.Client
	Receipts string // table name
	Payouts  string // table name
}

// Stored is a record with the attributes that are not part of it.
type Stored struct {
	payout.Record
	Schedule  inbox.Schedule  // when the provider is asked about it
	UpdatedAt time.Time       // when the last event was applied
	Rebuilt   inbox.ChangedBy // who rebuilt it since then, if anybody did
}

// Filter selects payouts. Its zero value selects all.
type Filter struct {
	Status   payout.Status
	Provider string
	Account  string
	Since    time.Time // updated at or after
	Until    time.Time // updated before

	Overdue     bool // only those that are overdue
	Unconfirmed bool // only those with a final status that no query stated
	Unexpected  bool // only those that our own service did not state that it ordered
}

// HasIndex reports whether an index lists the payouts, so that List does not scan.
func (f Filter) HasIndex() bool { return f.Status == payout.Conflicted || f.Overdue }

// The indexes of the payouts table. They hold keys only.
const (
	referenceIndex  = "reference"
	conflictedIndex = "conflicted" // by time of the last update
	overdueIndex    = "overdue"    // by time of the last update
	queriesIndex    = "queries"    // by time of the next query
)

// Record returns the record of a payout, and whether there is one. It sees every
// write that finished before.
func (r *Reader) Record(ctx context.Context, id payout.ID) (Stored, bool, error) {
	i, err := r.get(ctx, r.Payouts, item{"payout": text(string(id))})
	if err != nil || i == nil {
		return Stored{}, false, wrap(err, "get payout %s", id)
	}
	stored, err := decodeStored(i)
	return stored, true, err
}

// Receipt returns the receipt with a key, and whether there is one, damaged or not.
// It sees every write that finished before.
func (r *Reader) Receipt(ctx context.Context, key inbox.Key) (inbox.Receipt, bool, error) {
	i, err := r.get(ctx, r.Receipts, receiptKey(key))
	if err != nil || i == nil {
		return inbox.Receipt{}, false, wrap(err, "get receipt %s", key.Receipt)
	}
	receipt, err := decodeReceipt(i)
	return receipt, true, err
}

// ReceiptsOf lists the receipts of a payout by their keys, applied or not. It sees
// every write that finished before. Held callbacks belong to no payout.
func (r *Reader) ReceiptsOf(ctx context.Context, id payout.ID) iter.Seq2[inbox.Receipt, error] {
	return func(yield func(inbox.Receipt, error) bool) {
		for i, err := range query(ctx, r.Client, r.receiptsOf(string(id))) {
			if err != nil {
				yield(inbox.Receipt{}, fmt.Errorf("query receipts of %s: %w", id, err))
				return
			}
			if !yield(decodeReceipt(i)) {
				return
			}
		}
	}
}

func (r *Reader) receiptsOf(payoutID string) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName:                 &r.Receipts,
		KeyConditionExpression:    aws.String("payout = :payout"),
		ExpressionAttributeValues: item{":payout": text(payoutID)},
		ConsistentRead:            aws.Bool(true),
	}
}

// ByReference lists the payouts with a reference of ours. The index is eventually
// consistent, so each payout is read again by its ID. A payout with two references
// is in the index under neither.
func (r *Reader) ByReference(ctx context.Context, reference string) iter.Seq2[Stored, error] {
	return r.indexed(ctx, byReference(r.Payouts, reference), Filter{})
}

// List lists payouts. It reads conflicted and overdue payouts from an index, the latest
// update first, and each again by its ID, because the index is eventually consistent.
// For any other filter it scans the table, in no order; the caller pays for what is
// read until it stops. Each page of the scan sees every write that finished before
// the page was read.
func (r *Reader) List(ctx context.Context, filter Filter) iter.Seq2[Stored, error] {
	switch {
	case filter.Status == payout.Conflicted:
		return r.latestFirst(ctx, conflictedIndex, string(payout.Conflicted), filter)
	case filter.Overdue:
		return r.latestFirst(ctx, overdueIndex, string(payout.Overdue), filter)
	}
	return r.scan(ctx, filter)
}

// latestFirst lists the payouts of a sparse index.
func (r *Reader) latestFirst(ctx context.Context, index, value string, filter Filter) iter.Seq2[Stored, error] {
	input := r.sparseIndex(index, value)
	input.ScanIndexForward = aws.Bool(false)
	if !filter.Until.IsZero() {
		*input.KeyConditionExpression += " AND updatedAt < :until"
		input.ExpressionAttributeValues[":until"] = number(filter.Until.UnixMilli())
	}
	return r.indexed(ctx, input, filter)
}

// sparseIndex returns a query of an index whose attribute has the name of the index.
func (r *Reader) sparseIndex(index, value string) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName:                 &r.Payouts,
		IndexName:                 &index,
		KeyConditionExpression:    aws.String("#partition = :value"),
		ExpressionAttributeNames:  map[string]string{"#partition": index},
		ExpressionAttributeValues: item{":value": text(value)},
	}
}

// Scheduled lists payouts whose query is due at a time: of each account at least one, and
// of each shard of the index up to limit. It reads each again by its ID, because the index
// is eventually consistent, and leaves out a payout that is not scheduled any more.
func (r *Reader) Scheduled(ctx context.Context, due time.Time, limit int) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		scheduled, err := firstQueries(ctx, r.Client, r.Payouts, due, limit)
		if err != nil {
			yield(Stored{}, err)
		}
		for _, query := range scheduled {
			stored, ok, err := r.Record(ctx, query.ID)
			if err == nil && (!ok || stored.Schedule.At.IsZero()) {
				continue
			}
			if !yield(stored, err) || isFatal(err) {
				return
			}
		}
	}
}

func (r *Reader) scan(ctx context.Context, filter Filter) iter.Seq2[Stored, error] {
	input := &dynamodb.ScanInput{TableName: &r.Payouts}
	filter.apply(input)
	return func(yield func(Stored, error) bool) {
		for i, err := range scanAll(ctx, r.Client, input) {
			if err != nil {
				yield(Stored{}, fmt.Errorf("scan payouts: %w", err))
				return
			}
			stored, err := decodeStored(i)
			if err == nil && !filter.Admits(stored) {
				continue
			}
			if !yield(stored, err) || isFatal(err) {
				return
			}
		}
	}
}

// apply makes DynamoDB filter, which saves transfer but not read units.
func (f Filter) apply(input *dynamodb.ScanInput) {
	var conditions []string
	input.ExpressionAttributeValues = item{}
	add := func(condition, name string, value types.AttributeValue) {
		conditions = append(conditions, condition)
		input.ExpressionAttributeValues[name] = value
	}
	if !f.Since.IsZero() {
		add("updatedAt >= :since", ":since", number(f.Since.UnixMilli()))
	}
	if f.Status != "" {
		add("#status = :status", ":status", text(string(f.Status)))
		input.ExpressionAttributeNames = map[string]string{"#status": "status"}
	}
	if f.Provider != "" {
		add("begins_with(payout, :provider)", ":provider", text(f.Provider+"/"))
	}
	if f.Account != "" {
		// The account is the third part of the ID; Admits checks which part matched.
		add("contains(payout, :account)", ":account", text("/"+url.PathEscape(f.Account)+"/"))
	}
	if !f.Until.IsZero() {
		add("updatedAt < :until", ":until", number(f.Until.UnixMilli()))
	}
	if f.Unconfirmed {
		conditions = append(conditions, "attribute_not_exists(confirmed)")
	}
	if f.Unexpected {
		conditions = append(conditions, "attribute_not_exists(expected)")
	}
	setFilter(input, conditions)
}

// Admits reports whether the filter selects a payout.
func (f Filter) Admits(stored Stored) bool {
	return (f.Status == "" || f.Status == stored.Status()) &&
		(f.Provider == "" || f.Provider == stored.ID.Provider()) &&
		(f.Account == "" || f.Account == stored.ID.Account()) &&
		!stored.UpdatedAt.Before(f.Since) &&
		(f.Until.IsZero() || stored.UpdatedAt.Before(f.Until)) &&
		f.admitsKnowledge(stored.Record)
}

// admitsKnowledge reports whether the filter selects a payout by what queries and our own
// service stated.
func (f Filter) admitsKnowledge(record payout.Record) bool {
	return (!f.Overdue || record.IsOverdue()) &&
		(!f.Unconfirmed || record.Status().IsFinal() && !record.IsConfirmed()) &&
		(!f.Unexpected || !record.IsExpected())
}

// indexed lists the records whose keys a query of an index returns.
func (r *Reader) indexed(ctx context.Context, input *dynamodb.QueryInput, filter Filter) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		for i, err := range query(ctx, r.Client, input) {
			if err != nil {
				yield(Stored{}, fmt.Errorf("query index %s: %w", *input.IndexName, err))
				return
			}
			stored, ok, err := r.Record(ctx, payout.ID(i.text("payout")))
			if err == nil && (!ok || !filter.Admits(stored)) {
				continue
			}
			if !yield(stored, err) || isFatal(err) {
				return
			}
		}
	}
}

func (r *Reader) get(ctx context.Context, table string, key item) (item, error) {
	out, err := r.Client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &table,
		Key:            key,
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, err
	}
	return out.Item, nil
}

// query lists the items of a Query. Its sequence can be ranged over once.
func query(ctx context.Context, client *dynamodb.Client, input *dynamodb.QueryInput) iter.Seq2[item, error] {
	pages := dynamodb.NewQueryPaginator(client, input)
	return items(pages.HasMorePages, func() ([]map[string]types.AttributeValue, error) {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		return page.Items, nil
	})
}

// items lists the items of pages. It ends after an error.
func items(more func() bool, next func() ([]map[string]types.AttributeValue, error)) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		for more() {
			page, err := next()
			if err != nil {
				yield(nil, err)
				return
			}
			for _, attributes := range page {
				if !yield(attributes, nil) {
					return
				}
			}
		}
	}
}

// isFatal reports whether a sequence of payouts ends with an error.
func isFatal(err error) bool {
	return err != nil && !errors.Is(err, inbox.ErrDamagedPayout) && !errors.Is(err, inbox.ErrLaterVersion)
}

func decodeStored(i item) (Stored, error) {
	record, err := decodeRecord(i)
	return Stored{record, decodeSchedule(i), i.time("updatedAt"), decodeChangedBy(i.child("rebuilt"))}, err
}

func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
