package cregis_test

import (
	"bytes"
	"crypto/md5"
	"errors"
	"io"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/provider/cregis"
)

var examples = []string{"payout-status-6", "sub-address-example", "payout-remark-with-names"}

// BenchmarkVerifyAndParse compares with reading the JSON tokens once and one MD5,
// which every verification needs.
func BenchmarkVerifyAndParse(b *testing.B) {
	for _, name := range examples {
		request, keys := vectorRequest(b, name), testKeys()
		b.Run("vector="+name+"/side=ours", func(b *testing.B) {
			for b.Loop() {
				verifyAndParse(b, request, keys)
			}
		})
		b.Run("vector="+name+"/side=floor", func(b *testing.B) {
			for b.Loop() {
				tokenPass(b, request.Body)
				_ = md5.Sum(request.Body)
			}
		})
	}
}

func verifyAndParse(t testing.TB, request callback.Request, keys callback.Keys) {
	verified, err := cregis.Provider{}.Verify(request, keys)
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
