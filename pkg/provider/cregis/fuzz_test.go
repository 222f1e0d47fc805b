package cregis_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"slices"
	"testing"
	"unicode/utf8"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/testkit/providertest"
)

// FuzzCanonical compares with a naive second implementation.
func FuzzCanonical(f *testing.F) {
	for _, vector := range providertest.Vectors(f, "testdata") {
		if len(vector.Body) < 4<<10 { // a fuzzer would spend its time on making larger ones smaller
			f.Add(vector.Body)
		}
	}
	for _, body := range []string{
		`{"a":"\ud83d\ude00","A":1.50e+3,"":true,"b":null,"c":"","sign":"x","Sign":"y"}`,
		`{"a":"\ud83d"}`, `{"a":"\\ud83d"}`, `{"a":"\\\ud83d"}`, `{"a":"\ude00\ud83d"}`, `{"a":-0}`, ` {} `, `{"a":1,"\u0061":2}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, ok := cregis.Canonical(body)
		want, wanted := naiveCanonical(body)
		if ok != wanted || got != want {
			t.Errorf("%q:\ngot  %q %t\nwant %q %t", body, got, ok, want, wanted)
		}
	})
}

// naiveCanonical uses the standard library, a map, and a rule for each error that
// the standard library accepts.
func naiveCanonical(body []byte) (string, bool) {
	if !utf8.Valid(body) || hasLoneSurrogate(string(body)) {
		return "", false
	}
	fields, err := naiveFields(body)
	if err != nil {
		return "", false
	}
	text := ""
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		switch value := fields[name].(type) {
		case string:
			if name != "sign" && value != "" {
				text += name + value
			}
		case json.Number:
			if name != "sign" {
				text += name + value.String()
			}
		case bool:
			if name != "sign" {
				text += name + map[bool]string{true: "true", false: "false"}[value]
			}
		}
	}
	return text, true
}

func naiveFields(body []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("no object")
	}
	fields := map[string]any{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		if _, twice := fields[name.(string)]; twice {
			return nil, errors.New("duplicate name")
		}
		value, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		if _, nested := value.(json.Delim); nested {
			return nil, errors.New("nested")
		}
		fields[name.(string)] = value
	}
	if !json.Valid(body) {
		return nil, errors.New("not one JSON value")
	}
	return fields, nil
}

var (
	escapedBackslash = regexp.MustCompile(`\\\\`)
	surrogatePair    = regexp.MustCompile(`(?i)\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}`)
	surrogate        = regexp.MustCompile(`(?i)\\ud[89a-f][0-9a-f]{2}`)
)

func hasLoneSurrogate(text string) bool {
	text = escapedBackslash.ReplaceAllString(text, "  ")
	return surrogate.MatchString(surrogatePair.ReplaceAllString(text, ""))
}

// FuzzParse checks that each event is final and has our reference and the recipient.
func FuzzParse(f *testing.F) {
	providertest.FuzzParse(f, suite(), func(t *testing.T, _ callback.Request, event payout.Event) {
		if !event.Status.IsFinal() || event.Reference == "" || event.To == "" {
			t.Errorf("event lacks something: %+v", event)
		}
	})
}
