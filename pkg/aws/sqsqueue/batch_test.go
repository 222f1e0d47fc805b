package sqsqueue_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/inbox"
)

// batches is an HTTP client in place of SQS that records the sizes of batches and
// fails entries and requests. No emulator does either.
type batches struct {
	failed  map[string]map[string]any // by entry id
	silent  string                    // id of the entry that the answer does not name
	code    string                    // of the error of a batch
	alone   map[string]string         // error codes of single messages, by what they hold
	bytes   []int
	entries []int
}

func (b *batches) Do(request *http.Request) (*http.Response, error) {
	var input struct {
		MessageBody string
		Entries     []struct{ Id, MessageBody string }
	}
	if err := json.NewDecoder(request.Body).Decode(&input); err != nil {
		return nil, err
	}
	if len(input.Entries) == 0 {
		return b.answerSingle(input.MessageBody)
	}
	if b.code != "" {
		return newError(b.code)
	}
	size := 0
	output := map[string][]map[string]any{"Successful": {}, "Failed": {}}
	for _, entry := range input.Entries {
		size += len(entry.MessageBody)
		switch failure := b.failed[entry.Id]; {
		case failure != nil:
			failure["Id"] = entry.Id
			output["Failed"] = append(output["Failed"], failure)
		case entry.Id != b.silent:
			output["Successful"] = append(output["Successful"], map[string]any{"Id": entry.Id, "MessageId": entry.Id})
		}
	}
	b.bytes, b.entries = append(b.bytes, size), append(b.entries, len(input.Entries))
	return answer(http.StatusOK, output)
}

func (b *batches) answerSingle(body string) (*http.Response, error) {
	for part, code := range b.alone {
		if strings.Contains(body, part) {
			return newError(code)
		}
	}
	b.bytes, b.entries = append(b.bytes, len(body)), append(b.entries, 1)
	return answer(http.StatusOK, map[string]any{"MessageId": "1"})
}

func newError(code string) (*http.Response, error) {
	return answer(http.StatusBadRequest, map[string]any{"__type": "com.amazonaws.sqs#" + code, "message": "canary"})
}

func answer(status int, output any) (*http.Response, error) {
	text, err := json.Marshal(output)
	header := http.Header{"Content-Type": {"application/x-amz-json-1.0"}}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(bytes.NewReader(text))}, err
}

func (b *batches) queue() *sqsqueue.Queue {
	return &sqsqueue.Queue{EventsURL: "https://sqs.test/1/events", Client: sqs.New(sqs.Options{
		Region: "us-east-1", HTTPClient: b, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		DisableMessageChecksumValidation: true, RetryMaxAttempts: 1,
	})}
}

func receipts(count, body int) []inbox.Receipt {
	var all []inbox.Receipt
	for n := range count {
		receipt := newReceipt(string(rune('1' + n)))
		receipt.Body = bytes.Repeat([]byte("x"), body)
		receipt.Note = strings.Repeat(`"`, body/4) // JSON escapes each with two bytes
		all = append(all, receipt)
	}
	return all
}

// I1: the result of one message of a batch concerns no other message.
func TestSend_FailedEntries(t *testing.T) {
	failure := func(code string, sender bool) map[string]any {
		return map[string]any{"Code": code, "SenderFault": sender, "Message": "canary"}
	}
	for name, test := range map[string]struct {
		fake       batches
		unsendable []int // indexes of receipts that SQS rejects for their content
		failed     []int // indexes of other receipts that are not sent
	}{
		"all sent":        {},
		"our fault":       {fake: batches{failed: map[string]map[string]any{"1": failure("InvalidMessageContents", true)}}, unsendable: []int{1}},
		"SQS's own fault": {fake: batches{failed: map[string]map[string]any{"0": failure("InternalError", false)}}, failed: []int{0}},
		"not named":       {fake: batches{silent: "2"}, failed: []int{2}},
		"all failed": {fake: batches{failed: map[string]map[string]any{
			"0": failure("InternalError", false), "1": failure("InvalidMessageContents", true), "2": failure("InvalidParameterValue", true),
		}}, failed: []int{0}, unsendable: []int{1, 2}},
		"the batch is too long": {fake: batches{code: "BatchRequestTooLong", alone: map[string]string{"382528827416576/2": "InvalidParameterValue"}}, unsendable: []int{1}},
		"the batch is invalid":  {fake: batches{code: "InvalidMessageContents", alone: map[string]string{"382528827416576/1": "InvalidMessageContents"}}, unsendable: []int{0}},
		"older code":            {fake: batches{code: "AWS.SimpleQueueService.BatchRequestTooLong", alone: map[string]string{"382528827416576/3": "InvalidMessageContents"}}, unsendable: []int{2}},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.fake.queue().Send(t.Context(), receipts(3, 10)...)
			var failures inbox.SendError
			if errors.As(err, &failures) == (len(test.unsendable)+len(test.failed) == 0) {
				t.Fatalf("got %v", err)
			}
			for i := range 3 {
				unsendable := slices.Contains(test.unsendable, i)
				failed := unsendable || slices.Contains(test.failed, i)
				if got := failures[i]; (got != nil) != failed || errors.Is(got, inbox.ErrUnsendable) != unsendable {
					t.Errorf("receipt %d: %v, want failed %t, unsendable %t", i, got, failed, unsendable)
				}
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error holds the message of SQS: %v", err)
			}
		})
	}
}

func TestSend_RejectedMessage(t *testing.T) {
	for code, unsendable := range map[string]bool{
		"InvalidMessageContents": true, "InvalidParameterValue": true,
		"AccessDeniedException": false, "QueueDoesNotExist": false, "RequestThrottled": false, "KmsAccessDenied": false,
	} {
		fake := &batches{alone: map[string]string{"": code}}
		err := fake.queue().Send(t.Context(), newReceipt("1"))
		var failures inbox.SendError
		if err == nil || errors.Is(err, inbox.ErrUnsendable) != unsendable || errors.As(err, &failures) != unsendable {
			t.Errorf("%s: got %v, want unsendable %t", code, err, unsendable)
		}
	}
}

// Missing permissions concern no single message.
func TestSend_DeniedBatch(t *testing.T) {
	fake := &batches{code: "AccessDeniedException"}
	err := fake.queue().Send(t.Context(), receipts(3, 10)...)
	var failures inbox.SendError
	if err == nil || errors.As(err, &failures) || len(fake.entries) != 0 {
		t.Errorf("got %v and %d single messages", err, len(fake.entries))
	}
}

// SQS rejects a batch of more than 1 MiB: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
func TestSend_BatchLimits(t *testing.T) {
	fake := &batches{}
	if err := fake.queue().Send(t.Context(), receipts(24, 64<<10)...); err != nil {
		t.Fatal(err)
	}
	sent := 0
	for n, size := range fake.bytes {
		sent += fake.entries[n]
		if size > 1<<20 || fake.entries[n] > 10 {
			t.Errorf("batch %d: %d bytes in %d messages", n+1, size, fake.entries[n])
		}
	}
	if sent != 24 {
		t.Errorf("%d messages were sent, want 24", sent)
	}
}
