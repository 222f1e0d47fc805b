package cregis_test

import (
	"testing"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/testkit/providertest"
)

// The key is that of the documentation: docs/api-reference/signature.
const (
	project   = "1382528827416576"
	sampleKey = callback.Key("f502a9ac9ca54327986f29c03b271491")
)

func testKeys() callback.Keys {
	return callback.Keys{
		project:            {Current: sampleKey, Previous: "00f9d8e7c6b5a4938271605f4e3d2c1b"},
		"1382528827416577": {Current: "9b1c2d3e4f5061728394a5b6c7d8e9f0"},
	}
}

func suite() providertest.Suite {
	return providertest.Suite{Description: cregis.Description(), Keys: testKeys(), Respond: respond, None: map[string]string{
		"query-in-process": "a payout in process has a status of its own",
		"query-pages":      "an answer is about one payout",
	}}
}

func TestProvider(t *testing.T) { providertest.Run(t, suite()) }

// vectorRequest returns the request of a vector.
func vectorRequest(t testing.TB, name string) callback.Request {
	t.Helper()
	for _, vector := range providertest.Vectors(t, "testdata") {
		if vector.Name == name {
			request, err := vector.Request(cregis.Provider{}, testKeys())
			if err != nil {
				t.Fatal(err)
			}
			return request
		}
	}
	t.Fatalf("no vector %s", name)
	return callback.Request{}
}
