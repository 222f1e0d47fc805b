package pivot

import (
	"net/http"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/provider/scheme"
)

// proof is the scheme: "Callback API Key, an additional API Key used specifically for
// receiving callbacks" (docs/api-lists/payout-local/payout-callback). The header is
// X-API-Key as http.Header spells it.
const proof = scheme.HeaderKey("X-Api-Key")

// Sign returns the body unchanged, with the headers that Pivot documents in its
// spelling.
func (Provider) Sign(body []byte, key callback.Key, _ time.Time) ([]byte, http.Header, error) {
	header := proof.Sign(key)
	header.Set("Content-Type", "application/JSON")
	header.Set("Accept", "application/JSON")
	return body, header, nil
}
