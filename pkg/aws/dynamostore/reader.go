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

// Reader reads what Store writes, for people and tools; the functions never
// need it. It holds one page in memory, however much there is, and is safe for
// concurrent use.
//
// Its sequences end with the first error, but for those that are about one item:
// of a receipt that comes with [inbox.ErrDamaged] only the key can be trusted,
// of a payout that comes with [inbox.ErrDamagedRecord] or [inbox.ErrLaterRecord]
// only the ID, and the sequence goes on.
type Reader struct {
	Client   *dynamodb.Client
	Receipts string // table name
	Payouts  string // table name
}

// Stored is a record as it stands in the table, with what the fold does not
// know of it.
type Stored struct {
	payout.Record
	UpdatedAt time.Time       // when the last fact was applied
	Rebuilt   inbox.ChangedBy // by whose hand it was written since then, if it was
}

// Filter says which payouts to list. Its zero value lists all.
type Filter struct {
	Status   payout.Status // as shown
	Provider string
	Account  string
	Since    time.Time // updated then or later
	Until    time.Time // updated before
}

// The indexes of the payouts table; both hold keys only.
const (
	referenceIndex  = "reference"
	conflictedIndex = "conflicted"
)

// Record returns the record of a payout and whether there is one. It sees every
// write that was finished before.
func (r *Reader) Record(ctx context.Context, id payout.ID) (Stored, bool, error) {
	i, err := r.get(ctx, r.Payouts, item{"payout": text(string(id))})
	if err != nil || i == nil {
		return Stored{}, false, wrap(err, "get payout %s", id)
	}
	stored, err := decodeStored(i)
	return stored, true, err
}

// Receipt returns the receipt of a key and whether there is one, which may be
// damaged. It sees every write that was finished before.
func (r *Reader) Receipt(ctx context.Context, key inbox.Key) (inbox.Receipt, bool, error) {
	i, err := r.get(ctx, r.Receipts, receiptKey(key))
	if err != nil || i == nil {
		return inbox.Receipt{}, false, wrap(err, "get receipt %s", key.Receipt)
	}
	receipt, err := decodeReceipt(i)
	return receipt, true, err
}

// Story lists the receipts of one payout by their keys, applied or not; it
// sees every write that was finished before. Held callbacks belong to no payout.
func (r *Reader) ReceiptsOf(ctx context.Context, id payout.ID) iter.Seq2[inbox.Receipt, error] {
	return func(yield func(inbox.Receipt, error) bool) {
		for i, err := range r.query(ctx, r.receiptsOf(string(id))) {
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

// ByReference lists the payouts that show a reference of ours. The index may be
// a moment behind, so each payout that it names is read again by its ID. A
// payout with two references shows neither.
func (r *Reader) ByReference(ctx context.Context, reference string) iter.Seq2[Stored, error] {
	return r.indexed(ctx, &dynamodb.QueryInput{
		TableName:                 &r.Payouts,
		IndexName:                 aws.String(referenceIndex),
		KeyConditionExpression:    aws.String("#reference = :reference"),
		ExpressionAttributeNames:  map[string]string{"#reference": "reference"},
		ExpressionAttributeValues: item{":reference": text(reference)},
	}, Filter{})
}

// List lists payouts. Those that are conflicted come from an index, the last
// one updated first. Anything else is a Scan: it comes in no order, and costs
// the reading of whatever part of the table is passed until the caller stops.
// The index may be a moment behind, so each payout that it names is read again
// by its ID; a Scan sees every write that was finished before its page was read.
func (r *Reader) List(ctx context.Context, filter Filter) iter.Seq2[Stored, error] {
	if filter.Status != payout.Conflicted {
		return r.scan(ctx, filter)
	}
	return r.indexed(ctx, &dynamodb.QueryInput{
		TableName:                 &r.Payouts,
		IndexName:                 aws.String(conflictedIndex),
		KeyConditionExpression:    aws.String("conflicted = :conflicted"),
		ExpressionAttributeValues: item{":conflicted": text(string(payout.Conflicted))},
		ScanIndexForward:          aws.Bool(false),
	}, filter)
}

func (r *Reader) scan(ctx context.Context, filter Filter) iter.Seq2[Stored, error] {
	input := &dynamodb.ScanInput{TableName: &r.Payouts}
	filter.apply(input)
	return func(yield func(Stored, error) bool) {
		for i, err := range r.scanAll(ctx, input) {
			if err != nil {
				yield(Stored{}, fmt.Errorf("scan payouts: %w", err))
				return
			}
			if stored, err := decodeStored(i); !yield(stored, err) || ends(err) {
				return
			}
		}
	}
}

// apply has the filter done by DynamoDB, which saves the transfer, not the reading.
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
		// The third part of four or five; Admits looks again.
		add("contains(payout, :account)", ":account", text("/"+url.PathEscape(f.Account)+"/"))
	}
	if !f.Until.IsZero() {
		add("updatedAt < :until", ":until", number(f.Until.UnixMilli()))
	}
	setFilter(input, conditions)
}

// Admits reports whether a payout passes the filter.
func (f Filter) Admits(stored Stored) bool {
	return (f.Status == "" || f.Status == stored.Status()) &&
		(f.Provider == "" || f.Provider == stored.ID.Provider()) &&
		(f.Account == "" || f.Account == stored.ID.Account()) &&
		!stored.UpdatedAt.Before(f.Since) &&
		(f.Until.IsZero() || stored.UpdatedAt.Before(f.Until))
}

// indexed gets the records that a query on an index of keys names.
func (r *Reader) indexed(ctx context.Context, input *dynamodb.QueryInput, filter Filter) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		for i, err := range r.query(ctx, input) {
			if err != nil {
				yield(Stored{}, fmt.Errorf("query index %s: %w", *input.IndexName, err))
				return
			}
			stored, ok, err := r.Record(ctx, payout.ID(i.text("payout")))
			if err == nil && (!ok || !filter.Admits(stored)) {
				continue
			}
			if !yield(stored, err) || ends(err) {
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

// query lists the items of a Query once; each call of it begins anew.
func (r *Reader) query(ctx context.Context, input *dynamodb.QueryInput) iter.Seq2[item, error] {
	return query(ctx, r.Client, input)
}

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

// items flattens pages. After an error there are no more.
func items(more func() bool, next func() ([]map[string]types.AttributeValue, error)) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		for more() {
			page, err := next()
			if err != nil {
				yield(nil, err)
				return
			}
			for _, attributeValues := range page {
				if !yield(attributeValues, nil) {
					return
				}
			}
		}
	}
}

// ends reports whether a sequence of payouts ends with this error.
func ends(err error) bool {
	return err != nil && !errors.Is(err, inbox.ErrDamagedPayout) && !errors.Is(err, inbox.ErrLaterVersion)
}

func decodeStored(i item) (Stored, error) {
	record, err := decodeRecord(i)
	return Stored{Record: record, UpdatedAt: i.time("updatedAt"), Rebuilt: decodeChangedBy(i.child("rebuilt"))}, err
}

func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
