package jsonbody_test

import (
	"runtime"
	"strings"
	"testing"

	"payout-callbacks/pkg/provider/jsonbody"
)

// The cost of the canonical form grows with the size of a body and not with its
// nesting: a sender with a key must not keep a function busy for seconds.
func TestCanonical_DeepNesting(t *testing.T) {
	const bound = 64 << 10
	for name, text := range map[string]string{
		"objects":            nest(`{"":`, `}`, 9_990, "1"),
		"objects and lists":  nest(`[{"":`, `}]`, 4_990, `"`+strings.Repeat("x", 25_000)+`"`),
		"names out of order": nest(`{"b":1,"a":`, `}`, 4_900, "1"),
		"many elements":      `[` + strings.Repeat(`{},`, 21_000) + `1]`,
	} {
		if len(text) > bound {
			t.Fatalf("%s: %d bytes", name, len(text))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		jsonbody.Canonical([]byte(text))
		runtime.ReadMemStats(&after)
		if spent := after.TotalAlloc - before.TotalAlloc; spent > 128*bound {
			t.Errorf("%s: %d kB are allocated for %d kB", name, spent>>10, len(text)>>10)
		}
	}
}

func nest(open, shut string, depth int, inside string) string {
	return strings.Repeat(open, depth) + inside + strings.Repeat(shut, depth)
}
