package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/testkit/traffic"
)

// ingressTimeout is the timeout of the ingress functions in template.yaml.
const ingressTimeout = 10 * time.Second

type handler = func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

// newGateway does what an HTTP API and Lambda do: it turns each request into an
// event and passes it to an instance of the function of its route. An instance
// has its own clients and handles one request at a time.
func newGateway(newStack func() functions.Stack) http.Handler {
	mux := http.NewServeMux()
	for _, provider := range providers.All() {
		keys := traffic.StreamKeys(provider.Name()) // always available: the faults are those of the tables and the queues
		instances := &sync.Pool{New: func() any { return newStack().HandleCallbacks(provider, keys) }}
		for _, kind := range provider.Types() {
			route := "POST /callbacks/" + provider.Name() + "/" + string(kind)
			mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) {
				instance := instances.Get().(handler) //nolint:forcetypeassert // New returns nothing else
				defer instances.Put(instance)
				serve(w, r, route, instance)
			})
		}
	}
	return mux
}

func serve(w http.ResponseWriter, r *http.Request, route string, handle handler) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "", http.StatusBadRequest)
		return
	}
	event := events.APIGatewayV2HTTPRequest{RouteKey: route, Headers: map[string]string{}, Body: string(body)}
	for name, values := range r.Header {
		event.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	// Without the cancellation of the request: a caller that hangs up stops no function.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), ingressTimeout)
	defer cancel()
	response, err := handle(ctx, event)
	if err != nil {
		response = events.APIGatewayV2HTTPResponse{StatusCode: http.StatusInternalServerError}
	}
	for name, value := range response.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(response.StatusCode)
	_, _ = io.WriteString(w, response.Body)
}
