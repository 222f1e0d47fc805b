package main_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	payoutctl "payout-callbacks/cmd/payoutctl"
)

// Attributes of the dead-letter message.
var (
	deadLetterSystem = map[string]string{
		"SentTimestamp": "1795251600000", "ApproximateReceiveCount": "11", "ApproximateFirstReceiveTimestamp": "1795251601000",
		"SenderId": "AROA:cregis", "DeadLetterQueueSourceArn": "arn:aws:sqs:us-east-1:1:events",
		"MessageGroupId": "cregis.7", "AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793",
	}
	deadLetterAttributes = map[string]map[string]string{
		"text": {"DataType": "String", "StringValue": "ä"}, "count": {"DataType": "Number.int", "StringValue": "7"},
		"bytes": {"DataType": "Binary", "BinaryValue": "AAH/"},
	}
)

// deadLetterCommand runs a command on a stack with one dead-letter message, and
// returns its requests.
func deadLetterCommand(t *testing.T, body string, args ...string) (int, []tableRequest, string) {
	t.Helper()
	fake := newTables(t)
	fake.deadLetter = body
	dir := t.TempDir()
	if err := (fakes{api: fake.URL, aws: fake.URL}).writeStack(dir); err != nil {
		t.Fatal(err)
	}
	var out, problems bytes.Buffer
	code := payoutctl.RunOn(filepath.Join(dir, ".local", "stack.json"), args, &out, &problems)
	return code, fake.taken(), out.String() + problems.String()
}

// wantTag checks the reason that was recorded on the queue.
func wantTag(t *testing.T, requests []tableRequest, line string) {
	t.Helper()
	tags := requestsOf(requests, "TagQueue")
	if len(tags) != 1 || !strings.HasSuffix(tags[0].Tags["payout-callbacks:last-change"], line) {
		t.Errorf("recorded on the queue: %+v, want %q", tags, line)
	}
}

func requestsOf(requests []tableRequest, operation string) []tableRequest {
	return slices.DeleteFunc(slices.Clone(requests), func(request tableRequest) bool { return request.operation != operation })
}

// A redriven message arrives unchanged: body, attributes, group and trace.
func TestRedrive_WholeMessage(t *testing.T) {
	for name, body := range map[string]string{"ours": received(t), "unreadable": "{ \"é\":\t1 }\n "} {
		t.Run(name, func(t *testing.T) {
			code, requests, text := deadLetterCommand(t, body, "dlq", "redrive", "--message-id", "m1", "--message-id", "m1", "--reason", "why")
			if code != 0 {
				t.Fatalf("exit code %d\n%s", code, text)
			}
			sent, deleted := requestsOf(requests, "SendMessage"), requestsOf(requests, "DeleteMessage")
			if len(sent) != 1 || len(deleted) != 1 || deleted[0].ReceiptHandle != "h1" {
				t.Fatalf("sent %d times, deleted %d times", len(sent), len(deleted))
			}
			wantTag(t, requests, " dlq redrive: why")
			trace := map[string]map[string]string{"AWSTraceHeader": {"DataType": "String", "StringValue": deadLetterSystem["AWSTraceHeader"]}}
			for what, diff := range map[string]string{
				"body": cmp.Diff(body, sent[0].MessageBody), "group": cmp.Diff("cregis.7", sent[0].MessageGroupId),
				"attributes": cmp.Diff(deadLetterAttributes, sent[0].MessageAttributes), "trace": cmp.Diff(trace, sent[0].MessageSystemAttributes),
				"queue": cmp.Diff("/1/events", sent[0].QueueUrl[len(sent[0].QueueUrl)-len("/1/events"):]),
			} {
				if diff != "" {
					t.Errorf("%s (-was +sent):\n%s", what, diff)
				}
			}
		})
	}
}

// An exported message is complete in the file, with sender, time of the first receive
// and source queue.
func TestExport_WholeMessage(t *testing.T) {
	const body = "{ \"é\":\t1 }\n "
	file := filepath.Join(t.TempDir(), "dropped.jsonl")
	code, requests, text := deadLetterCommand(t, body, "dlq", "export", "--delete", "--message-id", "m1", "--to", file, "--reason", "why")
	if code != 0 || len(requestsOf(requests, "DeleteMessage")) != 1 {
		t.Fatalf("exit code %d\n%s", code, text)
	}
	wantTag(t, requests, " dlq export --delete: why")
	line, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var saved struct {
		Message, SentAt, Reason, Group, Body string
		System                               map[string]string
		Attributes                           map[string]struct{ DataType, StringValue, BinaryValue string }
	}
	if err := json.Unmarshal(line, &saved); err != nil {
		t.Fatal(err)
	}
	if saved.Message != "m1" || saved.Body != body || saved.Reason != "why" || saved.Group != "cregis.7" || saved.SentAt != "2026-11-21T09:00:00Z" {
		t.Errorf("saved %s", line)
	}
	if diff := cmp.Diff(deadLetterSystem, saved.System); diff != "" {
		t.Errorf("system attributes (-was +saved):\n%s", diff)
	}
	for name, want := range deadLetterAttributes {
		got := saved.Attributes[name]
		if got.DataType != want["DataType"] || got.StringValue != want["StringValue"] || got.BinaryValue != want["BinaryValue"] {
			t.Errorf("attribute %s: got %+v, want %v", name, got, want)
		}
	}
}

// Listing dead-letter messages uses long polling and a visibility timeout of half a
// minute, and makes each message visible again at once.
func TestDeadLetters_VisibleAfterList(t *testing.T) {
	code, requests, text := deadLetterCommand(t, "unreadable", "dlq", "list")
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, text)
	}
	for _, request := range requestsOf(requests, "ReceiveMessage") {
		if request.WaitTimeSeconds == nil || *request.WaitTimeSeconds != 1 || request.VisibilityTimeout == nil || *request.VisibilityTimeout != 30 {
			t.Errorf("received with %+v", request)
		}
	}
	back := requestsOf(requests, "ChangeMessageVisibility")
	if len(back) != 1 || back[0].ReceiptHandle != "h1" || back[0].VisibilityTimeout == nil || *back[0].VisibilityTimeout != 0 || !strings.HasSuffix(back[0].QueueUrl, "/1/dead-letters") {
		t.Errorf("put back: %+v", back)
	}
}
