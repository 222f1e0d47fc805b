package functions

import (
	"cmp"

	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
	"payout-callbacks/pkg/reconcile"
)

// Providers returns the providers of this application, with the defaults of their
// settings. All that is done for each provider follows from it.
func Providers() []provider.Description {
	return []provider.Description{
		// providers: begin
		cregis.Description(),
		pivot.Description(),
		// providers: end
	}
}

// WithOutputs returns a provider as the function of a deployed stack parses its
// callbacks, from the stack's outputs. An output that is missing, because an older
// version deployed the stack, has its default.
func WithOutputs(d provider.Description, outputs map[string]string) (provider.Description, error) {
	return d.WithSettings(func(s provider.Setting) string { return cmp.Or(outputs[s.Parameter], s.Default) })
}

// withQueries returns the providers that can be asked.
func withQueries(providers []provider.Description) []reconcile.Provider {
	var queried []reconcile.Provider
	for _, d := range providers {
		if d.Queries != nil {
			queried = append(queried, d.Queries)
		}
	}
	return queried
}
