package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/aws/apigateway"
	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/templatetest"
)

// accepted is the instant of the sample events.
var accepted = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// sampleEvent is a documented example with other ids: the demonstration sends the examples unchanged, and the first
// invocation of a sample must be new.
type sampleEvent struct {
	provider, example string
	kind              payout.Type
	replace           []string
}

func sampleEvents() map[string]sampleEvent {
	const documented, succeeded, reference, batch = "1391751691788288", `"status": 6`, "TestReforzaPivot001", "d6a46a2c-1b26-40c5-9ca3-e063e69635a0"
	cregis := func(cid string) []string { return []string{documented, cid, `"status": 0`, succeeded} }
	return map[string]sampleEvent{
		"cregis-payout.json":             {"cregis", "cregis/payout-example", payout.TypePayout, cregis("1391751691780001")},
		"cregis-sub-address-payout.json": {"cregis", "cregis/sub-address-example", payout.TypeSubAddressPayout, cregis("1391751691780002")},
		"consumer.json":                  {"cregis", "cregis/payout-example", payout.TypePayout, cregis("1391751691780003")},
		"pivot-bulk.json":                {"pivot", "pivot/bulk-done", payout.TypePayout, []string{batch, "3f0a4c1e-8a55-4a3c-9f0e-2d6b7c8e9f10"}},
		"pivot-single.json": {"pivot", "pivot/single-success", payout.TypePayout,
			[]string{batch, "7c2f9d3b-5e14-4b6a-8d21-90a1b2c3d4e5", reference, "SampleReference001"}},
	}
}

// The samples of events/ are events of the gateway and the queue, signed with the demo keys.
func TestSampleEvents_MatchCode(t *testing.T) {
	root := templatetest.Root(t)
	wantFile(t, filepath.Join(root, "events", "sweeper.json"), struct{}{})
	wantFile(t, filepath.Join(root, "events", "reconciler.json"), struct{}{})
	wantFile(t, filepath.Join(root, "events", "expected.json"), expectedEvent(t))
	for file, sample := range sampleEvents() {
		event := sample.event(t, root)
		receipt := receiptOf(t, sample.provider, event)
		if receipt.State != inbox.Received {
			t.Errorf("%s: the sample is %s", file, receipt.State)
		}
		if file == "consumer.json" {
			wantFile(t, filepath.Join(root, "events", file), queueEvent(t, receipt))
		} else {
			wantFile(t, filepath.Join(root, "events", file), event)
		}
	}
}

func TestSampleEvents_NewAfterDemonstration(t *testing.T) {
	root := templatetest.Root(t)
	played := map[inbox.Key]string{}
	scenes, err := scenes(root)
	if err != nil {
		t.Fatal(err)
	}
	stage := newStage(stack{DemoKeys: demoKeys()})
	for _, scene := range scenes {
		body, header, err := stage.sign(scene, stage.stack.DemoKeys[scene.provider][scene.account])
		if err != nil {
			t.Fatal(err)
		}
		played[stage.receiptKey(scene, body, header)] = scene.title
	}
	for file, sample := range sampleEvents() {
		key := receiptOf(t, sample.provider, sample.event(t, root)).Key
		if earlier, ok := played[key]; ok {
			t.Errorf("events/%s is a duplicate of %s", file, earlier)
		}
		played[key] = file
	}
}

func (s sampleEvent) event(t *testing.T, root string) events.APIGatewayV2HTTPRequest {
	t.Helper()
	documented, err := loadExample(root, s.example)
	if err != nil {
		t.Fatal(err)
	}
	return gatewayEvent(t, s.provider, s.kind, documented(s.replace...))
}

