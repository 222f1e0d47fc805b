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

// BenchmarkVerifyAndParse compares with reading the JSON tokens once.
func BenchmarkVerifyAndParse(b *testing.B) {
	for _, name := range examples {
		request, keys := signed(b, body(b, name), "pivot-demo-key-current"), testKeys()
		b.Run("vector="+name+"/side=ours", func(b *testing.B) {
			for b.Loop() {
				verifyAndParse(b, request, keys)
			}
		})
		b.Run("vector="+name+"/side=floor", func(b *testing.B) {
			for b.Loop() {
				tokenPass(b, request.Body)
			}
		})
	}
}

func verifyAndParse(t testing.TB, request callback.Request, keys callback.Keys) {
	verified, err := pivot.Provider{}.Verify(request, keys)
	if err != nil {
		t.Fatal(err)
	}
	if _, held := verified.Event(); held != nil {
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
