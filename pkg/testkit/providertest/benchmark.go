package providertest

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
)

// Benchmark compares verifying and parsing some vectors with the least work that it
// needs: one pass over the JSON tokens, and more, if more is not nil.
func Benchmark(b *testing.B, provider Provider, keys callback.Keys, more func(body []byte), names ...string) {
	b.Helper()
	for _, vector := range Vectors(b, "testdata") {
		if !slices.Contains(names, vector.Name) {
			continue
		}
		request, err := vector.Request(provider, keys)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("vector="+vector.Name+"/side=ours", func(b *testing.B) {
			for b.Loop() {
				verifyAndParse(b, provider, request, keys)
			}
		})
		b.Run("vector="+vector.Name+"/side=floor", func(b *testing.B) {
			for b.Loop() {
				readTokens(b, request.Body)
				if more != nil {
					more(request.Body)
				}
			}
		})
	}
}

func verifyAndParse(b *testing.B, provider Provider, request callback.Request, keys callback.Keys) {
	b.Helper()
	verified, err := provider.Verify(request, keys)
	if err != nil {
		b.Fatal(err)
	}
	if _, held := verified.Event(); held != nil {
		b.Fatal(held.Note)
	}
}

func readTokens(b *testing.B, text []byte) {
	b.Helper()
	decoder := jsontext.NewDecoder(bytes.NewBuffer(text))
	for {
		_, err := decoder.ReadToken()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
