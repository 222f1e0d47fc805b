package send_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"payout-callbacks/cmd/payoutctl/internal/send"
)

func TestEdit(t *testing.T) {
	const body = `{"pid": 1382528827416576, "amount": "1.10", "n": 1e2, "none": null, "data": {"a": {"b": "x"}, "c": true}}`
	for name, test := range map[string]struct {
		changes []string
		want    string
	}{
		"nothing":                         {nil, body},
		"number as typed":                 {[]string{"pid=9007199254740993"}, `"pid":9007199254740993`},
		"more digits than an integer has": {[]string{"pid=123456789012345678901234567890"}, `"pid":123456789012345678901234567890`},
		"unusual number":                  {[]string{"n=6.0"}, `"n":6.0`},
		"other fields keep their digits":  {[]string{"amount=2.50"}, `{"pid":1382528827416576,"amount":"2.50","n":1e2,`},
		"text stays text":                 {[]string{"amount=6"}, `"amount":"6"`},
		"null becomes text":               {[]string{"none=why"}, `"none":"why"`},
		"text is escaped":                 {[]string{`amount="\`}, `"amount":"\"\\"`},
		"text with separators":            {[]string{"amount=a=b:=c,d"}, `"amount":"a=b:=c,d"`},
		"empty text":                      {[]string{"amount="}, `"amount":""`},
		"JSON of any kind":                {[]string{`pid:="7"`, `amount:=[1, {}]`}, `{"pid":"7","amount":[1, {}],"n"`},
		"nested":                          {[]string{"data.a.b=y"}, `"data":{"a":{"b":"y"},"c":true}}`},
		"new field":                       {[]string{"fee=1"}, `"c": true},"fee":"1"}`},
		"new nested field":                {[]string{"data.x.y=1"}, `"c":true,"x":{"y":"1"}}}`},
		"last change wins":                {[]string{"amount=1", "amount=2"}, `"amount":"2"`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := editAll(body, test.changes)
			if err != nil || !strings.Contains(got, test.want) {
				t.Errorf("got %s, %v; want %s in it", got, err, test.want)
			}
		})
	}
}

func TestEdit_InvalidChange(t *testing.T) {
	for _, change := range []string{
		"n=six", "n=", "n=1 2", `n="1"`, "n=NaN", "n=01", "data=1", "data.c=1", "n.x=1", "pid", "=1", ":=1", "n:=", "n:={",
	} {
		if got, err := editAll(`{"n": 1, "data": {"c": true}, "pid": 1}`, []string{change}); err == nil {
			t.Errorf("%s: got %s, want an error", change, got)
		}
	}
}

func editAll(body string, changes []string) (string, error) {
	edited := []byte(body)
	for _, argument := range changes {
		change, err := send.ParseChange(argument)
		if err != nil {
			return "", err
		}
		if edited, err = send.Edit(edited, change); err != nil {
			return "", err
		}
	}
	return string(edited), nil
}

func TestFieldText(t *testing.T) {
	body := []byte(`{"pid": 1382528827416576, "data": {"id": "a\"b"}, "list": [1]}`)
	for path, want := range map[string]string{
		"pid": "1382528827416576", "data.id": `a"b`, "list": "[1]", "none": "", "pid.x": "", "data.none": "",
	} {
		if got := send.FieldText(body, path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

// Each example equals a test vector of the provider, except for the signature, which
// is a placeholder in the documentation.
func TestReadExample_EqualsAVector(t *testing.T) {
	for file, vectors := range map[string]string{
		"cregis-payout.json": "cregis", "cregis-sub-address-payout.json": "cregis",
		"pivot-single.json": "pivot", "pivot-bulk.json": "pivot",
	} {
		example, err := send.ReadExample(file)
		if err != nil {
			t.Fatal(err)
		}
		if !containsInFiles(t, filepath.Join("..", "..", "..", "..", "pkg", "provider", vectors, "testdata", "*.txtar"), example) {
			t.Errorf("%s: no vector of %s has this body", file, vectors)
		}
	}
}

func containsInFiles(t *testing.T, pattern string, body []byte) bool {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	want, _, _ := strings.Cut(strings.TrimSpace(string(body)), `"sign":`)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), want) {
			return true
		}
	}
	return false
}
