package functions_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/aws/eventbus"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/lambda/telemetry"
	"payout-callbacks/pkg/notification"
)

// bus publishes the first few notifications, then fails.
type bus int

func (b bus) Publish(_ context.Context, notifications []notification.Notification) (int, error) {
	if int(b) < len(notifications) {
		return int(b), errors.New("down")
	}
	return len(notifications), nil
}

func inserted(sequence, number string) events.DynamoDBEventRecord {
	id := events.NewStringAttribute("cregis/payout/7/" + number)
	status := events.NewListAttribute([]events.DynamoDBAttributeValue{events.NewStringAttribute("failed")})
	return events.DynamoDBEventRecord{EventName: "INSERT", Change: events.DynamoDBStreamRecord{
		Keys: map[string]events.DynamoDBAttributeValue{"payout": id}, SequenceNumber: sequence,
		NewImage: map[string]events.DynamoDBAttributeValue{
			"payout": id, "v": events.NewNumberAttribute("1"), "version": events.NewNumberAttribute("1"),
			"claims": events.NewMapAttribute(map[string]events.DynamoDBAttributeValue{"status": status}),
		},
	}}
}

// Lambda continues with the record that failed. It counts an error of the
// function if nothing was published.
func TestHandleStream_FailingBus(t *testing.T) {
	batch := events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{inserted("100", "1"), inserted("200", "2")}}
	for published, want := range map[int][]events.DynamoDBBatchItemFailure{1: {{ItemIdentifier: "200"}}, 2: {}} {
		stack := functions.Stack{Bus: bus(published), Recorder: telemetry.NewRecorder(io.Discard, "n", time.Now), Now: time.Now}
		got, err := stack.HandleStream(t.Context(), batch)
		if diff := cmp.Diff(want, got.BatchItemFailures); err != nil || diff != "" {
			t.Errorf("%d published: %v, failures (-want +got):\n%s", published, err, diff)
		}
	}
	stack := functions.Stack{Bus: bus(0), Recorder: telemetry.NewRecorder(io.Discard, "n", time.Now), Now: time.Now}
	if _, err := stack.HandleStream(t.Context(), batch); err == nil {
		t.Error("nothing is published: got no error")
	}
}

// A notification that EventBridge rejects for good is counted and logged, and
// blocks no other.
func TestHandleStream_RejectedNotification(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		answer := `{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}`
		switch bad := strings.Contains(string(body), "cregis/payout/7/1#"); {
		case bad && strings.Contains(string(body), "cregis/payout/7/2#"):
			answer = `{"FailedEntryCount":1,"Entries":[{"ErrorCode":"MalformedDetail"},{"EventId":"1"}]}`
		case bad:
			answer = `{"FailedEntryCount":1,"Entries":[{"ErrorCode":"MalformedDetail"}]}`
		}
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	local := settings
	local.Endpoint = server.URL
	var lines bytes.Buffer
	stack := functions.Stack{Bus: eventbus.New(functions.NewAWSConfig(local), "bus"), Recorder: telemetry.NewRecorder(&lines, "n", time.Now), Now: time.Now}
	batch := events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{inserted("100", "1"), inserted("200", "2")}}
	if got, err := stack.HandleStream(t.Context(), batch); err != nil || len(got.BatchItemFailures) != 0 {
		t.Errorf("%+v, %v, want no failure", got, err)
	}
	for _, want := range []string{`"level":"ERROR"`, `"CorruptRecords":1`, `"Published":1`, "cregis/payout/7/1#1", "MalformedDetail"} {
		if !strings.Contains(lines.String(), want) {
			t.Errorf("want %s in the line: %s", want, lines.String())
		}
	}
	alone := events.DynamoDBEvent{Records: batch.Records[:1]}
	if got, err := stack.HandleStream(t.Context(), alone); err != nil || len(got.BatchItemFailures) != 0 {
		t.Errorf("alone: %+v, %v, want no failure", got, err)
	}
}
