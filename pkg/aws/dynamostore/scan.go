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

// withoutBody are the attributes of a receipt but its body and its note, which
// are most of it.
var withoutBody = []string{
	"payout", "receipt", "state", "acceptedAt", "appliedAt", "outcome", "keyId", "reason", "dueShard", "dueAt", "changedBy", "releasedAs",
	"decision", "reference", "amount", "currency", "chain", "token", "from", "to", "memo", "txid", "blockHeight", "blockTime", "totals",
}

// ScanReceipts lists all receipts that were accepted from one time until before
// another, either of which may be zero, without their bodies and notes. It reads
// the whole table whatever the times are, and each page of it sees every write
// that was finished before that page was read. Those of one payout come one after the
// other, as DynamoDB stores them, though no page of it promises that of a Scan.
// Besides inbox.ErrDamaged, inbox.ErrMisplaced is about the one receipt that
// comes with it.
func (r *Reader) ScanReceipts(ctx context.Context, from, to time.Time) iter.Seq2[inbox.Receipt, error] {
	input := &dynamodb.ScanInput{TableName: &r.Receipts, ExpressionAttributeNames: map[string]string{}}
	var projection []string
	for _, name := range withoutBody {
		// Several of these are reserved words, and there may be more one day.
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
		for i, err := range r.scanAll(ctx, input) {
			if err != nil {
				yield(inbox.Receipt{}, fmt.Errorf("scan receipts: %w", err))
				return
			}
			if !yield(decodePlaced(i)) {
				return
			}
		}
	}
}

// Places lists the receipts of a payout, or the one of a held callback, as
// ScanReceipts does.
func (r *Reader) ReceiptsWithIndex(ctx context.Context, id string) iter.Seq2[inbox.Receipt, error] {
	return func(yield func(inbox.Receipt, error) bool) {
		for i, err := range r.query(ctx, r.receiptsOf(id)) {
			if err != nil {
				yield(inbox.Receipt{}, fmt.Errorf("query receipts of %s: %w", id, err))
				return
			}
			if !yield(decodePlaced(i)) {
				return
			}
		}
	}
}

// decodePlaced decodes a receipt and looks at its place in the index.
func decodePlaced(i item) (inbox.Receipt, error) {
	receipt, err := decodeReceipt(i)
	if err == nil && !placed(i, receipt) {
		err = fmt.Errorf("receipt %s: %w", receipt.Key.Receipt, inbox.ErrIndexMismatch)
	}
	return receipt, err
}

// ScanPayouts lists all payouts that were updated since, damaged ones included.
// It reads the whole table, as ScanReceipts does.
func (r *Reader) ScanPayouts(ctx context.Context, since time.Time) iter.Seq2[inbox.StoredPayout, error] {
	input := &dynamodb.ScanInput{TableName: &r.Payouts}
	if !since.IsZero() {
		// One that has lost its time may have been updated since.
		input.ExpressionAttributeValues = item{":since": number(since.UnixMilli())}
		setFilter(input, []string{"(updatedAt >= :since OR attribute_not_exists(updatedAt))"})
	}
	return func(yield func(inbox.StoredPayout, error) bool) {
		for i, err := range r.scanAll(ctx, input) {
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
		input.ExpressionAttributeValues = nil // DynamoDB refuses an empty one
	}
	if len(conditions) > 0 {
		input.FilterExpression = aws.String(strings.Join(conditions, " AND "))
	}
}

// scanAll lists the items of a table. Its reads are strongly consistent, at
// twice the price: an audit reports what it finds there, and publish sends it.
func (r *Reader) scanAll(ctx context.Context, input *dynamodb.ScanInput) iter.Seq2[item, error] {
	input.ConsistentRead = aws.Bool(true)
	pages := dynamodb.NewScanPaginator(r.Client, input)
	return items(pages.HasMorePages, func() ([]map[string]types.AttributeValue, error) {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		return page.Items, nil
	})
}

// Standing returns a payout as it stands: absent, sound or damaged. It sees
// every write that was finished before. It fails where the payout was written by
// a later version of this program.
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
	s := inbox.StoredPayout{Record: record, Exists: true, Damage: err}
	if version := i["version"]; version != nil {
		s.ReadVersion = version
	}
	if err == nil {
		s.Damage = checkDerived(i, record)
	}
	return s, nil
}

// checkDerived holds what is stored beside the parts, for people, indexes and
// whoever reads the table's stream, to the parts.
func checkDerived(i item, record payout.Record) error {
	want, err := encodeRecord(record, time.Time{})
	if err != nil {
		return errors.Join(inbox.ErrDamagedPayout, err)
	}
	for _, name := range []string{"status", "reference", "conflicted"} {
		if i.text(name) != want.text(name) {
			return fmt.Errorf("payout %s shows a %s that its parts do not: %w", record.ID, name, inbox.ErrDamagedPayout)
		}
	}
	return nil
}
