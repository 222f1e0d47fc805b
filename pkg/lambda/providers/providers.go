// Package providers lists the providers of this application. A function that answers the
// callbacks of one provider does not import it, so that no other provider makes the
// function larger or its start slower.
package providers

import (
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
)

// All returns the providers, with the defaults of their settings. All that is done for
// each provider follows from it.
func All() []provider.Description {
	return []provider.Description{
		// providers: begin
		cregis.Description(),
		pivot.Description(),
		// providers: end
	}
}