// expectedEvent is an expectation of the payout of cregis-payout.json: invoked in any order, the two agree.
func expectedEvent(t *testing.T) events.APIGatewayV2HTTPRequest {
	t.Helper()
	body, err := json.Marshal(reconcile.Expectation{
		Provider: "cregis", Type: "payout", Account: demoProject, ID: "1391751691780001", Reference: "1e0fb3a0a9454ad8928d26b592e8b3c7",
		Amount: "1.1", Currency: "TRX", To: "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS",
	})
	if err != nil {
		t.Fatal(err)
	}
	event := newGatewayEvent("/expected-payouts", map[string]string{"content-type": "application/json"}, body)
	event.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		IAM: &events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription{UserARN: "arn:aws:iam::000000000000:root"},
	}
	return event
}

// The expectation of the sample is that of the sample's callback.
func TestSampleEvents_ExpectedPayoutAgrees(t *testing.T) {
	root := templatetest.Root(t)
	expectation, err := reconcile.ParseExpectation([]byte(expectedEvent(t).Body))
	if err != nil {
		t.Fatal(err)
	}
	expected, err := cregis.Provider{}.Expect(expectation)
	if err != nil {
		t.Fatal(err)
	}
	stated := receiptOf(t, "cregis", sampleEvents()["cregis-payout.json"].event(t, root)).Event
	for _, field := range []payout.Field{payout.FieldAmount, payout.FieldCurrency, payout.FieldTo, payout.FieldReference} {
		if got, want := expected.Claim(field), stated.Claim(field); expected.ID != stated.ID || got != want {
			t.Errorf("%s of %s is %s, the callback's of %s is %s", field, expected.ID, got, stated.ID, want)
		}
	}
}

func gatewayEvent(t *testing.T, provider string, kind payout.Type, body []byte) events.APIGatewayV2HTTPRequest {
	t.Helper()
	d := newStage(stack{}).providers[provider]
	signed, header, err := d.Sign(body, d.Demo[d.DemoAccount].Current, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	path := "/callbacks/" + provider + "/" + string(kind)
	headers := map[string]string{}
	for name := range header {
		headers[strings.ToLower(name)] = header.Get(name)
	}
	return newGatewayEvent(path, headers, signed)
}

func newGatewayEvent(path string, headers map[string]string, body []byte) events.APIGatewayV2HTTPRequest {
	return events.APIGatewayV2HTTPRequest{
		Version:  "2.0",
		RouteKey: "POST " + path,
		RawPath:  path,
		Headers:  headers,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: "POST " + path,
			Stage:    "$default",
			HTTP:     events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: http.MethodPost, Path: path, Protocol: "HTTP/1.1", SourceIP: "192.0.2.1"},
		},
		Body: string(body),
	}
}

// receiptOf returns the receipt that the deployed function creates for a sample.
func receiptOf(t *testing.T, provider string, event events.APIGatewayV2HTTPRequest) inbox.Receipt {
	t.Helper()
	d := newStage(stack{}).providers[provider]
	verified, err := d.Verify(apigateway.Request(event), d.Demo)
	if err != nil {
		t.Fatal(err)
	}
	return callback.NewReceipt(d, verified, accepted)
}

func queueEvent(t *testing.T, receipt inbox.Receipt) events.SQSEvent {
	t.Helper()
	text, err := sqsqueue.Encode(receipt)
	if err != nil {
		t.Fatal(err)
	}
	return events.SQSEvent{Records: []events.SQSMessage{{
		MessageId:      "059f36b4-87a3-44ab-83d2-661975830a7d",
		ReceiptHandle:  "handle",
		Body:           text,
		Attributes:     map[string]string{"ApproximateReceiveCount": "1"},
		EventSource:    "aws:sqs",
		EventSourceARN: "arn:aws:sqs:us-east-1:000000000000:payout-callbacks-events",
		AWSRegion:      region,
	}}}
}

func wantFile(t *testing.T, path string, sample any) {
	t.Helper()
	want, err := json.MarshalIndent(sample, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	// The flag of providertest, which also updates the vectors.
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s differs from the event of the example (%v); go test ./cmd/local -update writes it", path, err)
	}
}
