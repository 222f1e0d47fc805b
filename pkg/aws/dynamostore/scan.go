package dynamostore

import (
	"context"
	"errors"
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

// withoutBody has the attributes of a receipt except body and note, which are most
// of its size.
var withoutBody = []string{
	"payout", "receipt", "state", "acceptedAt", "appliedAt", "outcome", "keyId", "reason", "dueShard", "dueAt", "claimed", "changedBy", "releasedAs",
	"queryTries", "queriedAt", "queryResult", "providerId", "deadline", "linkedTo", "decision", "reference", "amount", "currency", "chain", "token", "from", "to", "memo", "txid", "blockHeight", "blockTime", "totals",
}

// ScanReceipts lists the receipts that were accepted at from or later and before
// to, without bodies and notes; a zero time is no bound. It reads the whole table,
// and each page sees every write that finished before the page was read. The
// receipts of one payout follow each other, as DynamoDB stores them, although its
// documentation does not promise that for a Scan. [inbox.ErrDamagedReceipt] and
// [inbox.ErrIndexMismatch] concern only the receipt that comes with them.
func (r *Reader) ScanReceipts(ctx context.Context, from, to time.Time) iter.Seq2[inbox.Receipt, error] {
	input := &dynamodb.ScanInput{TableName: &r.Receipts, ExpressionAttributeNames: map[string]string{}}
	var projection []string
	for _, name := range withoutBody {
		// Several names are reserved words of DynamoDB.
		projection = append(projection, "#"+name)
		input.ExpressionAttributeNames["#"+name] = name
	}
	input.ProjectionExpression = aws.String(strings.Join(projection, ", "))
	var conditions []string
	input.ExpressionAttributeValues = item{}
	if !from.IsZero() {
		conditions = append(conditions, "acceptedAt >= :from")
		input.ExpressionAttributeValues[":from"] = number(from.UnixMilli())
	}
	if !to.IsZero() {
		conditions = append(conditions, "acceptedAt < :to")
		input.ExpressionAttributeValues[":to"] = number(to.UnixMilli())
	}
	setFilter(input, conditions)
	return func(yield func(inbox.Receipt, error) bool) {
		for i, err := range scanAll(ctx, r.Client, input) {
			if err != nil {
				yield(inbox.Receipt{}, fmt.Errorf("scan receipts: %w", err))
				return
			}
			if !yield(decodeIndexed(i)) {
				return
			}
		}
	}
}

// ReceiptsWithIndex lists the receipts of a payout, or of a held callback, and
// checks their index attributes as ScanReceipts does.
func (r *Reader) ReceiptsWithIndex(ctx context.Context, id string) iter.Seq2[inbox.Receipt, error] {
	return func(yield func(inbox.Receipt, error) bool) {
		for i, err := range query(ctx, r.Client, r.receiptsOf(id)) {
			if err != nil {
				yield(inbox.Receipt{}, fmt.Errorf("query receipts of %s: %w", id, err))
				return
			}
			if !yield(decodeIndexed(i)) {
				return
			}
		}
	}
}

// decodeIndexed decodes a receipt and checks its index attributes.
func decodeIndexed(i item) (inbox.Receipt, error) {
	receipt, err := decodeReceipt(i)
	if err == nil && !hasIndexEntry(i, receipt) {
		err = fmt.Errorf("receipt %s: %w", receipt.Key.Receipt, inbox.ErrIndexMismatch)
	}
	return receipt, err
}

// ScanPayouts lists the payouts that were updated at since or later, including
// damaged ones. It reads the whole table, as ScanReceipts does.
func (r *Reader) ScanPayouts(ctx context.Context, since time.Time) iter.Seq2[inbox.StoredPayout, error] {
	input := &dynamodb.ScanInput{TableName: &r.Payouts}
	if !since.IsZero() {
		// A payout without the attribute is damaged, and may have been updated since.
		input.ExpressionAttributeValues = item{":since": number(since.UnixMilli())}
		setFilter(input, []string{"(updatedAt >= :since OR attribute_not_exists(updatedAt))"})
	}
	return func(yield func(inbox.StoredPayout, error) bool) {
		for i, err := range scanAll(ctx, r.Client, input) {
			var s inbox.StoredPayout
			if err == nil {
				s, err = storedPayout(i)
			}
			if err != nil {
				yield(inbox.StoredPayout{}, fmt.Errorf("scan payouts: %w", err))
				return
			}
			if !yield(s, nil) {
				return
			}
		}
	}
}

func setFilter(input *dynamodb.ScanInput, conditions []string) {
	if len(input.ExpressionAttributeValues) == 0 {
		input.ExpressionAttributeValues = nil // DynamoDB rejects an empty map
	}
	if len(conditions) > 0 {
		input.FilterExpression = aws.String(strings.Join(conditions, " AND "))
	}
}

// scanAll lists the items of a table. Its reads are strongly consistent, at twice
// the price: audit reports what they return, and publish sends it.
func scanAll(ctx context.Context, client *dynamodb.Client, input *dynamodb.ScanInput) iter.Seq2[item, error] {
	input.ConsistentRead = aws.Bool(true)
	pages := dynamodb.NewScanPaginator(client, input)
	return items(pages.HasMorePages, func() ([]map[string]types.AttributeValue, error) {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		return page.Items, nil
	})
}

// StoredPayout returns a payout as the table holds it: absent, intact or damaged.
// It sees every write that finished before. It fails if a later version of this
// application wrote the payout.
func (r *Reader) StoredPayout(ctx context.Context, id payout.ID) (inbox.StoredPayout, error) {
	i, err := r.get(ctx, r.Payouts, item{"payout": text(string(id))})
	if err != nil {
		return inbox.StoredPayout{}, fmt.Errorf("get payout %s: %w", id, err)
	}
	if i == nil {
		return inbox.StoredPayout{Record: payout.Record{ID: id}}, nil
	}
	return storedPayout(i)
}

func storedPayout(i item) (inbox.StoredPayout, error) {
	record, err := decodeRecord(i)
	if err != nil && !errors.Is(err, inbox.ErrDamagedPayout) {
		return inbox.StoredPayout{}, err
	}
	s := inbox.StoredPayout{Record: record, Schedule: decodeSchedule(i), Exists: true, Damage: err}
	if version := i["version"]; version != nil {
		s.ReadVersion = version
	}
	if err == nil {
		s.Damage = checkDerived(i, record)
	}
	return s, nil
}

// checkDerived compares the derived attributes with the record. People, indexes
// and readers of the stream rely on them.
func checkDerived(i item, record payout.Record) error {
	want, err := encodeRecord(record, time.Time{})
	if err != nil {
		return errors.Join(inbox.ErrDamagedPayout, err)
	}
	for _, name := range derived {
		if i.text(name) != want.text(name) || i.flag(name) != want.flag(name) {
			return fmt.Errorf("payout %s: the stored %s does not match the record: %w", record.ID, name, inbox.ErrDamagedPayout)
		}
	}
	return nil
}
