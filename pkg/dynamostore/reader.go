package dynamostore

import (
	"context"
	"fmt"
	"iter"
	"strings"
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
// Its sequences end with the first error, but for one kind: an error that is
// [inbox.ErrDamaged] is about the one receipt that comes with it, of which only
// the key can be trusted, and the sequence goes on.
type Reader struct {
	Client   *dynamodb.Client
	Receipts string // table name
	Payouts  string // table name
}

// Stored is a record as it stands in the table, with what the fold does not
// know of it.
type Stored struct {
	payout.Record
	UpdatedAt time.Time // when the last fact was applied
}

// Filter says which payouts to list. Its zero value lists all.
type Filter struct {
	Status   payout.Status // as shown
	Provider string
}

// The indexes of the payouts table; both hold keys only.
const (
	referenceIndex  = "reference"
	conflictedIndex = "conflicted"
)

// Record returns the record of a payout and whether there is one. It sees every
// write that was finished before.
func (r *Reader) Record(ctx context.Context, id payout.ID) (Stored, bool, error) {
	found, err := r.get(ctx, r.Payouts, item{"payout": text(string(id))})
	if err != nil || found == nil {
		return Stored{}, false, wrap(err, "get payout %s", id)
	}
	stored, err := decodeStored(found)
	return stored, true, err
}

// Receipt returns the receipt of a key and whether there is one, which may be
// damaged. It sees every write that was finished before.
func (r *Reader) Receipt(ctx context.Context, key inbox.Key) (inbox.Receipt, bool, error) {
	found, err := r.get(ctx, r.Receipts, receiptKey(key))
	if err != nil || found == nil {
		return inbox.Receipt{}, false, wrap(err, "get receipt %s", key.Receipt)
	}
	receipt, err := decodeReceipt(found)
	return receipt, true, err
}

// Story lists the receipts of one payout by their keys, applied or not; it
// sees every write that was finished before. Held callbacks belong to no payout.
func (r *Reader) Story(ctx context.Context, id payout.ID) iter.Seq2[inbox.Receipt, error] {
	input := &dynamodb.QueryInput{
		TableName:                 &r.Receipts,
		KeyConditionExpression:    aws.String("payout = :payout"),
		ExpressionAttributeValues: item{":payout": text(string(id))},
		ConsistentRead:            aws.Bool(true),
	}
	return func(yield func(inbox.Receipt, error) bool) {
		for found, err := range r.query(ctx, input) {
			if err != nil {
				yield(inbox.Receipt{}, fmt.Errorf("query receipts of %s: %w", id, err))
				return
			}
			if !yield(decodeReceipt(found)) {
				return
			}
		}
	}
}

// ByReference lists the payouts that show a reference of ours. The index may be
// a moment behind, and a payout whose facts tell two references shows neither.
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
// Either may be a moment behind.
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
		pages := dynamodb.NewScanPaginator(r.Client, input)
		found := items(pages.HasMorePages, func() ([]map[string]types.AttributeValue, error) {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("scan payouts: %w", err)
			}
			return page.Items, nil
		})
		for one, err := range found {
			stored := Stored{}
			if err == nil {
				stored, err = decodeStored(one)
			}
			if !yield(stored, err) || err != nil {
				return
			}
		}
	}
}

// apply has the filter done by DynamoDB, which saves the transfer, not the reading.
func (f Filter) apply(input *dynamodb.ScanInput) {
	var conditions []string
	if f.Status != "" {
		conditions = append(conditions, "#status = :status")
		input.ExpressionAttributeNames = map[string]string{"#status": "status"}
		input.ExpressionAttributeValues = item{":status": text(string(f.Status))}
	}
	if f.Provider != "" {
		conditions = append(conditions, "begins_with(payout, :provider)")
		if input.ExpressionAttributeValues == nil {
			input.ExpressionAttributeValues = item{}
		}
		input.ExpressionAttributeValues[":provider"] = text(f.Provider + "/")
	}
	if len(conditions) > 0 {
		input.FilterExpression = aws.String(strings.Join(conditions, " AND "))
	}
}

// Admits reports whether a payout passes the filter.
func (f Filter) Admits(stored Stored) bool {
	return (f.Status == "" || f.Status == stored.Status()) &&
		(f.Provider == "" || f.Provider == stored.ID.Provider())
}

// indexed gets the records that a query on an index of keys names.
func (r *Reader) indexed(ctx context.Context, input *dynamodb.QueryInput, filter Filter) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		for found, err := range r.query(ctx, input) {
			if err != nil {
				yield(Stored{}, fmt.Errorf("query index %s: %w", *input.IndexName, err))
				return
			}
			stored, there, err := r.Record(ctx, payout.ID(found.text("payout")))
			if err == nil && (!there || !filter.Admits(stored)) {
				continue
			}
			if !yield(stored, err) || err != nil {
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
			for _, one := range page {
				if !yield(one, nil) {
					return
				}
			}
		}
	}
}

func decodeStored(i item) (Stored, error) {
	record, err := decodeRecord(i)
	return Stored{Record: record, UpdatedAt: i.time("updatedAt")}, err
}

func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
