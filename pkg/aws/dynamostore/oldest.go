package dynamostore

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// OldestClaimed implements inbox.Store. It reads the first entry of each shard.
func (s *Store) OldestClaimed(ctx context.Context) (acceptedAt time.Time, ok bool, err error) {
	for n := range shards {
		out, err := s.Client.Query(ctx, &dynamodb.QueryInput{
			TableName:                 &s.Receipts,
			IndexName:                 aws.String(claimedIndex),
			KeyConditionExpression:    aws.String("claimed = :shard"),
			ExpressionAttributeValues: item{":shard": text(strconv.Itoa(n))},
			Limit:                     aws.Int32(1),
		})
		if err != nil {
			return time.Time{}, false, fmt.Errorf("query index %s: %w", claimedIndex, err)
		}
		for _, attributes := range out.Items {
			if at := item(attributes).time("acceptedAt"); !ok || at.Before(acceptedAt) {
				acceptedAt, ok = at, true
			}
		}
	}
	return acceptedAt, ok, nil
}
