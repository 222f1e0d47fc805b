package main_test

import (
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/encoding/cbor"

	"payout-callbacks/pkg/aws/dynamostore"
)

// storedItem is an item as DynamoDB is sent it.
type storedItem map[string]json.RawMessage

func (i storedItem) key() string { return string(i["payout"]) + string(i["receipt"]) }

// tableRequest holds the fields of a request that the tables and the tests read.
type tableRequest struct {
	operation                 string
	TableName, IndexName      string
	ConsistentRead            bool
	ScanIndexForward          *bool
	Key, Item                 storedItem
	ExpressionAttributeValues storedItem
	TransactItems             []struct {
		Put struct {
			TableName string
			Item      storedItem
		}
	}
	MessageBody                        string
	QueueUrl, MessageGroupId           string
	LogGroupName                       string
	ReceiptHandle                      string
	Tags                               map[string]string
	WaitTimeSeconds, VisibilityTimeout *int
	MessageAttributes                  map[string]map[string]string
	MessageSystemAttributes            map[string]map[string]string

	names []string // keys of the index items in the answer
}

// tables answers as DynamoDB, SQS and EventBridge do if every condition holds, and
// records each request. It has one dead-letter message.
type tables struct {
	*httptest.Server

	mu         sync.Mutex
	items      map[string]map[string]storedItem
	deadLetter string
	applies    bool // a receipt that is put counts as applied
	invoked    any  // result of a function
	logs       map[string][]any
	depths     map[string]int // messages by the end of the queue's URL
	itemCount  any            // of a table; nil: a million
	metrics    cbor.List
	asked      map[string]string // metrics
	requests   []tableRequest
}

func newTables(t *testing.T) *tables {
	t.Helper()
	fake := &tables{items: map[string]map[string]storedItem{"receipts": {}, "payouts": {}}, logs: map[string][]any{}}
	fake.Server = httptest.NewServer(fake)
	t.Cleanup(fake.Close)
	return fake
}

func (f *tables) store() *dynamostore.Store {
	return &dynamostore.Store{
		Receipts: "receipts", Payouts: "payouts",
		Client: dynamodb.New(dynamodb.Options{
			Region: "us-east-1", BaseEndpoint: aws.String(f.URL), Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		}),
	}
}

// ServeHTTP implements http.Handler.
func (f *tables) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.answerMetrics(w, r) {
		return
	}
	body, _ := io.ReadAll(r.Body)
	var request tableRequest
	_ = json.Unmarshal(body, &request)
	_, request.operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var answer any = f.answer(&request)
	if strings.HasSuffix(r.URL.Path, "/invocations") {
		request.operation, request.MessageBody, answer = "Invoke", string(body), f.invoked
	}
	f.requests = append(f.requests, request)
	_ = json.NewEncoder(w).Encode(answer)
}

func (f *tables) answer(request *tableRequest) map[string]any {
	switch request.operation {
	case "GetItem", "UpdateItem":
		item, ok := f.items[request.TableName][request.Key.key()]
		if !ok {
			return map[string]any{}
		}
		return map[string]any{"Item": item, "Attributes": item}
	case "Query", "Scan":
		storedItems := f.list(request)
		return map[string]any{"Items": storedItems, "Count": len(storedItems)}
	case "PutItem":
		if f.applies {
			request.Item["state"] = json.RawMessage(`{"S":"applied"}`)
		}
		f.items[request.TableName][request.Item.key()] = request.Item
	case "TransactWriteItems":
		for _, write := range request.TransactItems {
			f.items[write.Put.TableName][write.Put.Item.key()] = write.Put.Item
		}
	default:
		return f.deliver(request)
	}
	return map[string]any{}
}

// list returns the items of a table, or of a partition of a table or an index.
func (f *tables) list(request *tableRequest) []storedItem {
	all := slices.SortedFunc(maps.Values(f.items[request.TableName]), func(a, b storedItem) int { return strings.Compare(a.key(), b.key()) })
	if request.operation == "Scan" {
		return all
	}
	attribute, ok := map[string]string{"unapplied": "dueShard", "reference": "reference", "conflicted": "conflicted", "overdue": "overdue", "queries": "queryShard"}[request.IndexName]
	if !ok {
		attribute = "payout"
	}
	storedItems := slices.DeleteFunc(all, func(s storedItem) bool {
		return s[attribute] == nil || !slices.ContainsFunc(slices.Collect(maps.Values(request.ExpressionAttributeValues)), func(value json.RawMessage) bool {
			return string(value) == string(s[attribute])
		})
	})
	if request.ScanIndexForward != nil {
		storedItems = latestFirst(storedItems, request.ExpressionAttributeValues[":until"])
	}
	for _, item := range storedItems {
		if request.IndexName != "" {
			request.names = append(request.names, item.key())
		}
	}
	return storedItems
}

// latestFirst orders payouts by the time of their last update, and leaves out those that
// were updated at until or later, unless it is nil.
func latestFirst(items []storedItem, until json.RawMessage) []storedItem {
	slices.SortStableFunc(items, func(a, b storedItem) int { return strings.Compare(string(b["updatedAt"]), string(a["updatedAt"])) })
	return slices.DeleteFunc(items, func(i storedItem) bool { return until != nil && string(i["updatedAt"]) >= string(until) })
}

// deliver answers for the queues and the bus.
func (f *tables) deliver(request *tableRequest) map[string]any {
	sum := md5.Sum([]byte(request.MessageBody))
	switch request.operation {
	case "SendMessage":
		return map[string]any{"MessageId": "1", "MD5OfMessageBody": hex.EncodeToString(sum[:])}
	case "DescribeTable":
		return map[string]any{"Table": map[string]any{"ItemCount": cmp.Or(f.itemCount, any(1_000_000)), "TableSizeBytes": 1_024_000_000}}
	case "FilterLogEvents":
		return map[string]any{"events": f.logs[request.LogGroupName]}
	case "GetQueueAttributes":
		if depth, ok := f.depths[path.Base(request.QueueUrl)]; ok {
			return map[string]any{"Attributes": map[string]string{"ApproximateNumberOfMessages": strconv.Itoa(depth)}}
		}
	case "PutEvents":
		return map[string]any{"FailedEntryCount": 0, "Entries": []any{map[string]any{"EventId": "1"}}}
	case "ReceiveMessage":
		sum = md5.Sum([]byte(f.deadLetter))
		return map[string]any{"Messages": []any{map[string]any{
			"MessageId": "m1", "ReceiptHandle": "h1", "Body": f.deadLetter, "MD5OfBody": hex.EncodeToString(sum[:]),
			"Attributes": deadLetterSystem, "MessageAttributes": deadLetterAttributes,
		}}}
	}
	return map[string]any{}
}

// taken returns the requests since the last call.
func (f *tables) taken() []tableRequest {
	f.mu.Lock()
	defer f.mu.Unlock()
	taken := f.requests
	f.requests = nil
	return taken
}
