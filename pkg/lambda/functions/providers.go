package functions

import (
	"cmp"
	"fmt"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/lambda/config"
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

// ProvidersOf lists the providers as a deployed stack parses their callbacks,
// by the outputs of its template. A stack of a version without these outputs has
// the defaults.
func ProvidersOf(outputs map[string]string) ([]SigningProvider, error) {
	pattern := cmp.Or(outputs["ReferencePattern"], config.DefaultReferencePattern)
	settings, err := config.ParseCregis(outputs["CregisKnownFields"], pattern)
	if err != nil {
		return nil, fmt.Errorf("read parameters of Cregis: %w", err)
	}
	return []SigningProvider{cregis.New(settings.KnownFields, settings.ReferencePattern), pivot.Provider{}}, nil
}
