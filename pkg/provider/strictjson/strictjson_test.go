package strictjson_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/provider/strictjson"
)

var valid = []string{
	`{}`, `[]`, `null`, `-0.5e-7`, `"\"\\\u005c\""`, ` { "a" : [ 1 , { "b" : [ ] } , true ] , "\\" : "\\\"}" } `,
	"\t{\"提\":\"币\",\r\n\"\":{\"\":{\"\":[[],[{}]]}}}\n", `{"a":1,"b":-2}`, `[false,null,"]","}","{"]`, `{"a":"\ud83d\ude00"}`,
}

var invalid = []string{
	``, ` `, `{`, `}`, `{}x`, `{} {}`, `{"a":1,}`, `{"a":1 "b":2}`, `{"a" 1}`, `[1 2]`, `01`, `+1`, `tru`, `"`, `"\"`, `"\x"`, "\"\n\"",
	"\ufeff{}", "\"\xff\"", `"\ud83d"`, `{a:1}`, `{'a':1}`, `//`, "{}\x00",
}

func TestWhatIsNotStrictIsRefused(t *testing.T) {
	for _, text := range invalid {
		if _, err := strictjson.Scan([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
		if _, ok := strictjson.ScanRepeated([]byte(text)); ok {
			t.Errorf("%q is taken where names may repeat", text)
		}
	}
	const twice = `{"a":1,"\u0061":2}`
	if _, err := strictjson.Scan([]byte(twice)); err == nil {
		t.Errorf("%s is taken", twice)
	}
	if _, ok := strictjson.ScanRepeated([]byte(twice)); !ok {
		t.Errorf("%s is refused where names may repeat", twice)
	}
}

// FuzzScanner goes through whatever is valid, once stepping into everything and
// once past it, and must meet what the library's decoder meets.
func FuzzScanner(f *testing.F) {
	for _, text := range slices.Concat(valid, invalid) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		scanner, ok := strictjson.ScanRepeated(text)
		strict, err := strictjson.Scan(text)
		if err == nil && !ok || (err == nil) != jsontext.Value(text).IsValid() {
			t.Fatalf("%q: taken where names may repeat: %t, else: %v", text, ok, err)
		}
		if !bytes.Equal(text, before) {
			t.Fatalf("%q became %q", before, text)
		}
		if !ok {
			return
		}
		want := tokens(text)
		if got := steps(&scanner); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if err == nil {
			whole := strict.Next()
			if trimmed := strings.Trim(string(text), " \t\r\n"); whole != trimmed || strict.Kind() != jsontext.KindInvalid {
				t.Errorf("%q: got %q whole, then %s", text, whole, strict.Kind())
			}
		}
	})
}

// steps says what a scanner meets, brackets and texts. What is nested deeper
// than that is passed over whole, and gone through from a scanner of its own.
func steps(s *strictjson.Scanner) []string {
	var met []string
	for {
		switch kind := s.Kind(); kind {
		case jsontext.KindInvalid:
			return met
		case jsontext.KindBeginObject, jsontext.KindBeginArray:
			aside := *s
			inside, ok := strictjson.ScanRepeated([]byte(aside.Next()))
			if !ok {
				return append(met, "a part that is not valid by itself")
			}
			inside.Enter()
			met = append(append(met, kind.String()), steps(&inside)...)
			*s = aside
		case jsontext.KindEndObject, jsontext.KindEndArray:
			s.Enter()
			met = append(met, kind.String())
		case jsontext.KindString:
			met = append(met, fmt.Sprintf("%s %s", kind, strictjson.Unquote(s.Next())))
		default:
			met = append(met, fmt.Sprintf("%s %s", kind, s.Next()))
		}
	}
}

func tokens(text []byte) []string {
	var met []string
	decoder := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true))
	for {
		token, err := decoder.ReadToken()
		if errors.Is(err, io.EOF) {
			return met
		}
		if err != nil {
			panic(err) // it was valid
		}
		switch kind := token.Kind(); kind {
		case jsontext.KindBeginObject, jsontext.KindBeginArray, jsontext.KindEndObject, jsontext.KindEndArray:
			met = append(met, kind.String())
		default:
			met = append(met, fmt.Sprintf("%s %s", kind, token.String()))
		}
	}
}

func Example() {
	text, err := strictjson.Scan([]byte(`{"cid": 7, "tags": ["a", "b"], "memo": "\u00e9"}`))
	if err != nil {
		panic(err)
	}
	text.Enter()
	for text.Kind() == jsontext.KindString {
		name := strictjson.Unquote(text.Next())
		fmt.Println(name, text.Kind(), text.Next())
	}
	// Output:
	// cid number 7
	// tags [ ["a", "b"]
	// memo string "\u00e9"
}
