package main

import (
	"context"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/localstack"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/faultproxy"
)

// setFault sets the fault of a service of the deployed functions, also in a cleanup, when the
// context of the test has ended.
func (d *deployed) setFault(t *testing.T, service string, fault faultproxy.Fault) {
	t.Helper()
	body := map[string]string{"service": service, "fault": string(fault)}
	if err := localstack.Control(context.WithoutCancel(t.Context()), d.http, d.stack.Faults.URL+"/simulator/faults", body, nil); err != nil {
		t.Fatal(err)
	}
}

// newCallback returns a signed Cregis callback of this run, and the key of its receipt.
func (d *deployed) newCallback(t *testing.T, cid string) ([]byte, http.Header, inbox.Key) {
	t.Helper()
	example, err := loadExample(d.workspace.root, "cregis/payout-example")
	if err != nil {
		t.Fatal(err)
	}
	s := scene{provider: "cregis", kind: payout.TypePayout, account: demoProject, body: example("1391751691788288", d.run+cid, `"status": 0`, `"status": 6`)}
	body, header, err := d.sign(s, d.stack.DemoKeys["cregis"][demoProject])
	if err != nil {
		t.Fatal(err)
	}
	return body, header, d.receiptKey(s, body, header)
}

// setVisibility sets after how many seconds the consumer receives a failed message again, and returns the former number.
func (d *deployed) setVisibility(t *testing.T, seconds string) string {
	t.Helper()
	name := types.QueueAttributeNameVisibilityTimeout
	out, err := d.sqs.GetQueueAttributes(context.Background(), &sqs.GetQueueAttributesInput{
		QueueUrl: &d.stack.EventsQueueURL, AttributeNames: []types.QueueAttributeName{name},
	})
	if err != nil {
		t.Fatal(err)
	}
	input := &sqs.SetQueueAttributesInput{QueueUrl: &d.stack.EventsQueueURL, Attributes: map[string]string{string(name): seconds}}
	if _, err := d.sqs.SetQueueAttributes(context.Background(), input); err != nil {
		t.Fatal(err)
	}
	return out.Attributes[string(name)]
}

// Without DynamoDB, a callback is accepted by the queue, and applied when DynamoDB is back. Without both, it is answered so
// that the provider sends it again.
func TestFaults_Outages(t *testing.T) {
	d := newDeployed(t)
	visibility := d.setVisibility(t, "2") // the consumer receives the message during the outage, and then after this time
	t.Cleanup(func() {
		d.setVisibility(t, visibility)
		d.setFault(t, faultproxy.DynamoDB, faultproxy.None)
		d.setFault(t, faultproxy.SQS, faultproxy.None)
	})
	provider := d.providers["cregis"]
	body, header, key := d.newCallback(t, "71")
	lost, lostHeader, lostKey := d.newCallback(t, "72")

	d.setFault(t, faultproxy.DynamoDB, faultproxy.Fails)
	code, text, err := d.deliver(t.Context(), "cregis", payout.TypePayout, header, body)
	if want := provider.Reply(callback.Acknowledged); err != nil || code != want.Code || text != want.Body {
		t.Errorf("without DynamoDB: got %d %q, %v, want %v", code, text, err, want)
	}
	if _, ok, err := d.reader.Receipt(t.Context(), key); ok || err != nil {
		t.Errorf("without DynamoDB, a receipt was stored: %t, %v", ok, err)
	}

	d.setFault(t, faultproxy.SQS, faultproxy.Fails)
	code, _, err = d.post(t.Context(), "cregis", payout.TypePayout, lostHeader, lost)
	if want := provider.Reply(callback.Unavailable); err != nil || code != want.Code {
		t.Errorf("without both: got %d, %v, want %d", code, err, want.Code)
	}

	d.setFault(t, faultproxy.SQS, faultproxy.None)
	d.setFault(t, faultproxy.DynamoDB, faultproxy.None)
	d.wantReceipt(t, key, inbox.Applied)
	if _, ok, err := d.reader.Receipt(t.Context(), lostKey); ok || err != nil {
		t.Errorf("a callback that was not acknowledged was stored: %t, %v", ok, err)
	}
}
