package explain_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"payout-callbacks/pkg/callback"
)

// Explain never writes out a number with a large exponent.
func TestExplain_HostileNumbersBoundedMemory(t *testing.T) {
	body := func(fields int, value func(n int) string) string {
		var text strings.Builder
		text.WriteString(`{"pid":1382528827416576,"sign":"00000000000000000000000000000000"`)
		for n := 0; n < fields && text.Len() < callback.MaxBody-100; n++ {
			fmt.Fprintf(&text, `,"f%d":%s`, n, value(n))
		}
		return text.String() + "}"
	}
	for name, text := range map[string]string{
		"great exponents":  body(6000, func(int) string { return "1e999999" }),
		"binary exponents": body(40, func(int) string { return `"0x1p999999"` }),
		"binary numbers":   body(6000, func(int) string { return `"1p-999999"` }),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		cregisReport(nil, text)
		runtime.ReadMemStats(&after)
		if limit := uint64(256 << 20); after.TotalAlloc-before.TotalAlloc > limit {
			t.Errorf("%s: Explain allocated %d bytes, want at most %d", name, after.TotalAlloc-before.TotalAlloc, limit)
		}
	}
}
