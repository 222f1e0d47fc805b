package jsonbody_test

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/provider/jsonbody"
)

// libraryForm returns the library's canonical form. It differs in the order of
// names only: the library compares UTF-16.
func libraryForm(text []byte) ([]byte, bool) {
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
		if got := string(jsonbody.Canonical([]byte(text))); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// FuzzCanonical checks that the canonical form means the same as the text, and
// that all texts with one meaning have one form.
func FuzzCanonical(f *testing.F) {
	for _, text := range []string{
		`{}`, `[]`, `null`, `-0.5e-7`, `"\"\\\u005c\""`, ` { "a" : [ 1 , { "b" : [ ] } , true ] , "\\" : "\\\"}" } `,
		"\t{\"提\":\"币\",\r\n\"\":{\"\":{\"\":[[],[{}]]}}}\n", `[false,null,"]","}","{"]`, `{"a":"\ud83d\ude00"}`,
		``, ` `, `{`, `}`, `{}x`, `{} {}`, `{"a":1,}`, `01`, `tru`, `"`, `"\x"`, "\ufeff{}", "\"\xff\"", `"\ud83d"`, "{}\x00",
	} {
		f.Add([]byte(text))
	}
	f.Add([]byte(`{"ｚ":1,"\ud83d\ude00":2,"":{"b":[{"d":0,"c":1}],"a":"\u2028"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		ours := jsonbody.Canonical(text)
		theirs, ok := libraryForm(text)
		if !ok {
			if !bytes.Equal(ours, text) {
				t.Fatalf("%q became %q", text, ours)
			}
			return
		}
		if repeated := jsonbody.Canonical(ours); !bytes.Equal(repeated, ours) {
			t.Fatalf("%q became %q, and that %q", text, ours, repeated)
		}
		if fromTheirs := jsonbody.Canonical(theirs); !bytes.Equal(fromTheirs, ours) {
			t.Fatalf("%q has the forms %q and %q", text, ours, fromTheirs)
		}
		if reread, ok := libraryForm(ours); !ok || !bytes.Equal(reread, theirs) {
			t.Fatalf("%q became %q, which says %q and not %q", text, ours, reread, theirs)
		}
	})
}
