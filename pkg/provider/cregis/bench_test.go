package cregis_test

import (
	"crypto/md5"
	"testing"

	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/testkit/providertest"
)

func BenchmarkVerifyAndParse(b *testing.B) {
	providertest.Benchmark(b, cregis.Provider{}, testKeys(), func(body []byte) { _ = md5.Sum(body) },
		"payout-status-6", "sub-address-example", "payout-remark-with-names")
}
