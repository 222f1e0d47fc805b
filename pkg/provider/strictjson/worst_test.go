package strictjson_test

import (
	"runtime"
	"strings"
	"testing"

	"payout-callbacks/pkg/provider/strictjson"
)

// What the form of a body costs follows its size, however deep it nests: a
// sender with a key must not hold a function for seconds.
func TestTheFormOfADeepBodyIsNoBurden(t *testing.T) {
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
		strictjson.Canonical([]byte(text))
		runtime.ReadMemStats(&after)
		if spent := after.TotalAlloc - before.TotalAlloc; spent > 128*bound {
			t.Errorf("%s: %d kB are allocated for %d kB", name, spent>>10, len(text)>>10)
		}
	}
}

func nest(open, shut string, depth int, inside string) string {
	return strings.Repeat(open, depth) + inside + strings.Repeat(shut, depth)
}
