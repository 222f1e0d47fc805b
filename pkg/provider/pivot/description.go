package pivot

import (
	"net/http"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/provider"
)

// DemoMerchant is the demo account: that of the documented callbacks.
const DemoMerchant = "922e39ab-7565-49f6-b84f-fb56122821ae"

// Description describes Pivot.
func Description() provider.Description {
	return provider.Description{
		Callbacks:    Provider{},
		Expectations: Provider{},
		Queries:      Provider{},
		Title:        "Pivot",
		Account: provider.Account{
			Noun:    "merchant id",
			Pattern: `[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}`,
			Example: DemoMerchant,
		},
		IDFields:    []string{"merchantId", "uuid", "referenceId"},
		KeyNoun:     "callback key",
		ProofHeader: "X-API-Key",
		Credentials: []provider.Field{{Name: "baseUrl", Value: "https://..."}, {Name: "merchantId", Value: "<id>"}, {Name: "merchantSecret", Value: "<secret>"}},
		// docs/api-references/api-information/callback
		Retries: provider.Retries{
			Waits: []time.Duration{5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour},
			Codes: []provider.CodeRange{
				{From: http.StatusRequestTimeout, To: http.StatusRequestTimeout},
				{From: http.StatusTooManyRequests, To: http.StatusTooManyRequests},
				{From: http.StatusInternalServerError, To: 599},
			},
		},
		DemoAccount: DemoMerchant,
		Demo: callback.Keys{
			DemoMerchant:                           {Current: "pivot-demo-key-current", Previous: "pivot-demo-key-previous"},
			"11111111-2222-4333-8444-555555555555": {Current: "pivot-other-key"},
		},
	}
}
