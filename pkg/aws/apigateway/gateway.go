// Package apigateway converts the events of an API Gateway HTTP API (payload format
// 2.0) into callbacks, and replies into its responses.
package apigateway

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// Request returns the callback of an event. Its type is from the route, not from the
// path: a stage or a custom domain can add a prefix to paths.
//
// The gateway passes the body as text for a few content types and in base64 for all
// others. Both give the same request, except that it may have replaced bytes in a
// text ([callback.Request.IsAltered]). If a body is not the base64 that the event
// says, the text itself is the body, so that no authentic callback is lost.
//
// If the event has a header's name in two spellings, the request has all values.
func Request(event events.APIGatewayV2HTTPRequest) callback.Request {
	header := make(http.Header, len(event.Headers))
	for name, value := range event.Headers {
		header.Add(name, value)
	}
	body, asText := Body(event)
	request := callback.NewRequest(typeFromRoute(event.RouteKey), header, body)
	return request.WithDelivery(event.RequestContext.RequestID, asText)
}

// Body returns the body of an event, and whether the gateway passed it as text.
func Body(event events.APIGatewayV2HTTPRequest) (body []byte, asText bool) {
	if event.IsBase64Encoded {
		if decoded, err := base64.StdEncoding.DecodeString(event.Body); err == nil {
			return decoded, false
		}
	}
	return []byte(event.Body), true
}

// typeFromRoute returns the last part of a route such as
// "POST /callbacks/cregis/sub-address-payout".
func typeFromRoute(route string) payout.Type {
	return payout.Type(route[strings.LastIndex(route, "/")+1:])
}

// Response returns the event with which the gateway sends the reply.
func Response(reply callback.Reply) events.APIGatewayV2HTTPResponse {
	response := events.APIGatewayV2HTTPResponse{StatusCode: reply.Code, Body: reply.Body}
	if reply.ContentType != "" {
		response.Headers = map[string]string{"Content-Type": reply.ContentType}
	}
	return response
}
