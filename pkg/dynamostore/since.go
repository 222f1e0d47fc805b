package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// ErrDamagedRecord means that what stands in the payouts table is not a record
// that this program can read.
var ErrDamagedRecord = errors.New("damaged record")

// Since lists the payouts that were updated at a time or later, in no order; of
// one provider, unless that is empty. It reads the whole table, and may be a
// moment behind. An error that is [ErrDamagedRecord] is about the one payout
// that comes with it, of which only the ID can be trusted, and the sequence
// goes on.
func (r *Reader) Since(ctx context.Context, since time.Time, provider string) iter.Seq2[Stored, error] {
	input := &dynamodb.ScanInput{TableName: &r.Payouts}
	Filter{Provider: provider}.apply(input)
	condition := "updatedAt >= :since"
	if input.FilterExpression != nil {
		condition += " AND " + *input.FilterExpression
	} else {
		input.ExpressionAttributeValues = item{}
	}
	input.FilterExpression = aws.String(condition)
	input.ExpressionAttributeValues[":since"] = number(since.UnixMilli())
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
			if err != nil {
				yield(Stored{}, err)
				return
			}
			stored, err := decodeStored(one)
			if err != nil {
				err = fmt.Errorf("%w: %w", ErrDamagedRecord, err)
			}
			if !yield(stored, err) {
				return
			}
		}
	}
}
