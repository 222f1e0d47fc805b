package functions_test

import (
	"testing"

	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
)

// A provider without queries is neither asked nor expected.
func TestWithQueries_DescribedOnly(t *testing.T) {
	got := functions.WithQueries([]provider.Description{{Callbacks: pivot.Provider{}}, cregis.Description()})
	if len(got) != 1 || got[0].Name() != "cregis" {
		t.Errorf("got %v, want cregis alone", got)
	}
}
