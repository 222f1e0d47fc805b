package strictjson_test

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/provider/strictjson"
)

// library is the same form by the library's own means, but for the order of
// names: it compares UTF-16, and any fixed order will do.
func library(text []byte) ([]byte, bool) {
	value := jsontext.Value(bytes.Clone(text))
	err := value.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false))
	return value, err == nil
}

func TestCanonical(t *testing.T) {
	for text, want := range map[string]string{
		` { "b" : [ 1 , { } ] , "a" : "\u0041\/" } `: `{"a":"A/","b":[1,{}]}`,
		`{"b":{"d":1.0,"c":-0},"a":[[],null,true]}`:  `{"a":[[],null,true],"b":{"c":-0,"d":1.0}}`,
		`12345678901234567890`:                       `12345678901234567890`,
		`{"a":1,"a":2}`:                              `{"a":1,"a":2}`,
		` no JSON `:                                  ` no JSON `,
	} {
		if got := string(strictjson.Canonical([]byte(text))); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// FuzzCanonical holds our form to what a form is for: it says the same as the
// text, and is one for all that say the same.
func FuzzCanonical(f *testing.F) {
	for _, text := range append(valid, invalid...) {
		f.Add([]byte(text))
	}
	f.Add([]byte(`{"ｚ":1,"\ud83d\ude00":2,"":{"b":[{"d":0,"c":1}],"a":"\u2028"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		ours := strictjson.Canonical(text)
		theirs, ok := library(text)
		if !ok {
			if !bytes.Equal(ours, text) {
				t.Fatalf("%q became %q", text, ours)
			}
			return
		}
		if again := strictjson.Canonical(ours); !bytes.Equal(again, ours) {
			t.Fatalf("%q became %q, and that %q", text, ours, again)
		}
		if fromTheirs := strictjson.Canonical(theirs); !bytes.Equal(fromTheirs, ours) {
			t.Fatalf("%q has the forms %q and %q", text, ours, fromTheirs)
		}
		if back, ok := library(ours); !ok || !bytes.Equal(back, theirs) {
			t.Fatalf("%q became %q, which says %q and not %q", text, ours, back, theirs)
		}
	})
}
