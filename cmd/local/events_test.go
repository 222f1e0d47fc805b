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

	"payout-callbacks/pkg/app"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/gateway"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/sqsqueue"
	"payout-callbacks/pkg/templatetest"
)

// accepted is the instant of the sample events.
var accepted = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// The samples of events/ are the documented examples as the gateway and the
// queue would hand them over, signed with the demo keys.
func TestSampleEventsAreTrue(t *testing.T) {
	root := templatetest.Root(t)
	samples := map[string]any{"sweeper.json": struct{}{}}
	for file, sample := range map[string]struct {
		provider, example string
		kind              payout.Type
		replace           []string
	}{
		"cregis-payout.json":             {"cregis", "cregis/payout-example", payout.TypePayout, []string{`"status": 0`, `"status": 6`}},
		"cregis-sub-address-payout.json": {"cregis", "cregis/sub-address-example", payout.TypeSubAddressPayout, nil},
		"pivot-bulk.json":                {"pivot", "pivot/bulk-done", payout.TypePayout, nil},
		"pivot-single.json":              {"pivot", "pivot/single-success", payout.TypePayout, nil},
	} {
		found, err := loadExample(root, sample.example)
		if err != nil {
			t.Fatal(err)
		}
		event := gatewayEvent(t, sample.provider, sample.kind, found(sample.replace...))
		receipt := receiptOf(t, sample.provider, event)
		if receipt.State != inbox.Received {
			t.Errorf("%s: the sample is %s", file, receipt.State)
		}
		samples[file] = event
		if file == "cregis-payout.json" {
			samples["consumer.json"] = queueEvent(t, receipt)
		}
	}
	for file, sample := range samples {
		wantFile(t, filepath.Join(root, "events", file), sample)
	}
}

func gatewayEvent(t *testing.T, provider string, kind payout.Type, body []byte) events.APIGatewayV2HTTPRequest {
	t.Helper()
	signed, header, err := signerOf(provider).Sign(body, demoKeyOf(provider))
	if err != nil {
		t.Fatal(err)
	}
	path := "/callbacks/" + provider + "/" + string(kind)
	headers := map[string]string{}
	for name := range header {
		headers[strings.ToLower(name)] = header.Get(name)
	}
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
		Body: string(signed),
	}
}

// receiptOf reads a sample as the deployed function would.
func receiptOf(t *testing.T, provider string, event events.APIGatewayV2HTTPRequest) inbox.Receipt {
	t.Helper()
	keys := callback.Keys{demoProject: {Current: demoKeyOf("cregis")}, demoMerchant: {Current: demoKeyOf("pivot")}}
	request := gateway.Request(event)
	sender, err := signerOf(provider).Verify(request, keys)
	if err != nil {
		t.Fatal(err)
	}
	return callback.NewReceipt(signerOf(provider), request, sender, accepted)
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

func signerOf(name string) app.SigningProvider {
	for _, provider := range app.Providers() {
		if provider.Name() == name {
			return provider
		}
	}
	return nil
}

func demoKeyOf(provider string) callback.Key {
	for _, key := range demoKeys()[provider] {
		return callback.Key(key)
	}
	return ""
}

func wantFile(t *testing.T, path string, sample any) {
	t.Helper()
	want, err := json.MarshalIndent(sample, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	// The flag is providertest's, for the vectors that the samples are made of.
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what the code makes of the example (%v); go test ./cmd/local -update writes it anew", path, err)
	}
}
