package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/publisher"
	"payout-callbacks/pkg/notification"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/templatetest"
)

// listener is a rule on the bus with a queue as its target. It receives the
// notifications of this run's payouts.
type listener struct {
	*deployed
	queue    string
	received []event
}

// event is the part of a message that the tests read.
type event struct {
	Source     string                    `json:"source"`
	DetailType notification.Type         `json:"detail-type"`
	Resources  []string                  `json:"resources"`
	Detail     notification.Notification `json:"detail"`
}

func (d *deployed) listen(t *testing.T, prefix string) *listener {
	t.Helper()
	l := &listener{deployed: d}
	name := templatetest.UniqueName("listener")
	out, err := d.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	l.queue = *out.QueueUrl
	arn := fmt.Sprintf("arn:aws:sqs:%s:000000000000:%s", region, name)
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"%s"}]}`, arn)
	if _, err := d.sqs.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &l.queue, Attributes: map[string]string{"Policy": policy}}); err != nil {
		t.Fatal(err)
	}
	bus := eventbridge.New(eventbridge.Options{
		BaseEndpoint: aws.String(d.stack.EndpointURL), Region: d.stack.Region, Credentials: emulatorCredentials(), HTTPClient: d.http,
	})
	busName := aws.String(d.stack.Outputs["PayoutBusName"])
	pattern := fmt.Sprintf(`{"source":["payout-callbacks"],"detail":{"payout":[{"prefix":"%s"}]}}`, prefix)
	if _, err := bus.PutRule(t.Context(), &eventbridge.PutRuleInput{EventBusName: busName, Name: &name, EventPattern: &pattern}); err != nil {
		t.Fatal(err)
	}
	target := ebtypes.Target{Id: aws.String("queue"), Arn: &arn}
	if _, err := bus.PutTargets(t.Context(), &eventbridge.PutTargetsInput{EventBusName: busName, Rule: &name, Targets: []ebtypes.Target{target}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = bus.RemoveTargets(context.Background(), &eventbridge.RemoveTargetsInput{EventBusName: busName, Rule: &name, Ids: []string{"queue"}})
		_, _ = bus.DeleteRule(context.Background(), &eventbridge.DeleteRuleInput{EventBusName: busName, Name: &name})
	})
	return l
}

// receive empties the queue, and reports whether the notification was received.
func (l *listener) receive(ctx context.Context, t *testing.T, id string) bool {
	t.Helper()
	out, err := l.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &l.queue, MaxNumberOfMessages: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range out.Messages {
		var e event
		if err := json.Unmarshal([]byte(*message.Body), &e); err != nil {
			t.Fatalf("%s: %v", *message.Body, err)
		}
		l.received = append(l.received, e)
		if _, err := l.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &l.queue, ReceiptHandle: message.ReceiptHandle}); err != nil {
			t.Fatal(err)
		}
	}
	return slices.ContainsFunc(l.received, func(e event) bool { return e.Detail.ID == id })
}

func (l *listener) wantReceived(t *testing.T, want ...string) {
	t.Helper()
	for _, id := range want {
		l.eventually(t, "notification "+id+" arrives", func(ctx context.Context) bool { return l.receive(ctx, t, id) })
	}
	var got []string
	for _, e := range l.received {
		got = append(got, e.Detail.ID)
		if e.Source != "payout-callbacks" || e.DetailType != e.Detail.Type || !cmp.Equal(e.Resources, []string{l.stack.Outputs["PayoutBusName"]}) {
			t.Errorf("got the envelope %+v", e)
		}
	}
	slices.Sort(got)
	got = slices.Compact(got) // the bus delivers at least once
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ids of notifications (-want +received):\n%s", diff)
	}
}

// A final status is one notification, a conflict another. A duplicate and a new
// block height are none.
func TestNotifications_OncePerChange(t *testing.T) {
	d := newDeployed(t)
	id := payout.NewID("cregis", payout.TypePayout, demoProject, "8"+d.run, "")
	l := d.listen(t, string(id))
	paid, err := loadExample(d.workspace.root, "cregis/payout-example")
	if err != nil {
		t.Fatal(err)
	}
	send := func(cid string, replace ...string) inbox.Key {
		t.Helper()
		s := scene{provider: "cregis", kind: payout.TypePayout, account: demoProject, body: paid(append(replace, "1391751691788288", cid)...)}
		body, header, err := d.sign(s, demoKeys()["cregis"][demoProject])
		if err != nil {
			t.Fatal(err)
		}
		if code, text, err := d.deliver(t.Context(), "cregis", payout.TypePayout, header, body); code != http.StatusOK || err != nil {
			t.Fatal(code, text, err)
		}
		key := d.receiptKey(s, body, header)
		d.wantReceipt(t, key, inbox.Applied)
		return key
	}
	cid := "8" + d.run
	const succeeded, failed = `"status": 6`, `"status": 7`
	first := send(cid, `"status": 0`, succeeded)
	duplicate := send(cid, `"status": 0`, succeeded, `"ubqso3"`, `"k7w2pq"`, "1687850657960", "1687854257960")
	detail := send(cid, `"status": 0`, succeeded, `"34527604"`, `"34527605"`)
	if first != duplicate || first == detail {
		t.Fatalf("keys: %v, %v, %v; want a duplicate, then another event with the same status", first, duplicate, detail)
	}
	send(cid+"1", `"status": 0`, succeeded) // its notification follows those of the earlier callbacks
	l.wantReceived(t, string(id)+"#1", string(id)+"1#1")
	send(cid, `"status": 0`, failed)
	send(cid+"2", `"status": 0`, failed)
	l.wantReceived(t, string(id)+"#1", string(id)+"1#1", string(id)+"#3", string(id)+"2#1")
	for _, e := range l.received {
		want := map[string]notification.Type{
			string(id) + "#1": notification.PayoutSucceeded, string(id) + "1#1": notification.PayoutSucceeded,
			string(id) + "#3": notification.PayoutConflicted, string(id) + "2#1": notification.PayoutFailed,
		}[e.Detail.ID]
		if e.DetailType != want || e.Detail.Reference != "1e0fb3a0a9454ad8928d26b592e8b3c7" || e.Detail.Amount != "1.1" {
			t.Errorf("%s: got %+v, want %s", e.Detail.ID, e, want)
		}
	}
}

// While the bus rejects events, the stream waits; then all notifications arrive.
func TestNotifications_BusUnavailable(t *testing.T) {
	d := newDeployed(t)
	prefix := payout.NewID("cregis", payout.TypePayout, demoProject, "9"+d.run, "")
	l := d.listen(t, string(prefix))
	restore := d.denyPublishing(t)
	var want []string
	for n := range 25 {
		id := fmt.Sprintf("%s%d", prefix, n)
		receipt := inbox.NewReceipt(payout.Event{ID: payout.ID(id), Status: payout.Succeeded, Amount: "1.1"}, nil, "0a1b2c3d", time.Now())
		text, err := sqsqueue.Encode(receipt)
		if err != nil {
			t.Fatal(err)
		}
		d.sendMessage(t, d.stack.EventsQueueURL, text)
		want = append(want, id+"#1")
	}
	d.eventually(t, "the publisher has failed", func(ctx context.Context) bool { return d.publisherResult(ctx, t) == "FAILED" })
	if l.receive(t.Context(), t, "") || len(l.received) > 0 {
		t.Fatalf("received %d notifications during the outage", len(l.received))
	}
	restore()
	l.wantReceived(t, want...)
}

// denyPublishing denies events:PutEvents to the publisher until restore.
func (d *deployed) denyPublishing(t *testing.T) (restore func()) {
	t.Helper()
	var function struct{ Role string }
	path := "/2015-03-31/functions/" + d.stack.Outputs["PublisherFunctionName"] + "/configuration"
	if err := callLambda(t.Context(), d.workspace, apiCall{method: http.MethodGet, path: path}, &function); err != nil {
		t.Fatal(err)
	}
	_, role, _ := strings.Cut(function.Role, ":role/")
	policy := url.Values{"RoleName": {role}, "PolicyName": {"outage"}}
	denied := url.Values{"PolicyDocument": {`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"events:PutEvents","Resource":"*"}]}`}}
	call := func(action string, parameters ...url.Values) {
		t.Helper()
		if err := callIAM(context.Background(), d.workspace, action, parameters...); err != nil {
			t.Error(err)
		}
	}
	call("PutRolePolicy", policy, denied)
	restore = func() { call("DeleteRolePolicy", policy) }
	t.Cleanup(func() {
		if t.Failed() {
			restore()
		}
	})
	return restore
}

// publisherResult returns the result of the publisher's last batch.
func (d *deployed) publisherResult(ctx context.Context, t *testing.T) string {
	t.Helper()
	var mapping struct{ LastProcessingResult string }
	path := "/2015-03-31/event-source-mappings/" + d.stack.Outputs["PublisherMappingId"]
	if err := callLambda(ctx, d.workspace, apiCall{method: http.MethodGet, path: path}, &mapping); err != nil {
		t.Fatal(err)
	}
	return mapping.LastProcessingResult
}

// samples is a bus that keeps the notifications.
type samples []notification.Notification

func (s *samples) Publish(_ context.Context, notices []notification.Notification) (int, error) {
	*s = append(*s, notices...)
	return len(notices), nil
}

// The sample of the stream is about the payout of the consumer's sample.
func TestSampleEvents_StreamMatchesConsumer(t *testing.T) {
	read := func(file string, into any) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(templatetest.Root(t), "events", file))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
	var messages events.SQSEvent
	read("consumer.json", &messages)
	receipt, err := sqsqueue.Decode(messages.Records[0].Body)
	if err != nil {
		t.Fatal(err)
	}
	record, _ := payout.Record{}.Apply(receipt.Event)
	want, _ := notification.FromRecord(record, accepted)
	var stream events.DynamoDBEvent
	read("publisher.json", &stream)
	var got samples
	(&publisher.Publisher{Bus: &got}).Publish(t.Context(), stream)
	if diff := cmp.Diff(samples{want}, got); diff != "" {
		t.Errorf("events/publisher.json (-want +published):\n%s", diff)
	}
}
