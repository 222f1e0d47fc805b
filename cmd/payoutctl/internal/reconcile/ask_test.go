package reconcile_test

import (
	"testing"

	"payout-callbacks/cmd/payoutctl/internal/reconcile"
)

// Of a provider without an API for queries, a person finds out how a payout ended.
func TestReconcile_ProviderWithoutQueries(t *testing.T) {
	for hasQueries, want := range map[bool]string{
		true:  "this stack cannot ask zeta about payouts",
		false: "the provider has no API for queries: look in its dashboard, then: payoutctl --local close zeta/payout/7/42 --status STATUS --reason '…'",
	} {
		if got := reconcile.NextOfUnasked("zeta/payout/7/42", hasQueries); got != want {
			t.Errorf("queries %t: got %q, want %q", hasQueries, got, want)
		}
	}
}
