package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/app"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/providertest"
)

// The accounts that the callbacks are of, and their keys, which are the demo's.
var accountKeys = map[string]callback.Keys{
	"cregis": {"1382528827416576": {Current: "f502a9ac9ca54327986f29c03b271491"}},
	"pivot":  {"922e39ab-7565-49f6-b84f-fb56122821ae": {Current: "demo-pivot-callback-key-not-a-secret"}},
}

// fixedKeys is a source of keys that never asks for any.
type fixedKeys callback.Keys

func (k fixedKeys) Keys(context.Context) (callback.Keys, error) { return callback.Keys(k), nil }

func (k fixedKeys) Refresh(context.Context) (callback.Keys, bool, error) {
	return callback.Keys(k), false, nil
}

func providerNamed(name string) app.SigningProvider {
	for _, provider := range app.Providers() {
		if provider.Name() == name {
			return provider
		}
	}
	panic("no provider " + name)
}

// documented returns a body that the provider's pages print.
func (w *world) documented(provider, vector string) ([]byte, error) {
	name := provider + "/" + vector
	if body, ok := w.bodies.Load(name); ok {
		return body.([]byte), nil //nolint:forcetypeassert // nothing else is stored
	}
	body, err := w.readDocumented(provider, vector)
	if err == nil {
		w.bodies.Store(name, body)
	}
	return body, err
}

func (w *world) readDocumented(provider, vector string) ([]byte, error) {
	vectors, err := providertest.Load(os.DirFS(w.file("pkg", "provider", provider, "testdata")))
	if err != nil {
		return nil, err
	}
	for _, one := range vectors {
		if one.Name == vector {
			return one.Body, nil
		}
	}
	return nil, fmt.Errorf("there is no vector %s of %s", vector, provider)
}

var cidText = regexp.MustCompile(`"cid":\s*\d+`)

// request is one callback of Cregis of a payout that no other one is of: the
// longest of the documented ways to be told of one.
func (w *world) request() (callback.Request, error) {
	body, err := w.documented("cregis", "payout-status-6")
	if err != nil {
		return callback.Request{}, err
	}
	// As many digits as in the example.
	body = cidText.ReplaceAll(body, fmt.Appendf(nil, `"cid":%d`, 1_000_000_000_000_000+w.counter.Add(1)))
	for _, keys := range accountKeys["cregis"] {
		var header map[string][]string
		body, header, err = providerNamed("cregis").Sign(body, keys.Current)
		return callback.NewRequest(payout.TypePayout, header, body), err
	}
	panic("no key")
}

// events returns callbacks as API Gateway hands them to a function, of payouts
// that no others are of.
func (w *world) events(count int) ([][]byte, error) {
	made := make([][]byte, count)
	for i := range made {
		request, err := w.request()
		if err != nil {
			return nil, err
		}
		if made[i], err = eventOf(request); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// eventOf is the whole event: what a function never looks at costs it, too.
func eventOf(request callback.Request) ([]byte, error) {
	const route = "POST /callbacks/cregis/payout"
	path := strings.TrimPrefix(route, "POST ")
	return json.Marshal(events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: route, RawPath: path,
		Headers: map[string]string{
			"accept": "*/*", "content-length": fmt.Sprint(len(request.Body)), "content-type": "application/json",
			"host": "abcdefghij.execute-api.eu-central-1.amazonaws.com", "user-agent": "okhttp/4.9.3",
			"x-amzn-trace-id": "Root=1-6920a8a0-0123456789abcdef01234567", "x-forwarded-for": "203.0.113.7",
			"x-forwarded-port": "443", "x-forwarded-proto": "https",
		},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: route, AccountID: "123456789012", Stage: "$default", RequestID: "UXyzABCdEFGhIJk=", APIID: "abcdefghij",
			DomainName: "abcdefghij.execute-api.eu-central-1.amazonaws.com", DomainPrefix: "abcdefghij",
			Time: "21/Nov/2026:12:00:00 +0000", TimeEpoch: 1795262400000,
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: "POST", Path: path, Protocol: "HTTP/1.1", SourceIP: "203.0.113.7", UserAgent: "okhttp/4.9.3",
			},
		},
		Body: string(request.Body),
	})
}
