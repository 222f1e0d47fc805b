package dynamostore_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// readRequest has the fields of a request to DynamoDB that control reading.
type readRequest struct {
	operation      string
	ConsistentRead bool
	IndexName      string
	Key            map[string]map[string]string
}

// recordedReads records requests and answers each with one held receipt, in two
// pages if the operation has pages.
type recordedReads []readRequest

var recording sync.Mutex // guards each recordedReads

// Do implements the SDK's HTTP client.
func (r *recordedReads) Do(request *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
	read := readRequest{operation: operation}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	_ = json.Unmarshal(body, &read)
	recording.Lock()
	*r = append(*r, read)
	recording.Unlock()
	const stored = `{"payout": {"S": "held/cregis/payout/1/x"}, "receipt": {"S": "held"}, "state": {"S": "held"}, "queryOrder": {"S": "a/1/end/2"}}`
	answer := fmt.Sprintf(`{"Item": %s, "Attributes": %[1]s, "Items": [%[1]s], "Count": 1}`, stored)
	if !strings.Contains(string(body), "ExclusiveStartKey") && !strings.Contains(string(body), "a/1/end/~") {
		answer = strings.TrimSuffix(answer, "}") + `, "LastEvaluatedKey": {"payout": {"S": "cregis/payout/1/1"}, "queryOrder": {"S": "a/1/end/2"}}}`
	}
	return &http.Response{
		StatusCode: http.StatusOK, Request: request, Body: io.NopCloser(strings.NewReader(answer)),
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
	}, nil
}

func drain[T any](sequence iter.Seq2[T, error]) {
	for _, err := range sequence {
		_ = err // only the requests matter
	}
}

// readers returns calls of all methods of Reader and Editor by their names.
func readers(ctx context.Context, e *dynamostore.Editor) map[string]func() {
	id, key, now := payout.ID("cregis/payout/1/1"), inbox.Key{Payout: "cregis/payout/1/1", Receipt: "held"}, time.Now()
	return map[string]func(){
		"Record":            func() { _, _, _ = e.Record(ctx, id) },
		"Receipt":           func() { _, _, _ = e.Receipt(ctx, key) },
		"StoredPayout":      func() { _, _ = e.StoredPayout(ctx, id) },
		"ReceiptsOf":        func() { drain(e.ReceiptsOf(ctx, id)) },
		"ReceiptsWithIndex": func() { drain(e.ReceiptsWithIndex(ctx, string(id))) },
		"ScanReceipts":      func() { drain(e.ScanReceipts(ctx, time.Time{}, now)) },
		"ScanPayouts":       func() { drain(e.ScanPayouts(ctx, now)) },
		"List":              func() { drain(e.List(ctx, dynamostore.Filter{})) },
		"List, conflicted": func() {
			drain(e.List(ctx, dynamostore.Filter{Status: payout.Conflicted}))
		},
		"List, overdue": func() {
			drain(e.List(ctx, dynamostore.Filter{Overdue: true}))
		},
		"Counts":      func() { _, _ = e.Counts(ctx, 10) },
		"Scheduled":   func() { drain(e.Scheduled(ctx, start, 10)) },
		"ByReference": func() { drain(e.ByReference(ctx, "order-1")) },
		"Unapplied":   func() { drain(e.Unapplied(ctx, inbox.Held)) },
		"Close":       func() { _, _ = e.Close(ctx, inbox.Receipt{Key: key, State: inbox.Dismissed}) },
		"Rewrite":     func() { _, _ = e.Rewrite(ctx, payout.Record{ID: id}, inbox.StoredPayout{}, inbox.ChangedBy{}) },
		"Reindex":     func() { _, _ = e.Reindex(ctx, key, now) },
	}
}

// Reads of a table are strongly consistent. Reads of an index cannot be, so each
// item is read again by its key, unless it is only counted.
func TestReader_StronglyConsistent(t *testing.T) {
	var recorded recordedReads
	client := dynamodb.New(dynamodb.Options{
		Region: "us-east-1", HTTPClient: &recorded, BaseEndpoint: aws.String("http://dynamodb.test"),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	calls := readers(t.Context(), &dynamostore.Editor{Reader: dynamostore.Reader{Client: client, Receipts: "receipts", Payouts: "payouts"}})
	for method := range reflect.TypeFor[*dynamostore.Editor]().Methods() {
		if calls[method.Name] == nil {
			t.Errorf("readers does not call %s", method.Name)
		}
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			recorded = nil
			call()
			wantConsistent(t, recorded)
			if len(recorded) == 0 {
				t.Error("no request was sent")
			}
			fromIndex := func(read readRequest) bool { return read.IndexName != "" }
			byKey := func(read readRequest) bool { return read.operation == "GetItem" }
			if slices.ContainsFunc(recorded, fromIndex) && name != "Counts" && !slices.ContainsFunc(recorded, byKey) {
				t.Error("items of the index are not read again by their keys")
			}
		})
	}
}

func wantConsistent(t *testing.T, recorded recordedReads) {
	t.Helper()
	for _, read := range recorded {
		reads := read.operation == "GetItem" || read.operation == "Query" || read.operation == "Scan"
		if reads && read.IndexName == "" && !read.ConsistentRead {
			t.Errorf("%s is not strongly consistent", read.operation)
		}
	}
}

// The index may return a receipt that has another state by now.
func TestUnapplied_OtherState(t *testing.T) {
	var recorded recordedReads
	reader := &dynamostore.Reader{Receipts: "receipts", Client: dynamodb.New(dynamodb.Options{
		Region: "us-east-1", HTTPClient: &recorded, BaseEndpoint: aws.String("http://dynamodb.test"),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})}
	for state, want := range map[inbox.State]bool{inbox.Held: true, inbox.Received: false} {
		ok := false
		for receipt, err := range reader.Unapplied(t.Context(), state) {
			if ok = true; receipt.Key.Payout != "held/cregis/payout/1/x" {
				t.Errorf("got %v, %v", receipt.Key, err)
			}
		}
		if ok != want {
			t.Errorf("%s: got a receipt: %t, want %t", state, ok, want)
		}
	}
}
