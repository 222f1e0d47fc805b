package dynamostore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// backlog is an HTTP client in place of DynamoDB. It answers queries of an index
// with a number of waiting items, evenly in all shards, and counts the requests. One item
// is due at each millisecond.
type backlog struct {
	waiting  int
	requests int
	items    int
}

func (b *backlog) Do(request *http.Request) (*http.Response, error) {
	b.requests++
	var query struct {
		Limit                     int
		ExpressionAttributeValues map[string]map[string]string
		ExclusiveStartKey         map[string]map[string]string
	}
	if err := json.NewDecoder(request.Body).Decode(&query); err != nil {
		return nil, err
	}
	name := query.ExpressionAttributeValues[":shard"]["S"]
	n, err := strconv.Atoi(name[strings.LastIndex(name, "/")+1:])
	if err != nil {
		return nil, err
	}
	first := 0
	if start := query.ExclusiveStartKey["dueAt"]["N"]; start != "" {
		last, err := strconv.Atoi(start)
		if err != nil {
			return nil, err
		}
		first = last/shards + 1
	}
	var items []map[string]map[string]string
	inShard := b.waiting / shards
	if now, err := strconv.Atoi(query.ExpressionAttributeValues[":now"]["N"]); err == nil {
		inShard = min(inShard, (now-n+shards-1)/shards)
	}
	for k := first; k < inShard && len(items) < query.Limit; k++ {
		at := strconv.Itoa(k*shards + n + 1)
		items = append(items, map[string]map[string]string{
			"payout": {"S": fmt.Sprint("cregis/payout/1/", at)}, "receipt": {"S": "failed/1"}, "dueAt": {"N": at}, "queryAt": {"N": at}, "acceptedAt": {"N": at},
		})
	}
	b.items += len(items)
	answer := map[string]any{"Items": items}
	if len(items) > 0 && first+len(items) < inShard {
		answer["LastEvaluatedKey"] = items[len(items)-1]
	}
	text, err := json.Marshal(answer)
	header := http.Header{"Content-Type": {"application/x-amz-json-1.0"}}
	return &http.Response{StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(bytes.NewReader(text))}, err
}

func newBacklogStore(db *backlog) *Store {
	return &Store{Receipts: "receipts", Payouts: "payouts", Client: dynamodb.New(dynamodb.Options{
		Region: "us-east-1", HTTPClient: db, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})}
}

func TestDue_ReadsOfASweep(t *testing.T) {
	const limit = 1000
	for _, waiting := range []int{1_000, 10_000, 100_000, 1_000_000} {
		db := &backlog{waiting: waiting}
		store := newBacklogStore(db)
		due, err := store.Due(t.Context(), time.UnixMilli(1<<40), limit)
		if err != nil || len(due) < limit-shards {
			t.Fatalf("%d due, %v", len(due), err)
		}
		if oldest, ok, err := store.OldestClaimed(t.Context()); err != nil || !ok || oldest.UnixMilli() != 1 {
			t.Fatalf("oldest claimed: %s, %t, %v", oldest, ok, err)
		}
		t.Logf("%d waiting: %d requests, %d items", waiting, db.requests, db.items)
		if maxItems := 2*limit + 11*shards; db.requests != 2*shards || db.items > maxItems {
			t.Errorf("%d waiting: %d requests and %d items, want %d requests and at most %d items", waiting, db.requests, db.items, 2*shards, maxItems)
		}
	}
}

// A run reads as much if 1,000 of 100,000 open payouts are due as if 1,000 of 1,000 are,
// and as if all are.
func TestDueQueries_ReadsOfARun(t *testing.T) {
	const limit = 1000
	for _, test := range []struct{ open, due int }{{1_000, 1_000}, {100_000, 1_000}, {100_000, 100_000}, {1_000_000, 1_000}} {
		db := &backlog{waiting: test.open}
		store := newBacklogStore(db)
		payouts, err := store.DueQueries(t.Context(), time.UnixMilli(int64(test.due)), limit)
		if err != nil || len(payouts) < limit-shards {
			t.Fatalf("%d of %d: %d due, %v", test.due, test.open, len(payouts), err)
		}
		for n, due := range payouts {
			if due.At.UnixMilli() != int64(n+1) {
				t.Fatalf("%d of %d: number %d is due at %s", test.due, test.open, n, due.At)
			}
		}
		held, err := store.DueHeld(t.Context(), time.UnixMilli(int64(test.due)), limit)
		if err != nil || len(held) < limit-shards {
			t.Fatalf("%d of %d: %d held callbacks due, %v", test.due, test.open, len(held), err)
		}
		t.Logf("%d due of %d: %d requests, %d items", test.due, test.open, db.requests, db.items)
		if maxItems := 2 * (2*limit + 11*shards); db.requests != 2*shards || db.items > maxItems {
			t.Errorf("%d requests and %d items, want %d requests and at most %d items", db.requests, db.items, 2*shards, maxItems)
		}
	}
}
