package pivot_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/provider/pivot"
)

var examples = []string{"bulk-done", "single-success"}

// To verify and parse is to be compared with BenchmarkStrictTokenPass: what
// reading strict JSON costs whatever is done with it.
func BenchmarkVerifyAndParse(b *testing.B) {
	for _, name := range examples {
		request, keys := signed(b, body(b, name), "pivot-demo-key-current"), testKeys()
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				verifyAndParse(b, request, keys)
			}
		})
	}
}

func BenchmarkStrictTokenPass(b *testing.B) {
	for _, name := range examples {
		text := body(b, name)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tokenPass(b, text)
			}
		})
	}
}

func TestVerifyAndParseAllocateLittle(t *testing.T) {
	for _, name := range examples {
		request, keys := signed(t, body(t, name), "pivot-demo-key-current"), testKeys()
		got := testing.AllocsPerRun(100, func() { verifyAndParse(t, request, keys) })
		if got > 60 {
			t.Errorf("%s: %.0f allocations, want at most 60", name, got)
		}
	}
}

func verifyAndParse(t testing.TB, request callback.Request, keys callback.Keys) {
	request = callback.NewRequest(request.Type, request.Header, request.Body) // as new: nothing of it was read
	sender, err := pivot.Provider{}.Verify(request, keys)
	if err != nil {
		t.Fatal(err)
	}
	if _, held := (pivot.Provider{}).Parse(request, sender); held != nil {
		t.Fatal(held.Note)
	}
}

func tokenPass(t testing.TB, text []byte) {
	decoder := jsontext.NewDecoder(bytes.NewBuffer(text))
	for {
		_, err := decoder.ReadToken()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
