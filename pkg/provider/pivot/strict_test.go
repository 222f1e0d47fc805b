package pivot_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"testing"
	"unicode/utf8"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/provider/pivot"
	"payout-callbacks/pkg/testkit/providertest"
)

// FuzzStrictJSON compares the bodies that can be read with those of a second strict
// parser: two parsers that disagree about a body could read different events.
func FuzzStrictJSON(f *testing.F) {
	for _, vector := range providertest.Vectors(f, "testdata") {
		if len(vector.Body) < 4<<10 {
			f.Add(vector.Body)
		}
	}
	for _, body := range []string{
		`{"a":{"b":[{"c":1},{"c":1}]},"b":2}`, `{"a":[{"b":1,"\u0062":2}]}`, `{"a":"\ud83d\ude00"}`, `{"a":"\\\ud83d"}`,
		`{"a":"\\ud83d"}`, "{\"a\":\"\xff\"}", "\ufeff{}", `{"a":01}`, `{"a":1e5}`, `{"a":-0}`, `{"a":.5}`, `{"":{"":0}}`, "{}\x00", ` {} `,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		request := callback.NewRequest("payout", nil, body)
		if request.TooLarge() {
			return
		}
		_, held := pivot.Provider{}.Restore(request, callback.Sender{Account: merchant}).Event()
		got := held == nil || held.Reason != callback.ReasonUnreadable
		if want := strictObject(body); got != want {
			t.Errorf("%q: readable %t, want %t", body, got, want)
		}
	})
}

// strictObject uses the standard library and a rule for each error that it accepts:
// invalid UTF-8, an unpaired surrogate, duplicate names.
func strictObject(body []byte) bool {
	if !utf8.Valid(body) || !json.Valid(body) || hasLoneSurrogate(string(body)) {
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	first, err := decoder.Token()
	return err == nil && first == json.Delim('{') && distinctNames(decoder, first)
}

// distinctNames reads the object or array that the delimiter begins.
func distinctNames(decoder *json.Decoder, begun json.Token) bool {
	names := map[json.Token]bool{}
	for decoder.More() {
		token, _ := decoder.Token() // json.Valid has seen it
		if begun == json.Delim('{') {
			if names[token] {
				return false
			}
			names[token] = true
			token, _ = decoder.Token()
		}
		if _, nested := token.(json.Delim); nested && !distinctNames(decoder, token) {
			return false
		}
	}
	_, err := decoder.Token()
	return err == nil
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
