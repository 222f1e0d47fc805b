package functions_test

import (
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

	"payout-callbacks/pkg/aws/eventbus"
	"payout-callbacks/pkg/aws/secrets"
	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/config"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/payout"
)

// everything hangs instead of one operation.
const everything = "*"

// timedCall is a request to AWS, and how much time it is given.
type timedCall struct {
	operation string
	given     time.Duration // until the deadline of its context
	left      time.Duration // of the function's time, when the request ends
	unbounded bool
}

// timedAWS answers every request of a function at once, but for the operation
// that hangs until its context ends, and notes the deadline of each.
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

// sentAnswer says that SQS has taken the messages of a request.
func sentAnswer(body []byte) string {
	type message struct{ Id, MessageBody string } //nolint:revive // as SQS names it
	var sent struct {
		message
		Entries []message
	}
	_ = json.Unmarshal(body, &sent)
	of := func(m message) map[string]string {
		sum := md5.Sum([]byte(m.MessageBody))
		return map[string]string{"Id": m.Id, "MessageId": "1", "MD5OfMessageBody": hex.EncodeToString(sum[:])}
	}
	answer := map[string]any{"MessageId": "1", "MD5OfMessageBody": of(sent.message)["MD5OfMessageBody"]}
	var taken []map[string]string
	for _, entry := range sent.Entries {
		taken = append(taken, of(entry))
	}
	answer["Successful"] = taken
	text, _ := json.Marshal(answer)
	return string(text)
}

// timedStack is the stack and the keys of a function, over one double.
func timedStack(aws *timedAWS) (functions.Stack, callback.KeySource) {
	sdk := functions.NewAWSConfig(settings)
	sdk.HTTPClient = aws
	stack := functions.NewStack(config.Config{
		ReceiptsTable: "receipts", PayoutsTable: "payouts", EventsQueueURL: "https://queue/events", DeadLetterQueueURL: "https://queue/dead",
		MetricsNamespace: "test", SweepLimit: 10,
	}, functions.Clients{DynamoDB: dynamodb.NewFromConfig(sdk), SQS: sqs.NewFromConfig(sdk)}, io.Discard)
	stack.Bus = eventbus.New(sdk, "bus")
	return stack, secrets.NewKeys(secretsmanager.NewFromConfig(sdk), "keys", time.Now)
}

var timedKeys = callback.Keys{
	"1382528827416576":                     {Current: "f502a9ac9ca54327986f29c03b271491"},
	"922e39ab-7565-49f6-b84f-fb56122821ae": {Current: "key-of-the-merchant-0123456789"},
}

func timedReceipt() inbox.Receipt {
	return inbox.NewReceipt(payout.Event{ID: "cregis/payout/7/1", Status: payout.Failed}, []byte("{}"), "k", time.Now())
}

// timedAnswers are those of an AWS with a due receipt, a dead-letter message
// that is ours, and one that cannot be read.
func timedAnswers(t *testing.T) map[string]string {
	t.Helper()
	stored := map[string]string{}
	for account, keys := range timedKeys {
		stored[account] = fmt.Sprintf(`%q: {"current": %q}`, account, string(keys.Current))
	}
	receipt := timedReceipt()
	item := fmt.Sprintf(`{"payout": {"S": %q}, "receipt": {"S": %q}, "state": {"S": "received"}}`, receipt.Key.Payout, receipt.Key.Receipt)
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
	ours, err := sqsqueue.Encode(receipt)
	if err != nil {
		t.Fatal(err)
	}
	var messages []map[string]string
	for _, body := range []string{ours, "unreadable"} {
		sum := md5.Sum([]byte(body))
		messages = append(messages, map[string]string{"MessageId": body[:1], "ReceiptHandle": body[:1], "Body": body, "MD5OfBody": hex.EncodeToString(sum[:])})
	}
	text, err := json.Marshal(map[string]any{"Messages": messages})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
