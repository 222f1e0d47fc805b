package jsonbody_test

import (
	"strings"
	"testing"

	"payout-callbacks/pkg/provider/jsonbody"
)

func TestRead_OneObject(t *testing.T) {
	object, err := jsonbody.Read([]byte(` {"text": "\u0041\/", "number": 1, "null": null, "object": {"text": "inner"}, "": "empty"} `))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"text": "A/", "number": "", "null": "", "object": "", "absent": "", "Text": "", "": "empty"} {
		if got := object.Text(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := string(object["number"]); got != "1" || len(object) != 5 {
		t.Errorf("number is %s, of %d members", got, len(object))
	}
}

func TestRead_OtherTexts(t *testing.T) {
	for _, text := range []string{
		"", " ", "null", "1", `"a"`, "[]", "[{}]", "{", "}", `{"a"`, `{"a":}`, `{"a":1,}`, `{"a":1 "b":2}`, `{a:1}`,
		`{"a":1,"a":1}`, `{"a":1,"\u0061":1}`, `{"a":{"b":1,"b":1}}`, "{\"a\":\"\xff\"}", `{"a":"\ud83d"}`,
		"{}x", "{} {}", "{},", "\ufeff{}", "{}\x00", `{"a":` + strings.Repeat("[", 20_000),
	} {
		if object, err := jsonbody.Read([]byte(text)); err == nil {
			t.Errorf("%.40q: read as %v", text, object)
		}
	}
}

func TestQuote_Bounded(t *testing.T) {
	if got := jsonbody.Quote("a\"\n"); got != `"a\"\n"` {
		t.Errorf("got %s", got)
	}
	if got := jsonbody.Quote(strings.Repeat("x", 5000)); len(got) > 150 || !strings.HasSuffix(got, "and 4900 bytes more") {
		t.Errorf("got %s", got)
	}
}
