package dynamostore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
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
			"payout": {"S": fmt.Sprint("cregis/payout/1/", at)}, "receipt": {"S": "failed/1"}, "dueAt": {"N": at}, "acceptedAt": {"N": at},
		})
	}
	b.items += len(items)
	return pageOf(items, first+len(items) >= inShard)
}

// pageOf returns an answer with a page of items.
func pageOf(items []map[string]map[string]string, isLast bool) (*http.Response, error) {
	answer := map[string]any{"Items": items}
	if len(items) > 0 && !isLast {
		answer["LastEvaluatedKey"] = items[len(items)-1]
	}
	text, err := json.Marshal(answer)
	header := http.Header{"Content-Type": {"application/x-amz-json-1.0"}}
	return &http.Response{StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(bytes.NewReader(text))}, err
}

func newBacklogStore(db dynamodb.HTTPClient) *Store {
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

func TestDueHeld_ReadsOfARun(t *testing.T) {
	const limit = 1000
	for _, test := range []struct{ open, due int }{{1_000, 1_000}, {100_000, 1_000}, {100_000, 100_000}, {1_000_000, 1_000}} {
		db := &backlog{waiting: test.open}
		held, err := newBacklogStore(db).DueHeld(t.Context(), time.UnixMilli(int64(test.due)), limit)
		if err != nil || len(held) < limit-shards {
			t.Fatalf("%d of %d: %d held callbacks due, %v", test.due, test.open, len(held), err)
		}
		if maxItems := 2*limit + 11*shards; db.requests != shards || db.items > maxItems {
			t.Errorf("%d requests and %d items, want %d requests and at most %d items", db.requests, db.items, shards, maxItems)
		}
	}
}

// schedules is an HTTP client in place of DynamoDB. It answers queries of the index of
// queries, and counts the requests.
type schedules struct {
	places [shards][]string // in order; the payout is named as its place

	mu       sync.Mutex
	requests int
	items    int
}

// newSchedules returns a number of payouts of each account. The query of one is due at
// each millisecond.
func newSchedules(accounts, payouts int) *schedules {
	db := &schedules{}
	for account := range accounts {
		for n := range payouts {
			place := queryOrder(payout.NewID("cregis", payout.TypePayout, strconv.Itoa(account), "", ""), inbox.Schedule{At: time.UnixMilli(int64(n + 1))})
			db.places[n%shards] = append(db.places[n%shards], place)
		}
	}
	for n := range shards {
		slices.Sort(db.places[n])
	}
	return db
}

func (s *schedules) Do(request *http.Request) (*http.Response, error) {
	var query struct {
		Limit                     int
		ExpressionAttributeValues map[string]map[string]string
		ExclusiveStartKey         map[string]map[string]string
	}
	if err := json.NewDecoder(request.Body).Decode(&query); err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(query.ExpressionAttributeValues[":shard"]["S"])
	if err != nil {
		return nil, err
	}
	skipped, start := query.ExpressionAttributeValues[":skipped"]["S"], query.ExclusiveStartKey["queryOrder"]["S"]
	if start != "" && start <= skipped {
		return nil, errors.New("the starting key is outside of the condition")
	}
	first, isThere := slices.BinarySearch(s.places[n], max(skipped, start))
	if isThere {
		first++
	}
	var items []map[string]map[string]string
	for _, place := range s.places[n][first:min(first+query.Limit, len(s.places[n]))] {
		items = append(items, map[string]map[string]string{"payout": {"S": strings.Replace(place, "/", "/payout/", 1)}, "queryOrder": {"S": place}})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	s.items += len(items)
	return pageOf(items, first+len(items) == len(s.places[n]))
}

// A run sends a request to each shard for each account, however many payouts are
// scheduled and due.
func TestDueQueries_ReadsOfARun(t *testing.T) {
	const limit = 1000
	for _, test := range []struct{ accounts, open, due int }{{1, 1_000, 1_000}, {1, 100_000, 1_000}, {1, 100_000, 100_000}, {5, 20_000, 20_000}, {100, 1, 1}} {
		db := newSchedules(test.accounts, test.open)
		due, err := newBacklogStore(db).DueQueries(t.Context(), time.UnixMilli(int64(test.due)), limit)
		want := min(limit, test.due) * test.accounts
		if err != nil || len(due) != want {
			t.Fatalf("%+v: %d due, want %d, %v", test, len(due), want, err)
		}
		for n, d := range due {
			if d.At.UnixMilli() != int64(n/test.accounts+1) {
				t.Fatalf("%+v: number %d is due at %s", test, n, d.At)
			}
		}
		t.Logf("%+v: %d requests, %d items", test, db.requests, db.items)
		maxRequests := shards * (test.accounts + 1)
		if maxItems := maxRequests * (10 + 2*limit/shards); db.requests > maxRequests || db.items > maxItems {
			t.Errorf("%+v: %d requests and %d items, want at most %d and %d", test, db.requests, db.items, maxRequests, maxItems)
		}
	}
}
