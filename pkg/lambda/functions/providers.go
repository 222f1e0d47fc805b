package functions

import (
	"cmp"
	"fmt"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/lambda/config"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
)

// SigningProvider is a provider whose callbacks tools can also sign.
type SigningProvider interface {
	callback.Provider
	callback.Signer
	callback.Claimant
}

// Providers returns the providers of this application. payoutctl and the
// end-to-end tests use it, too.
func Providers() []SigningProvider {
	return []SigningProvider{cregis.Provider{}, pivot.Provider{}}
}

// ProvidersFromOutputs returns the providers as the functions of a deployed stack
// parse their callbacks, from the stack's outputs. An output that is missing,
// because an older version deployed the stack, has its default.
func ProvidersFromOutputs(outputs map[string]string) ([]SigningProvider, error) {
	pattern := cmp.Or(outputs["ReferencePattern"], config.DefaultReferencePattern)
	settings, err := config.ParseCregis(outputs["CregisKnownFields"], pattern)
	if err != nil {
		return nil, fmt.Errorf("read outputs of Cregis: %w", err)
	}
	return []SigningProvider{cregis.New(settings.KnownFields, settings.ReferencePattern), pivot.Provider{}}, nil
}
