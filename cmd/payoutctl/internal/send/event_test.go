package send_test

import (
	"cmp"
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/cmd/payoutctl/internal/send"
	"payout-callbacks/pkg/aws/apigateway"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/lambda/providers"
)

// The function of each provider reads in the event what the provider sends, and verifies it.
func TestSender_Event(t *testing.T) {
	for _, d := range providers.All() {
		t.Run(d.Name(), func(t *testing.T) {
			key := d.Demo[d.DemoAccount].Current
			request, at := readEvent(t, send.Callback{Provider: d}, key, `{"pid":1,"memo":"é"}`)
			keys := callback.Keys{cmp.Or(d.ClaimedAccount(request), d.DemoAccount): {Current: key}}
			if _, err := d.Verify(request.WithReceivedAt(at), keys); err != nil {
				t.Errorf("verify %+v: %v", request, err)
			}
			const body = "{\"memo\":\"\xff\"}"
			if request, _ := readEvent(t, send.Callback{Provider: d, Unsigned: true}, "", body); string(request.Body) != body || request.Type != d.Types()[0] {
				t.Errorf("a body that is not UTF-8 is read as %+v", request)
			}
		})
	}
}

// readEvent returns the request that a function reads in the event of a callback, and when
// the event says that it was received.
func readEvent(t *testing.T, out send.Callback, key callback.Key, body string) (callback.Request, time.Time) {
	t.Helper()
	out.Kind, out.Body = out.Provider.Types()[0], func() ([]byte, error) { return []byte(body), nil }
	event, err := send.Sender{Callback: out, Key: key}.Event()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	var read events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	return apigateway.Request(read), time.UnixMilli(read.RequestContext.TimeEpoch)
}
