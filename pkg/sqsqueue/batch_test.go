package sqsqueue_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/sqsqueue"
)

// batches is an SQS that notes how large the batches are that it gets, and
// refuses the messages of the ids that it is told. No emulator does either.
type batches struct {
	refused map[string]bool
	bytes   []int
	entries []int
}

func (b *batches) Do(request *http.Request) (*http.Response, error) {
	var input struct {
		Entries []struct{ Id, MessageBody string }
	}
	if err := json.NewDecoder(request.Body).Decode(&input); err != nil {
		return nil, err
	}
	size := 0
	output := map[string][]map[string]any{"Successful": {}, "Failed": {}}
	for _, entry := range input.Entries {
		size += len(entry.MessageBody)
		if b.refused[entry.Id] {
			output["Failed"] = append(output["Failed"], map[string]any{"Id": entry.Id, "Code": "InternalError", "SenderFault": false})
			continue
		}
		output["Successful"] = append(output["Successful"], map[string]any{"Id": entry.Id, "MessageId": entry.Id})
	}
	b.bytes, b.entries = append(b.bytes, size), append(b.entries, len(input.Entries))
	text, err := json.Marshal(output)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(text))}, err
}

func (b *batches) queue() *sqsqueue.Queue {
	return &sqsqueue.Queue{EventsURL: "https://sqs.test/1/events", Client: sqs.New(sqs.Options{
		Region: "us-east-1", HTTPClient: b, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		DisableMessageChecksumValidation: true,
	})}
}

func receipts(count, body int) []inbox.Receipt {
	var all []inbox.Receipt
	for n := range count {
		receipt := receiptOf(string(rune('1' + n)))
		receipt.Body = bytes.Repeat([]byte("x"), body)
		receipt.Note = strings.Repeat(`"`, body/4) // each takes two bytes on the way
		all = append(all, receipt)
	}
	return all
}

// I1: a batch that was taken in part is a failure, whatever the status code.
func TestABatchThatIsTakenInPartIsAFailure(t *testing.T) {
	fake := &batches{refused: map[string]bool{"1": true}}
	if err := fake.queue().Send(t.Context(), receipts(3, 10)...); err == nil {
		t.Error("the second of three was not taken, and nobody says so")
	}
	if err := new(batches).queue().Send(t.Context(), receipts(3, 10)...); err != nil {
		t.Errorf("all were taken: %v", err)
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
