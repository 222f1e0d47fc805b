package app

import (
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
)

// SigningProvider is a provider that tools can also speak for.
type SigningProvider interface {
	callback.Provider
	callback.Signer
}

// Providers lists the providers that this application serves. The command line
// and the end-to-end tests see a new one from here.
func Providers() []SigningProvider {
	return []SigningProvider{cregis.Provider{}, pivot.Provider{}}
}
