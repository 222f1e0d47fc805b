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

// batches is an SQS that notes how large the batches are that it gets, and
// answers about entries and requests as a test says. No emulator does either.
type batches struct {
	failed  map[string]map[string]any // by entry
	silent  string                    // entry that the answer does not name
	refusal string                    // code of the error that a batch gets
	alone   map[string]string         // code of the error that a message gets alone, by what it holds
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
		return b.answerOne(input.MessageBody)
	}
	if b.refusal != "" {
		return errorOf(b.refusal)
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

func (b *batches) answerOne(body string) (*http.Response, error) {
	for held, code := range b.alone {
		if strings.Contains(body, held) {
			return errorOf(code)
		}
	}
	b.bytes, b.entries = append(b.bytes, len(body)), append(b.entries, 1)
	return answer(http.StatusOK, map[string]any{"MessageId": "1"})
}

func errorOf(code string) (*http.Response, error) {
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
		receipt.Note = strings.Repeat(`"`, body/4) // each takes two bytes on the way
		all = append(all, receipt)
	}
	return all
}

// I1: what a batch says of one message holds for no other, whatever the status
// code is.
func TestSend_ReportsEachMessageThatABatchDoesNotTake(t *testing.T) {
	failure := func(code string, sender bool) map[string]any {
		return map[string]any{"Code": code, "SenderFault": sender, "Message": "canary"}
	}
	for name, test := range map[string]struct {
		fake       batches
		unsendable []int // places of receipts that SQS refuses for what they are
		failed     []int // places of others that SQS does not take
	}{
		"all taken":       {},
		"our fault":       {fake: batches{failed: map[string]map[string]any{"1": failure("InvalidMessageContents", true)}}, unsendable: []int{1}},
		"SQS's own fault": {fake: batches{failed: map[string]map[string]any{"0": failure("InternalError", false)}}, failed: []int{0}},
		"not named":       {fake: batches{silent: "2"}, failed: []int{2}},
		"all of it": {fake: batches{failed: map[string]map[string]any{
			"0": failure("InternalError", false), "1": failure("InvalidMessageContents", true), "2": failure("InvalidParameterValue", true),
		}}, failed: []int{0}, unsendable: []int{1, 2}},
		"the batch is too long": {fake: batches{refusal: "BatchRequestTooLong", alone: map[string]string{"382528827416576/2": "InvalidParameterValue"}}, unsendable: []int{1}},
		"the batch is invalid":  {fake: batches{refusal: "InvalidMessageContents", alone: map[string]string{"382528827416576/1": "InvalidMessageContents"}}, unsendable: []int{0}},
		"in older words":        {fake: batches{refusal: "AWS.SimpleQueueService.BatchRequestTooLong", alone: map[string]string{"382528827416576/3": "InvalidMessageContents"}}, unsendable: []int{2}},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.fake.queue().Send(t.Context(), receipts(3, 10)...)
			var refused inbox.SendError
			if errors.As(err, &refused) == (len(test.unsendable)+len(test.failed) == 0) {
				t.Fatalf("got %v", err)
			}
			for place := range 3 {
				unsendable := slices.Contains(test.unsendable, place)
				failed := unsendable || slices.Contains(test.failed, place)
				if got := refused[place]; (got != nil) != failed || errors.Is(got, inbox.ErrUnsendable) != unsendable {
					t.Errorf("receipt %d: %v, want it failed %t, unsendable %t", place, got, failed, unsendable)
				}
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error holds what SQS wrote about the message: %v", err)
			}
		})
	}
}

func TestSend_OfOneMessageThatSQSRefuses(t *testing.T) {
	for code, unsendable := range map[string]bool{
		"InvalidMessageContents": true, "InvalidParameterValue": true,
		"AccessDeniedException": false, "QueueDoesNotExist": false, "RequestThrottled": false, "KmsAccessDenied": false,
	} {
		fake := &batches{alone: map[string]string{"": code}}
		err := fake.queue().Send(t.Context(), newReceipt("1"))
		var refused inbox.SendError
		if err == nil || errors.Is(err, inbox.ErrUnsendable) != unsendable || errors.As(err, &refused) != unsendable {
			t.Errorf("%s: got %v, want it unsendable %t", code, err, unsendable)
		}
	}
}

// A request that SQS does not take for who asks says nothing about a message.
func TestSend_OfABatchThatIsDeniedIsOneFailure(t *testing.T) {
	fake := &batches{refusal: "AccessDeniedException"}
	err := fake.queue().Send(t.Context(), receipts(3, 10)...)
	var refused inbox.SendError
	if err == nil || errors.As(err, &refused) || len(fake.entries) != 0 {
		t.Errorf("got %v, and %d messages sent alone", err, len(fake.entries))
	}
}

// SQS refuses a batch of more than 1 MiB whole: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
func TestABatchHasNoMoreThanSQSTakes(t *testing.T) {
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
