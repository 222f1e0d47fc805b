package apigateway_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"payout-callbacks/pkg/aws/apigateway"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

func TestRequest_Base64AndText(t *testing.T) {
	const body = "{\"remark\": \"提币 ✓\"}\n"
	event := events.APIGatewayV2HTTPRequest{
		RouteKey: "POST /callbacks/cregis/sub-address-payout",
		Headers:  map[string]string{"x-api-key": "k", "content-type": "application/JSON"},
		Body:     body,
	}
	plain := apigateway.Request(event)
	event.Body, event.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte(body)), true
	encoded := apigateway.Request(event)
	if diff := cmp.Diff(plain, encoded, cmpopts.IgnoreUnexported(callback.Request{})); diff != "" {
		t.Errorf("requests (-text +base64):\n%s", diff)
	}
	if string(plain.Body) != body || plain.Header.Get("X-API-Key") != "k" || plain.Type != payout.TypeSubAddressPayout {
		t.Errorf("got %q, %v, %q", plain.Body, plain.Header, plain.Type)
	}
}

func TestRequest_InvalidBase64(t *testing.T) {
	got := apigateway.Request(events.APIGatewayV2HTTPRequest{Body: "{not base64}", IsBase64Encoded: true})
	if string(got.Body) != "{not base64}" {
		t.Errorf("got %q", got.Body)
	}
}

func TestRequest_OnlyTextIsAltered(t *testing.T) {
	event := events.APIGatewayV2HTTPRequest{Body: "\ufffd"}
	event.RequestContext.RequestID = "id-1"
	if got := apigateway.Request(event); !got.IsAltered() || got.DeliveryID() != "id-1" {
		t.Errorf("text: altered %t, delivery %q", got.IsAltered(), got.DeliveryID())
	}
	event.IsBase64Encoded = true
	if got := apigateway.Request(event); !got.IsAltered() {
		t.Error("invalid base64: got not altered, want altered, because the text is the body")
	}
	event.Body = base64.StdEncoding.EncodeToString([]byte("\ufffd"))
	if got := apigateway.Request(event); got.IsAltered() || string(got.Body) != "\ufffd" || got.DeliveryID() != "id-1" {
		t.Errorf("base64: altered %t, body %q, delivery %q", got.IsAltered(), got.Body, got.DeliveryID())
	}
}

// Some emulators keep the spelling of names. With only one of the values, the order
// of a map would decide which key is verified.
func TestRequest_HeaderInTwoSpellings(t *testing.T) {
	for range 20 {
		got := apigateway.Request(events.APIGatewayV2HTTPRequest{Headers: map[string]string{"X-API-Key": "a", "x-api-key": "b"}})
		if values := got.Header.Values("X-Api-Key"); len(values) != 2 {
			t.Fatalf("values %q, want both", values)
		}
	}
}

func TestRequest_LargeBody(t *testing.T) {
	body := strings.Repeat("x", callback.MaxBody+1)
	got := apigateway.Request(events.APIGatewayV2HTTPRequest{Body: body})
	if !got.TooLarge() || len(got.Body) != callback.MaxBody || got.BodySize != callback.MaxBody+1 {
		t.Errorf("got %d of %d bytes, too large: %t", len(got.Body), got.BodySize, got.TooLarge())
	}
	if whole := apigateway.Request(events.APIGatewayV2HTTPRequest{Body: body[1:]}); whole.TooLarge() || whole.BodySHA256() == got.BodySHA256() {
		t.Error("a body of the maximal size must be whole, with another hash")
	}
}

func TestRequest_RouteWithToken(t *testing.T) {
	got := apigateway.Request(events.APIGatewayV2HTTPRequest{RouteKey: "POST /0123456789abcdef0123456789abcdef/callbacks/cregis/sub-address-payout"})
	if got.Type != payout.TypeSubAddressPayout {
		t.Errorf("got %q", got.Type)
	}
}

func TestResponse(t *testing.T) {
	got := apigateway.Response(callback.Reply{Code: 200, ContentType: "text/plain", Body: "success"})
	if got.StatusCode != 200 || got.Body != "success" || got.Headers["Content-Type"] != "text/plain" || got.IsBase64Encoded {
		t.Errorf("got %+v", got)
	}
}
