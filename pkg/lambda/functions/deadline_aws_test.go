package functions_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/aws/eventbus"
	"payout-callbacks/pkg/aws/secrets"
	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/config"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/reconcile"
)

// everything makes all operations hang.
const everything = "*"

// timedCall is a request to AWS and its deadline.
type timedCall struct {
	operation string
	given     time.Duration // until the deadline of its context
	left      time.Duration // from its deadline to the end of the function
	unbounded bool
}

// timedAWS answers the requests of a function at once, except those that hang
// until their context ends. It records the deadline of each.
type timedAWS struct {
	functionEnds time.Time
	hangs        string
	answers      map[string]string

	mu    sync.Mutex
	calls []timedCall
}

// Do implements the SDK's HTTP client.
func (a *timedAWS) Do(request *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
	deadline, ok := request.Context().Deadline()
	a.mu.Lock()
	a.calls = append(a.calls, timedCall{operation, time.Until(deadline), a.functionEnds.Sub(deadline), !ok})
	a.mu.Unlock()
	if (operation == a.hangs || a.hangs == everything) && ok {
		<-request.Context().Done()
		return nil, request.Context().Err()
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	answer, ok := a.answers[operation]
	if !ok {
		answer = sentAnswer(body)
	}
	return &http.Response{
		StatusCode: http.StatusOK, Request: request, Body: io.NopCloser(strings.NewReader(answer)),
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
	}, nil
}

// sentAnswer returns the answer of SQS that accepts the messages of a request.
func sentAnswer(body []byte) string {
	type message struct{ Id, MessageBody string }
	var sent struct {
		message
		Entries []message
	}
	_ = json.Unmarshal(body, &sent)
	accept := func(m message) map[string]string {
		sum := md5.Sum([]byte(m.MessageBody))
		return map[string]string{"Id": m.Id, "MessageId": "1", "MD5OfMessageBody": hex.EncodeToString(sum[:])}
	}
	answer := map[string]any{"MessageId": "1", "MD5OfMessageBody": accept(sent.message)["MD5OfMessageBody"]}
	var accepted []map[string]string
	for _, entry := range sent.Entries {
		accepted = append(accepted, accept(entry))
	}
	answer["Successful"] = accepted
	text, _ := json.Marshal(answer)
	return string(text)
}

// timedStack returns a stack and keys that send their requests to aws.
func timedStack(aws *timedAWS) (functions.Stack, callback.KeySource) {
	sdk := functions.NewAWSConfig(settings)
	sdk.HTTPClient = aws
	stack := functions.NewStack(config.Config{
		ReceiptsTable: "receipts", PayoutsTable: "payouts", EventsQueueURL: "https://queue/events", DeadLetterQueueURL: "https://queue/dead",
		MetricsNamespace: "test", SweepLimit: 10,
	}, functions.Clients{DynamoDB: dynamodb.NewFromConfig(sdk), SQS: sqs.NewFromConfig(sdk)}, io.Discard)
	stack.Bus = eventbus.New(sdk, "bus")
	manager := secretsmanager.NewFromConfig(sdk)
	stack.Inbox.Queries = map[string]inbox.QueryMode{"cregis": inbox.QueriesAll}
	stack.Reconciler = &reconcile.Reconciler{
		Inbox: stack.Inbox, Store: stack.Store, Accounts: &dynamostore.Accounts{Client: stack.Store.Client, Table: "accounts"},
		Providers: []reconcile.Provider{timedProvider{aws: aws}}, Credentials: &secrets.APICredentials{Client: manager}, Limit: 10, Owner: "a run", Now: time.Now,
	}
	return stack, secrets.NewKeys(manager, "keys", time.Now)
}

// timedProvider is asked by requests to aws.
type timedProvider struct {
	cregis.Provider

	aws *timedAWS
}

func (p timedProvider) Connect(string, json.RawMessage, *http.Client, func() time.Time) (reconcile.Querier, error) {
	return p, nil
}

func (timedProvider) KeyID() string { return "" }

func (p timedProvider) Ask(ctx context.Context, _ []reconcile.Asked) reconcile.Answer {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://provider.test", strings.NewReader("{}"))
	if err != nil {
		return reconcile.Answer{Outcome: reconcile.Unusable}
	}
	request.Header.Set("X-Amz-Target", "provider.ask")
	response, err := p.aws.Do(request)
	if err != nil {
		return reconcile.Answer{Outcome: reconcile.Unavailable}
	}
	_ = response.Body.Close()
	return reconcile.Answer{Outcome: reconcile.NotFound}
}

var timedKeys = callback.Keys{
	"1382528827416576":                     {Current: "f502a9ac9ca54327986f29c03b271491"},
	"922e39ab-7565-49f6-b84f-fb56122821ae": {Current: "key-of-the-merchant-0123456789"},
}

func timedReceipt() inbox.Receipt {
	return inbox.NewReceipt(payout.Event{ID: "cregis/payout/" + project + "/1", Status: payout.Failed}, []byte("{}"), "k", time.Now())
}

// timedAnswers returns the answers of an AWS that has a due receipt, a readable
// and an unreadable dead-letter message.
func timedAnswers(t *testing.T) map[string]string {
	t.Helper()
	stored := map[string]string{}
	for account, keys := range timedKeys {
		stored[account] = fmt.Sprintf(`%q: {"current": %q}`, account, string(keys.Current))
	}
	receipt := timedReceipt()
	item := fmt.Sprintf(`{"payout": {"S": %q}, "receipt": {"S": %q}, "state": {"S": "received"}, "progress": {"S": "pending"}, "dueAt": {"N": "2"},
		"queryOrder": {"S": "cregis/%s/end/000000000000001"}}`, receipt.Key.Payout, receipt.Key.Receipt, project)
	values, err := json.Marshal("{" + stored["1382528827416576"] + "," + stored["922e39ab-7565-49f6-b84f-fb56122821ae"] + "}")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"GetSecretValue": fmt.Sprintf(`{"SecretString": %s, "VersionId": "1"}`, values),
		"Query":          fmt.Sprintf(`{"Items": [%s], "Count": 1}`, item),
		"UpdateItem":     fmt.Sprintf(`{"Attributes": %s}`, item),
		"PutEvents":      `{"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}`, "GetQueueAttributes": `{"Attributes": {"ApproximateNumberOfMessages": "0"}}`,
		"ReceiveMessage": deadLetters(t, receipt), "PutItem": "{}", "TransactWriteItems": "{}",
		"DeleteMessage": "{}", "ChangeMessageVisibility": "{}",
	}
}

func deadLetters(t *testing.T, receipt inbox.Receipt) string {
	t.Helper()
	readable, err := sqsqueue.Encode(receipt)
	if err != nil {
		t.Fatal(err)
	}
	var messages []map[string]string
	for _, body := range []string{readable, "unreadable"} {
		sum := md5.Sum([]byte(body))
		messages = append(messages, map[string]string{"MessageId": body[:1], "ReceiptHandle": body[:1], "Body": body, "MD5OfBody": hex.EncodeToString(sum[:])})
	}
	text, err := json.Marshal(map[string]any{"Messages": messages})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
