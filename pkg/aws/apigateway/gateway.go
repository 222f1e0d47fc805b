// Package apigateway reads and writes the events of an API Gateway HTTP API
// (payload format 2.0).
package apigateway

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// Request returns the callback in an event. The route, not the path, says of
// which type it is: a stage or a custom domain may put a prefix before paths.
//
// The gateway passes on a body as text only under a few content types and in
// base64 under all others; both give the same request, except that of a text it
// may have replaced bytes ([callback.Request.IsAltered]). Of a body that says to
// be base64 and is not, the text itself is the body: whoever is authentic is
// kept.
//
// A header's name may stand in the event in two spellings: all of its values
// count.
func Request(event events.APIGatewayV2HTTPRequest) callback.Request {
	header := make(http.Header, len(event.Headers))
	for name, value := range event.Headers {
		header.Add(name, value)
	}
	body, asText := bodyOf(event)
	request := callback.NewRequest(typeOf(event.RouteKey), header, body)
	return request.WithDelivery(event.RequestContext.RequestID, asText)
}

// bodyOf returns the body, and whether the gateway passed it on as text.
func bodyOf(event events.APIGatewayV2HTTPRequest) (body []byte, asText bool) {
	if event.IsBase64Encoded {
		if decoded, err := base64.StdEncoding.DecodeString(event.Body); err == nil {
			return decoded, false
		}
	}
	return []byte(event.Body), true
}

// typeOf returns the last part of a route such as
// "POST /callbacks/cregis/sub-address-payout".
func typeOf(route string) payout.Type {
	return payout.Type(route[strings.LastIndex(route, "/")+1:])
}

// Response returns the reply as the gateway sends it.
func Response(reply callback.Reply) events.APIGatewayV2HTTPResponse {
	response := events.APIGatewayV2HTTPResponse{StatusCode: reply.Code, Body: reply.Body}
	if reply.ContentType != "" {
		response.Headers = map[string]string{"Content-Type": reply.ContentType}
	}
	return response
}
