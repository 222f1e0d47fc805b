package pivot_test

import (
	"testing"

	"payout-callbacks/pkg/provider/pivot"
	"payout-callbacks/pkg/testkit/providertest"
)

func BenchmarkVerifyAndParse(b *testing.B) {
	providertest.Benchmark(b, pivot.Provider{}, testKeys(), nil, "bulk-done", "single-success")
}
